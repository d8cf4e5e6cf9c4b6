"""A deal: one possible sale, open, won or lost."""

from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

import sqlalchemy as sa

from schema.base import HistoryRecord, column, link
from schema.vocab import Currency, DealOutcome, Unit


class Deal(HistoryRecord, table=True):
    """One possible sale: open, won or lost."""

    __table_args__ = (
        sa.CheckConstraint("(outcome = 'OPEN') = (closed_at is null)", name="closed_when_decided"),
        sa.CheckConstraint("lost_reason is null or outcome = 'LOST'", name="reason_when_lost"),
        sa.Index(None, "outcome", "closed_at"),
    )

    name: str | None = column("What the deal is called.", search=True, default=None)
    company_id: UUID | None = link("company", "The buying company.", back="deals", back_doc="Its deals.", default=None)
    amount: Decimal | None = column(
        "What the customer pays; unknown is null, never 0.", unit=Unit.MONEY, currency="currency", default=None
    )
    currency: Currency | None = column("The currency of the amount (ISO 4217).", vocab=Currency, default=None)
    product_id: UUID | None = link(
        "product", "What is sold.", back="deals", back_doc="The deals about it.", default=None
    )
    probability: Decimal | None = column(
        "The chance of winning, where it differs from that of the pipeline stage.",
        unit=Unit.RATIO,
        numeric=(5, 4),
        ge=0,
        le=1,
        default=None,
    )
    opened_at: datetime | None = column("When the deal was opened; unknown is null.", index=True, default=None)
    close_date: date | None = column("When it is expected to close.", default=None)
    pipeline_stage_id: UUID | None = link(
        "pipeline_stage",
        "Where it stands in its pipeline.",
        back="deals",
        back_doc="The deals in the stage.",
        default=None,
    )
    owner_id: UUID | None = link(
        "member",
        "The salesperson who works it.",
        back="ownedDeals",
        back_doc="The deals this person works.",
        default=None,
    )
    sdr_id: UUID | None = link(
        "member",
        "The SDR who qualified it.",
        back="qualifiedDeals",
        back_doc="The deals this person qualified.",
        default=None,
    )
    outcome: DealOutcome = column(
        "Whether it is decided, and how.", vocab=DealOutcome, server_default="'OPEN'", default=None
    )
    closed_at: datetime | None = column("When it was won or lost; null while open.", default=None)
    lost_reason: str | None = column("Why it was lost, in the source's words.", default=None)
    primary_campaign_id: UUID | None = link(
        "campaign",
        "The campaign that counts most for it.",
        back="primaryDeals",
        back_doc="The deals it counts most for.",
        default=None,
    )

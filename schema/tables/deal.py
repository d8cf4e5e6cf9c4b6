"""Deals: possible sales, open, won or lost."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.access.rights import Permission
from schema.base import column, link
from schema.records import HistoryRecord
from schema.vocab import Currency, DealOutcome, DealType, Unit


class Deal(HistoryRecord, table=True):
    """One possible sale: open, won or lost."""

    __edit_permission__: ClassVar[Permission | None] = Permission.EDIT_RECORDS
    __table_args__ = (
        sa.CheckConstraint("(outcome = 'OPEN') = (closed_at is null)", name="closed_when_decided"),
        sa.CheckConstraint("lost_reason is null or outcome = 'LOST'", name="reason_when_lost"),
        sa.Index(None, "outcome", "closed_at"),
        # Every KPI of deals counts these few as excluded.
        sa.Index("ix_deal_deleted", "id", postgresql_where=sa.text("deleted_at is not null")),
    )

    name: str | None = column("The name of the deal.", search=True, default=None)
    company_id: UUID | None = link(
        "company", "The company that buys.", back="deals", back_doc="The deals of the company.", default=None
    )
    type: DealType | None = column(
        "What kind of sale the deal is: to a new customer, or to one that buys more or renews; null if unknown.",
        vocab=DealType,
        default=None,
    )
    amount: Decimal | None = column(
        "What the customer pays, in `currency`; null if unknown, never 0.",
        unit=Unit.MONEY,
        currency="currency",
        rate_at="closed_at",
        finalized_at="closed_at",
        default=None,
    )
    currency: Currency | None = column(
        "The currency of the amount (ISO 4217).", vocab=Currency, finalized_at="closed_at", default=None
    )
    product_id: UUID | None = link(
        "product", "The product that is sold.", back="deals", back_doc="The deals for the product.", default=None
    )
    probability: Decimal | None = column(
        "The probability of winning, from 0 to 1, if it differs from that of the pipeline stage.",
        unit=Unit.RATIO,
        numeric=(5, 4),
        ge=0,
        le=1,
        overwritten_at="closed_at",
        default=None,
    )
    opened_at: datetime | None = column("When the deal was opened; null if unknown.", index=True, default=None)
    close_date: date | None = column(
        "The day on which the deal is expected to close, or on which it closed.",
        overwritten_at="closed_at",
        default=None,
    )
    pipeline_stage_id: UUID | None = link(
        "pipeline_stage",
        "The stage of the pipeline that the deal is in.",
        back="deals",
        back_doc="The deals in this stage.",
        changed_by="moveDeal",
        overwritten_at="closed_at",
        default=None,
    )
    owner_id: UUID | None = link(
        "member",
        "The salesperson who works on the deal.",
        back="ownedDeals",
        back_doc="The deals that this member works on.",
        default=None,
    )
    sdr_id: UUID | None = link(
        "member",
        "The sales development representative (SDR) who qualified the deal.",
        back="qualifiedDeals",
        back_doc="The deals that this member qualified.",
        default=None,
    )
    outcome: DealOutcome = column(
        "Whether the deal is open, won or lost.",
        vocab=DealOutcome,
        written_by="closeDeal",
        server_default="'OPEN'",
        default=None,
    )
    closed_at: datetime | None = column(
        "When the deal was won or lost; null while it is open.", written_by="closeDeal", default=None
    )
    lost_reason: str | None = column(
        "Why the deal was lost, as the source system writes it; null unless it was lost.",
        written_by="closeDeal",
        dimension=True,
        default=None,
    )
    primary_campaign_id: UUID | None = link(
        "campaign",
        "The primary campaign of the deal, from which its channel and campaign are taken.",
        back="primaryDeals",
        back_doc="The deals whose primary campaign this is.",
        default=None,
    )

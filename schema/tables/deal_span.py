"""Spans: the times in which deals were open with the same values, so that a pipeline of the past looks nothing up."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.base import Table, column, link
from schema.vocab import Currency, DealType, NotCountedReason, Unit


class DealSpan(Table, table=True):
    """A time in which a deal was open, with its amount and what every dimension said all that time.

    Like those of stage entries, the links have no foreign keys. Only the evaluator writes.
    """

    __tablename__ = "deal_span"
    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (
        sa.Index(None, "evaluation_id", "ends_at"),
        # The few excluded ones: answers have their number.
        sa.Index(
            "ix_deal_span_excluded", "evaluation_id", "ends_at", postgresql_where=sa.text("not_counted is not null")
        ),
    )

    deal_id: UUID = link("deal", "The deal.", primary_key=True, index=False, is_derived=True)
    evaluation_id: UUID = link(
        "evaluation", "The evaluation that computed the row.", primary_key=True, index=False, is_derived=True
    )
    starts_at: datetime = column("The first instant of the span.", primary_key=True)
    ends_at: datetime = column("The first instant after the span; infinity for one that lasts.")
    amount: Decimal | None = column("The amount; null if unknown.", currency="currency", default=None)
    currency: Currency | None = column("The currency of the amount.", vocab=Currency, default=None)
    probability: Decimal | None = column(
        "The deal's own probability of winning, from 0 to 1; null for that of its pipeline stage.",
        unit=Unit.RATIO,
        numeric=(5, 4),
        default=None,
    )
    close_date: date | None = column("The expected closing.", default=None)
    confirmed_at: datetime | None = column(
        "When the source confirmed an assumed history of the deal; null if it is not assumed.", default=None
    )
    company_confirmed_at: datetime | None = column("The same of the company's history.", default=None)
    changed_at: datetime = column("When the deal was last changed.")
    not_counted: NotCountedReason | None = column(
        "Why no KPI counts the deal today; null if it counts.", vocab=NotCountedReason, default=None
    )
    campaign_id: UUID | None = link("campaign", "The primary campaign.", index=False, is_derived=True, default=None)
    pipeline_stage_id: UUID | None = link(
        "pipeline_stage", "The pipeline stage.", index=False, is_derived=True, default=None
    )
    product_id: UUID | None = link("product", "The product.", index=False, is_derived=True, default=None)
    company_id: UUID | None = link("company", "The company.", index=False, is_derived=True, default=None)
    industry: str | None = column("The industry of that company.", default=None)
    country: str | None = column("The country of that company.", default=None)
    company_size: str | None = column("The band of that company's size.", default=None)
    deal_type: DealType | None = column("The type of the deal.", vocab=DealType, default=None)
    owner_id: UUID | None = link(
        "member",
        "The owner; if there was none, the first one after the span.",
        index=False,
        is_derived=True,
        default=None,
    )
    owned_at: datetime | None = column(
        "When that first later owner became the owner; null for an owner of the span.", default=None
    )
    current_owner_id: UUID | None = link("member", "The owner today.", index=False, is_derived=True, default=None)

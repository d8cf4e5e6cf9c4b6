"""Spans: the times in which deals were open with the same values, so that a pipeline of the past looks nothing up."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

import sqlalchemy as sa

from schema.base import column
from schema.tables.journey import DealDimensioned
from schema.vocab import Unit


class DealSpan(DealDimensioned, table=True):
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

    starts_at: datetime = column("The first instant of the span.", primary_key=True)
    ends_at: datetime = column("The first instant after the span; infinity for one that lasts.")
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

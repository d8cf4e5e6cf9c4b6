"""Exchange rates by day."""

from datetime import date, datetime
from decimal import Decimal
from typing import ClassVar

import sqlalchemy as sa

from schema.access.rights import Permission
from schema.base import column
from schema.records import DeletableRecord
from schema.vocab import Currency


class ExchangeRate(DeletableRecord, table=True):
    """The value of one unit of a currency in another currency, from a day until the next rate."""

    __edit_permission__: ClassVar[Permission | None] = Permission.EDIT_SETUP
    __tablename__ = "exchange_rate"
    __plural__: ClassVar[str] = "exchange_rates"
    __keeps_corrections__: ClassVar[bool] = True
    __table_args__ = (
        sa.UniqueConstraint("currency", "quote_currency", "rate_on"),
        sa.CheckConstraint("currency <> quote_currency", name="two_currencies"),
    )

    currency: Currency = column("The currency to convert from (ISO 4217).", vocab=Currency)
    quote_currency: Currency = column("The currency to convert to (ISO 4217).", vocab=Currency)
    rate_on: date = column("The first day on which the rate applies.")
    rate: Decimal = column("The value of one unit of `currency`, in units of `quote_currency`.", numeric=(18, 8), gt=0)
    recorded_at: datetime | None = column(
        "When Accord stored the rate; null if that was before Accord kept it.",
        hidden=True,
        server_default="now()",
        default=None,
    )

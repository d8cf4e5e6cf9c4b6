"""What one unit of a currency was worth in another on a day."""

from datetime import date
from decimal import Decimal
from typing import ClassVar

import sqlalchemy as sa

from schema.base import Record, column
from schema.vocab import Currency


class ExchangeRate(Record, table=True):
    """What one unit of a currency was worth in another, from a day until the next rate."""

    __tablename__ = "exchange_rate"
    __plural__: ClassVar[str] = "exchange_rates"
    __table_args__ = (
        sa.UniqueConstraint("currency", "quote_currency", "rate_on"),
        sa.CheckConstraint("currency <> quote_currency", name="two_currencies"),
    )

    currency: Currency = column("The currency that is converted (ISO 4217).", vocab=Currency)
    quote_currency: Currency = column("The currency it is converted to (ISO 4217).", vocab=Currency)
    rate_on: date = column("The first day on which the rate holds.")
    rate: Decimal = column("How much of the quote currency one unit is worth.", numeric=(18, 8), gt=0)

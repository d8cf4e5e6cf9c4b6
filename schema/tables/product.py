"""Products and services that we sell."""

from decimal import Decimal

from schema.base import Record, column
from schema.vocab import Currency, Unit


class Product(Record, table=True):
    """A product or service that we sell."""

    name: str = column("The name of the product.", unique=True)
    family: str | None = column("The family of products that it belongs to.", default=None)
    list_price: Decimal | None = column(
        "The price before discounts, in `currency`.", unit=Unit.MONEY, currency="currency", ge=0, default=None
    )
    currency: Currency | None = column("The currency of the list price (ISO 4217).", vocab=Currency, default=None)

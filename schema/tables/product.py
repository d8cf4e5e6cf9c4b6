"""Something we sell."""

from decimal import Decimal

from schema.base import Record, column
from schema.vocab import Currency, Unit


class Product(Record, table=True):
    """A product or service that we sell."""

    name: str = column("What the product is called.", unique=True)
    family: str | None = column("The group of products it belongs to.", default=None)
    list_price: Decimal | None = column(
        "Its price before discounts.", unit=Unit.MONEY, currency="currency", ge=0, default=None
    )
    currency: Currency | None = column("The currency of the list price (ISO 4217).", vocab=Currency, default=None)

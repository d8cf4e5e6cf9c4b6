"""Products and services that we sell."""

from decimal import Decimal
from typing import ClassVar

from schema.access.rights import Permission
from schema.base import column
from schema.records import DeletableRecord
from schema.vocab import Currency, Unit


class Product(DeletableRecord, table=True):
    """A product or service that we sell."""

    __edit_permission__: ClassVar[Permission | None] = Permission.EDIT_SETUP

    name: str = column("The name of the product.", unique=True)
    family: str | None = column("The family of products that it belongs to.", default=None)
    list_price: Decimal | None = column(
        "The price before discounts, in `currency`.", unit=Unit.MONEY, currency="currency", ge=0, default=None
    )
    currency: Currency | None = column("The currency of the list price (ISO 4217).", vocab=Currency, default=None)

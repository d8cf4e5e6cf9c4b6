"""A company: a customer, or one that may become one."""

from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from schema.base import HistoryRecord, column, link
from schema.vocab import Currency, Unit


class Company(HistoryRecord, table=True):
    """A company that is a customer or may become one."""

    __plural__: ClassVar[str] = "companies"

    name: str = column("What the company is called, or the source's key where it tells no name.", search=True)
    domain: str | None = column("The company's internet domain.", index=True, search=True, default=None)
    industry: str | None = column("The line of business, in the source's words.", default=None)
    employees: int | None = column("How many people work there.", unit=Unit.PEOPLE, ge=0, default=None)
    annual_revenue: Decimal | None = column("Revenue of a year.", unit=Unit.MONEY, currency="currency", default=None)
    currency: Currency | None = column("The currency of the annual revenue (ISO 4217).", vocab=Currency, default=None)
    country: str | None = column("Where the company sits (ISO 3166 alpha-2 where the source has it).", default=None)
    owner_id: UUID | None = link(
        "member",
        "Who looks after the company.",
        back="ownedCompanies",
        back_doc="The companies this person looks after.",
        default=None,
    )
    parent_id: UUID | None = link(
        "company",
        "The company it belongs to.",
        back="subsidiaries",
        back_doc="The companies that belong to it.",
        default=None,
    )

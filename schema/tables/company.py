"""Companies that are or may become customers."""

from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from schema.access.rights import Permission
from schema.base import column, link
from schema.formats import Format
from schema.records import HistoryRecord
from schema.vocab import Currency, Unit


class Company(HistoryRecord, table=True):
    """A company that is a customer or may become one."""

    __edit_permission__: ClassVar[Permission | None] = Permission.EDIT_RECORDS
    __plural__: ClassVar[str] = "companies"

    name: str = column("The name of the company; the source system's key if it has no name.", search=True)
    domain: str | None = column(
        "The internet domain of the company, such as example.com.",
        format=Format.DOMAIN,
        index=True,
        search=True,
        default=None,
    )
    industry: str | None = column("The industry of the company, as the source system writes it.", default=None)
    employees: int | None = column("The number of people who work there.", unit=Unit.PEOPLE, ge=0, default=None)
    annual_revenue: Decimal | None = column(
        "The revenue of one year, in `currency`.", unit=Unit.MONEY, currency="currency", default=None
    )
    currency: Currency | None = column("The currency of the annual revenue (ISO 4217).", vocab=Currency, default=None)
    country: str | None = column(
        "The country of the company (ISO 3166-1 alpha-2).", format=Format.COUNTRY, default=None
    )
    owner_id: UUID | None = link(
        "member",
        "The member responsible for the company.",
        back="ownedCompanies",
        back_doc="The companies that this member is responsible for.",
        default=None,
    )
    parent_id: UUID | None = link(
        "company",
        "The parent company.",
        back="subsidiaries",
        back_doc="The companies whose parent this company is.",
        default=None,
    )
    merged_into_id: UUID | None = link(
        "company",
        "The company that this one was merged into; null if it was not merged.",
        back="mergedCompanies",
        back_doc="The companies that were merged into this one.",
        written_by="mergeCompanies",
        default=None,
    )

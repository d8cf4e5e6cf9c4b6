"""Prospective customers: companies and the people who work there, and people without a company."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from api.sample.firm import CURRENCY, DOMAIN, work_email
from api.sample.name_lists import (
    COMPANY_STEMS,
    COMPANY_TAILS,
    COUNTRIES,
    FIRST_NAMES,
    FREE_MAIL_DOMAINS,
    INDUSTRIES,
    JOB_TITLES,
    LAST_NAMES,
    ROLE_MAILBOXES,
    Country,
    Industry,
)
from api.sample.period import DAY
from api.sample.person_history import Scenario
from api.sample.random_source import SeededRandom, UuidBytes, Weighted
from api.sample.row_buffers import Changes, TableBuffers, add_with_history
from schema.mail_address import email_kind

PEOPLE_PER_COMPANY = Weighted(((1, 45), (2, 22), (3, 13), (4, 8), (5, 5), (8, 4), (12, 3)))
# Coprime to the number of company names, so that steps of this size visit every name once before any repeats.
_NAME_STEP = 1571


@dataclass(frozen=True, slots=True)
class SampleCompany:
    """The attributes of a company that its people's histories refer to."""

    id: UuidBytes
    name: str
    domain: str
    industry: Industry
    employees: int
    country: Country


@dataclass(frozen=True, slots=True)
class SamplePerson:
    """A person at the first contact."""

    fields: Mapping[str, object]
    """Columns of the contact."""
    missing_fields: Mapping[str, object]
    """Columns that are null at first, with the values that sales finds out later."""
    next_title: str
    """Job title after a promotion."""
    country: str


def generate_company(rng: SeededRandom, number: int, since: int) -> SampleCompany:
    """Generate the company of an account; the account's number determines most of its name."""
    industry = rng.pick_weighted(INDUSTRIES)
    names = len(COMPANY_STEMS) * len(COMPANY_TAILS)
    cycle, place = divmod(number, names)
    stem, tail = divmod(place * _NAME_STEP % names, len(COMPANY_TAILS))
    name = f"{COMPANY_STEMS[stem]}{COMPANY_TAILS[tail]} {rng.pick(industry.suffixes)}"
    label = name.lower().replace(" ", "-") + (f"-{cycle + 1}" if cycle else "")
    employees = max(3, min(60_000, int(rng.log_normal(industry.employees, 1.1))))
    return SampleCompany(rng.uuid7(since), name, f"{label}.example", industry, employees, rng.pick_weighted(COUNTRIES))


def write_company(
    company: SampleCompany,
    rng: SeededRandom,
    scenario: Scenario,
    buffers: TableBuffers,
    *,
    since: int,
    owner: tuple[int, UuidBytes] | None,
    parent: tuple[int, UuidBytes] | None,
) -> None:
    """Add a company with its history: most grow, some shrink, a few are renamed or change their industry.

    `owner` and `parent` are ids with the instants from which they apply.
    """
    employees = company.employees
    changes: Changes = [(since, _company_fields(company, employees))]
    at = since
    while (at := at + int(rng.log_normal(330 * DAY, 0.3))) < scenario.period.end:
        employees = max(3, int(employees * rng.between(0.9, 1.35)))
        changes.append((at, {"employees": employees, "annual_revenue": _revenue(company, employees)}))
    if rng.chance(0.03):
        changes.append((since + int(rng.log_normal(250 * DAY)), {"name": f"{company.name.split()[0]} Group"}))
    if rng.chance(0.015):
        changes.append((since + int(rng.log_normal(200 * DAY)), {"industry": rng.pick_weighted(INDUSTRIES).name}))
    if owner is not None:
        changes.append((max(owner[0], since), {"owner_id": owner[1]}))
    if parent is not None:
        changes.append((max(parent[0], since), {"parent_id": parent[1]}))
    past = [change for change in changes if change[0] < scenario.period.end]
    add_with_history(buffers, "company", company.id, past)


def _company_fields(company: SampleCompany, employees: int) -> dict[str, object]:
    return {
        "name": company.name,
        "domain": company.domain,
        "industry": company.industry.name,
        "employees": employees,
        "annual_revenue": _revenue(company, employees),
        "currency": CURRENCY,
        "country": company.country.code,
    }


def _revenue(company: SampleCompany, employees: int) -> Decimal:
    return Decimal(employees * company.industry.revenue_per_head // 10_000 * 10_000)


def generate_person(rng: SeededRandom, number: int, company: SampleCompany | None) -> SamplePerson:
    """Generate a person. One in 250 is a test record, one in 175 works for Meridian."""
    first, last = rng.pick(FIRST_NAMES), rng.pick(LAST_NAMES)
    title, next_title = rng.pick_weighted(JOB_TITLES)
    country = company.country if company else rng.pick_weighted(COUNTRIES)
    email: str | None = _email(rng, first, last, company)
    phone = _phone(rng, country)
    marks: dict[str, object] = {}
    if number % 250 == 97:
        first, last, email, marks = "Test", "Record", f"test+{number}@{DOMAIN}", {"is_test": True}
    elif number % 175 == 41:
        email, marks = work_email(f"{first} {last}"), {"is_internal": True}
    elif rng.chance(0.02):
        email = None
    has_phone = rng.chance(0.72)
    fields: dict[str, object] = {
        "first_name": first,
        "last_name": last,
        "email": email,
        "email_kind": email_kind(email),
        "phone": phone if has_phone else None,
        "job_title": title,
        "company_id": company.id if company and not marks else None,
        "country": country.code,
        "timezone": rng.pick(country.timezones),
        "lead_score": rng.integer(0, 30),
        "email_opt_out": False,
        "do_not_call": False,
        "is_test": False,
        "is_internal": False,
        **marks,
    }
    return SamplePerson(fields, {} if has_phone else {"phone": phone}, next_title, country.code)


def _email(rng: SeededRandom, first: str, last: str, company: SampleCompany | None) -> str:
    if company is None:
        return f"{first}.{last}{rng.integer(1, 99)}@{rng.pick(FREE_MAIL_DOMAINS)}".lower()
    if rng.chance(0.03):
        return f"{rng.pick(ROLE_MAILBOXES)}@{company.domain}"
    return f"{first}.{last}@{company.domain}".lower()


def _phone(rng: SeededRandom, country: Country) -> str:
    return "".join(str(rng.integer(0, 9)) if character == "#" else character for character in country.phone)

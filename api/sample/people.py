"""A company that may buy, and the people who work there; or a person without a company."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from api.sample.firm import CURRENCY, DOMAIN, work_address
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
from api.sample.person_history import World
from api.sample.random_source import Dice, Id, Weighted
from api.sample.row_buffers import Batch, Changes, add_with_history
from schema.mail_address import email_kind

SIZES = Weighted(((1, 45), (2, 22), (3, 13), (4, 8), (5, 5), (8, 4), (12, 3)))
_STEP = 1571  # shares no factor with the number of company names, so that it walks through all of them


@dataclass(frozen=True, slots=True)
class Company:
    """A company, as far as its people's stories refer to it."""

    id: Id
    name: str
    domain: str
    industry: Industry
    employees: int
    country: Country


@dataclass(frozen=True, slots=True)
class Person:
    """A person: the columns at the beginning, those still to be found out, the next job title, the country."""

    fields: Mapping[str, object]
    missing: Mapping[str, object]
    next_title: str
    country: str


def company_of(dice: Dice, number: int, since: int) -> Company:
    """Think up the company of an account."""
    industry = dice.draw(INDUSTRIES)
    names = len(COMPANY_STEMS) * len(COMPANY_TAILS)
    cycle, place = divmod(number, names)
    stem, tail = divmod(place * _STEP % names, len(COMPANY_TAILS))
    name = f"{COMPANY_STEMS[stem]}{COMPANY_TAILS[tail]} {dice.pick(industry.suffixes)}"
    label = name.lower().replace(" ", "-") + (f"-{cycle + 1}" if cycle else "")
    employees = max(3, min(60_000, int(dice.around(industry.employees, 1.1))))
    return Company(dice.identity(since), name, f"{label}.example", industry, employees, dice.draw(COUNTRIES))


def add_company(
    company: Company,
    dice: Dice,
    world: World,
    batch: Batch,
    *,
    since: int,
    owned: tuple[int, Id] | None,
    parent: tuple[int, Id] | None,
) -> None:
    """Write a company with its history: most grow, some shrink, a few are renamed or counted to another industry."""
    heads = company.employees
    changes: Changes = [(since, _company_fields(company, heads))]
    at = since
    while (at := at + int(dice.around(330 * DAY, 0.3))) < world.span.end:
        heads = max(3, int(heads * dice.between(0.9, 1.35)))
        changes.append((at, {"employees": heads, "annual_revenue": _revenue(company, heads)}))
    if dice.chance(0.03):
        changes.append((since + int(dice.around(250 * DAY)), {"name": f"{company.name.split()[0]} Group"}))
    if dice.chance(0.015):
        changes.append((since + int(dice.around(200 * DAY)), {"industry": dice.draw(INDUSTRIES).name}))
    if owned is not None:
        changes.append((max(owned[0], since), {"owner_id": owned[1]}))
    if parent is not None:
        changes.append((max(parent[0], since), {"parent_id": parent[1]}))
    add_with_history(batch, "company", company.id, [each for each in changes if each[0] < world.span.end])


def _company_fields(company: Company, heads: int) -> dict[str, object]:
    return {
        "name": company.name,
        "domain": company.domain,
        "industry": company.industry.name,
        "employees": heads,
        "annual_revenue": _revenue(company, heads),
        "currency": CURRENCY,
        "country": company.country.code,
    }


def _revenue(company: Company, heads: int) -> Decimal:
    return Decimal(heads * company.industry.revenue_per_head // 10_000 * 10_000)


def person_of(dice: Dice, number: int, company: Company | None) -> Person:
    """Think up a person. One in 250 is a test record, one in 175 is one of our own people."""
    first, last = dice.pick(FIRST_NAMES), dice.pick(LAST_NAMES)
    title, next_title = dice.draw(JOB_TITLES)
    country = company.country if company else dice.draw(COUNTRIES)
    email: str | None = _address(dice, first, last, company)
    phone = _phone(dice, country)
    marks: dict[str, object] = {}
    if number % 250 == 97:
        first, last, email, marks = "Test", "Record", f"test+{number}@{DOMAIN}", {"is_test": True}
    elif number % 175 == 41:
        email, marks = work_address(f"{first} {last}"), {"is_internal": True}
    elif dice.chance(0.02):
        email = None
    known = dice.chance(0.72)
    fields: dict[str, object] = {
        "first_name": first,
        "last_name": last,
        "email": email,
        "email_kind": email_kind(email),
        "phone": phone if known else None,
        "job_title": title,
        "company_id": company.id if company and not marks else None,
        "country": country.code,
        "timezone": dice.pick(country.timezones),
        "lead_score": dice.whole(0, 30),
        "email_opt_out": False,
        "do_not_call": False,
        "is_test": False,
        "is_internal": False,
        **marks,
    }
    return Person(fields, {} if known else {"phone": phone}, next_title, country.code)


def _address(dice: Dice, first: str, last: str, company: Company | None) -> str:
    if company is None:
        return f"{first}.{last}{dice.whole(1, 99)}@{dice.pick(FREE_MAIL_DOMAINS)}".lower()
    if dice.chance(0.03):
        return f"{dice.pick(ROLE_MAILBOXES)}@{company.domain}"
    return f"{first}.{last}@{company.domain}".lower()


def _phone(dice: Dice, country: Country) -> str:
    return "".join(str(dice.whole(0, 9)) if each == "#" else each for each in country.phone)

"""Deals with many equal and many missing values, their companies and their owners."""

import random
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from api.db import WriteSession
from tests.plan.oracle.shapes import Row
from tests.support.graphql import put, uid

ANNA, BEN = uid(1), uid(2)
ACME, BOLT, GONE = uid(11), uid(12), uid(13)
VERSION = uid(21)
COMPANIES: list[Row] = [
    {"id": ACME, "name": "Acme", "owner_id": ANNA},
    {"id": BOLT, "name": "Bolt", "owner_id": BEN},
    {"id": GONE, "name": "Gone", "owner_id": ANNA, "deleted_at": datetime(2026, 1, 1, tzinfo=UTC)},
]
SECOND = timedelta(seconds=1)
# Around midnight in Berlin and in St. John's, at boundaries of weeks, months, years and daylight saving time.
INSTANTS = [
    None,
    *(
        moment + step
        for moment in (
            datetime(2025, 12, 31, 23, tzinfo=UTC),
            datetime(2026, 1, 1, 3, 30, tzinfo=UTC),
            datetime(2026, 3, 28, 23, tzinfo=UTC),
            datetime(2026, 3, 29, 22, tzinfo=UTC),
            datetime(2026, 6, 30, 22, tzinfo=UTC),
            datetime(2026, 10, 25, 0, tzinfo=UTC),
            datetime(2026, 10, 25, 23, tzinfo=UTC),
        )
        for step in (-SECOND, timedelta(0))
    ),
]


def generate_deals() -> list[Row]:
    """Return deals; some are deleted, and some belong to a deleted company."""
    choices = random.Random(7)
    return [
        {
            "id": uid(100 + number),
            "name": choices.choice([None, "acme", "Acme", "Äpfel", "", "zebra"]),
            "company_id": choices.choice([None, ACME, BOLT, GONE]),
            "amount": choices.choice(
                [None, *map(Decimal, ("0.00", "10.00", "10.01", "0.05", "99999999999.99", "-3.33"))]
            ),
            "currency": choices.choice([None, "EUR", "EUR", "USD"]),
            "probability": choices.choice([None, *map(Decimal, ("0.0000", "0.2500", "0.3333", "1.0000"))]),
            "opened_at": choices.choice(INSTANTS),
            "close_date": choices.choice(
                [None, date(2025, 12, 28), date(2026, 1, 4), date(2026, 1, 5), date(2026, 3, 31)]
            ),
            "owner_id": choices.choice([None, ANNA, BEN]),
            "outcome": (outcome := choices.choice(["OPEN", "WON", "LOST"])),
            "closed_at": None if outcome == "OPEN" else datetime(2026, 11, 1, tzinfo=UTC),
            "row_version": choices.choice([1, 2, 2_000_000_000]),
            "deleted_at": datetime(2026, 1, 1, tzinfo=UTC) if number % 10 == 9 else None,
        }
        for number in range(70)
    ]


def half_cent_deals() -> list[Row]:
    """Return two pairs of deals whose average amount lies half-way between two cents."""
    rows = [("up", "0.05"), ("up", "0.00"), ("down", "-0.05"), ("down", "0.00")]
    rest: Row = {"company_id": None, "currency": "EUR", "probability": None, "opened_at": None, "close_date": None}
    rest |= {"owner_id": BEN, "outcome": "OPEN", "closed_at": None, "row_version": 1, "deleted_at": None}
    return [
        {"id": uid(200 + number), "name": name, "amount": Decimal(amount), **rest}
        for number, (name, amount) in enumerate(rows)
    ]


DEALS = [*generate_deals(), *half_cent_deals()]
# Closed deals use the first rate, open ones the last.
RATES: list[Row] = [
    {"id": uid(300 + number), "currency": "USD", "quote_currency": "EUR", "rate_on": day, "rate": Decimal(rate)}
    for number, (day, rate) in enumerate([(date(2026, 10, 1), "0.91234567"), (date(2026, 11, 2), "0.85")])
]


async def write_deals(session: WriteSession) -> None:
    """Insert the deals with their companies and owners."""
    await put(session, "member", {"id": ANNA, "name": "Anna"}, {"id": BEN, "name": "Ben"})
    await put(session, "company", *COMPANIES)
    await put(session, "deal", *DEALS)
    await put(session, "exchange_rate", *RATES)


def visible_to(member: object, rows: Iterable[Row]) -> list[Row]:
    """Return the rows that a member owns, or all for None; a link to a company that is not visible is null."""
    companies = {
        company["id"] for company in COMPANIES if "deleted_at" not in company and member in (None, company["owner_id"])
    }
    return [
        row | {"company_id": row["company_id"] if row["company_id"] in companies else None}
        for row in rows
        if row["deleted_at"] is None and member in (None, row["owner_id"])
    ]

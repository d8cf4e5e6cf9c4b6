"""The four benchmark queries and their variables, which are too many for a peer to answer from a cache."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

DOCUMENTS = Path(__file__).with_name("documents")
LONG_PAGE = 500
_IDS = 2_000
_WINDOW = timedelta(days=90)
_PERIOD_DAYS = 720  # the 24 months of the sample company, except for the first days

Variables = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BenchmarkQuery:
    """One query and its sets of variables: a record's bare id, the id before a page, or two instants."""

    key: str
    title: str
    variables: Sequence[Variables]


async def benchmark_queries(dsn: str, until: datetime) -> list[BenchmarkQuery]:
    """Return the queries for a sample company that ends at `until`."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch("select id::text from contact where deleted_at is null order by id")
    finally:
        await connection.close()
    ids = [str(row["id"]) for row in rows]
    pages = [{"after": key} for key in ids[LONG_PAGE - 1 : -LONG_PAGE : LONG_PAGE]]
    nested_title = "50 contacts with company, deals, last 5 touchpoints and their campaigns"
    filtered_title = "50 of the deals won in 90 days, with totalCount, sum and maximum"
    return [
        BenchmarkQuery("one_contact", "one contact by id, ten fields", [{"id": key} for key in _scattered(ids)]),
        BenchmarkQuery("nested_page", nested_title, pages),
        BenchmarkQuery("long_page", "500 contacts, eight fields", pages),
        BenchmarkQuery("filtered_page", filtered_title, _windows(until)),
    ]


def _scattered(ids: Sequence[str]) -> list[str]:
    """Return about 2,000 ids in a scattered order: neighbouring ids are on one page of the table."""
    step = max(1, len(ids) // _IDS)
    some = ids[::step]
    return [some[number * 7919 % len(some)] for number in range(len(some))]


def _windows(until: datetime) -> list[Variables]:
    """Return a window of 90 days for every day of the period on which one can start."""
    first = until - timedelta(days=_PERIOD_DAYS)
    starts = (first + timedelta(days=day) for day in range(_PERIOD_DAYS - _WINDOW.days))
    return [{"from": _instant(start), "to": _instant(start + _WINDOW)} for start in starts]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

"""The four questions, and the values they are asked with: so many that no peer can answer from memory."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

DOCUMENTS = Path(__file__).with_name("documents")
LONG_PAGE = 500
_SOME_IDS = 2_000
_WINDOW = timedelta(days=90)
_SPAN_DAYS = 720  # the sample company's past, but for its last days

Values = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class BenchmarkQuery:
    """One question and the values it is asked with: a record's id (bare), the id before a page, or two instants."""

    key: str
    title: str
    asked: Sequence[Values]


async def questions(dsn: str, until: datetime) -> list[BenchmarkQuery]:
    """The questions about a sample company whose story ends at `until`."""
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch("select id::text from contact where deleted_at is null order by id")
    finally:
        await connection.close()
    ids = [str(each["id"]) for each in found]
    before = [{"after": each} for each in ids[LONG_PAGE - 1 : -LONG_PAGE : LONG_PAGE]]
    return [
        BenchmarkQuery("one_contact", "one contact by id, ten fields", [{"id": each} for each in _spread(ids)]),
        BenchmarkQuery(
            "nested_page", "50 contacts with company, deals, last 5 touchpoints and their campaigns", before
        ),
        BenchmarkQuery("long_page", "500 contacts, eight fields", before),
        BenchmarkQuery(
            "filtered_page", "50 of the deals won in 90 days, with totalCount, sum and maximum", _windows(until)
        ),
    ]


def _spread(ids: Sequence[str]) -> list[str]:
    # In an order that jumps: neighbours lie on the same page of the table.
    step = max(1, len(ids) // _SOME_IDS)
    some = ids[::step]
    return [some[number * 7919 % len(some)] for number in range(len(some))]


def _windows(until: datetime) -> list[Values]:
    first = until - timedelta(days=_SPAN_DAYS)
    starts = (first + timedelta(days=day) for day in range(_SPAN_DAYS - _WINDOW.days))
    return [{"from": _instant(each), "to": _instant(each + _WINDOW)} for each in starts]


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

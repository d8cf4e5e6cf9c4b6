"""Periods as people name them, and the instants and buckets they mean in a time zone.

Boundaries are computed here, once, and bound into the statement as instants: daylight saving and empty buckets come out
right.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Literal
from zoneinfo import ZoneInfo

from api.errors import AccordError, ErrorCode
from api.metrics.request import Last, Period
from schema.vocab import Grain

MOST_BUCKETS = 2_000
_YEARS = range(1000, 9000)
_NAMED = re.compile(r"(?P<year>\d{4})(?:-(?:[Qq](?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?")
_LAST = re.compile(r"last-(?P<count>[1-9]\d{0,4})-(?P<unit>day|week|month|quarter|year)s?", re.IGNORECASE)
_HOW = (
    "Write 2026, 2026-Q1, 2026-03 or last-90-days (also weeks, months, quarters, years), or give a range of two dates."
)
_MONTHS = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12}
_DAYS = {Grain.DAY: 1, Grain.WEEK: 7}


@dataclass(frozen=True, slots=True)
class Stretch:
    """The half-open stretch of time that a period means; an open end is None."""

    start: datetime | None
    end: datetime | None


def named_period(text: str) -> Period:
    """Read `2026`, `2026-Q1`, `2026-03` or `last-90-days`; BAD_PERIOD on anything else."""
    word = text.strip()
    if found := _LAST.fullmatch(word):
        return Period(last=Last(int(found["count"]), Grain[found["unit"].upper()]))
    found = _NAMED.fullmatch(word)
    if found is None:
        raise AccordError(ErrorCode.BAD_PERIOD, f"'{text}' names no period.", _HOW)
    first = date(_checked_year(int(found["year"]), text), 1, 1)
    if found["quarter"]:
        start = _plus_months(first, 3 * (int(found["quarter"]) - 1))
        return Period(start, _plus_months(start, 3))
    if found["month"]:
        start = first.replace(month=int(found["month"]))
        return Period(start, _plus_months(start, 1))
    return Period(first, _plus_months(first, 12))


def period(starts_on: date | None, before: date | None) -> Period:
    """Make the period `[starts_on, before)`; BAD_PERIOD when it ends before it starts, or is empty."""
    for end in (starts_on, before):
        if end is not None:
            _checked_year(end.year, end.isoformat())
    if starts_on is not None and before is not None and before <= starts_on:
        happened = "is empty" if before == starts_on else "ends before it starts"
        raise AccordError(
            ErrorCode.BAD_PERIOD,
            f"The period from {starts_on} before {before} {happened}.",
            "The second date is the first day no longer part of it: March 2026 is from 2026-03-01 before 2026-04-01.",
        )
    return Period(starts_on, before)


def dated(asked: Period, zone: ZoneInfo, as_of: datetime) -> Period:
    """The period with its days known. The last so many days end with the day of the last instant before `asOf`."""
    if asked.last is None:
        return period(asked.starts_on, asked.before)
    before = _day_of(as_of - timedelta(microseconds=1), zone) + timedelta(days=1)
    count, unit = asked.last.count, asked.last.unit
    try:
        start = (
            before - timedelta(days=count * _DAYS[unit])
            if unit in _DAYS
            else _plus_months(before, -count * _MONTHS[unit])
        )
        return period(start, before)
    except (ValueError, OverflowError) as error:
        raise AccordError(
            ErrorCode.BAD_PERIOD, f"The last {count} {unit.lower()}s begin before the calendar.", _HOW
        ) from error


def stretch(days: Period, zone: ZoneInfo) -> Stretch:
    """The instants between which the days lie."""
    start, before = (None if day is None else midnight(day, zone) for day in (days.starts_on, days.before))
    return Stretch(start, before)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day begins: the skip where clocks skip midnight, the first one where they repeat it."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


def buckets(
    days: Period,
    first: datetime,
    as_of: datetime,
    grain: Grain,
    zone: ZoneInfo,
    week_start: Literal["MONDAY", "SUNDAY"],
) -> tuple[datetime, ...]:
    """The boundaries of all buckets, the last one's end included.

    Ends that the period states cut their buckets, so that these sum to its total. An open start is the bucket of
    `first`, an open end that of the last instant before `asOf`. What begins at `asOf` or later is left out: nothing
    is known of it.
    """
    last_day = _day_of(as_of - timedelta(microseconds=1), zone)
    start = days.starts_on or _floor(_day_of(first, zone), grain, week_start)
    if days.before is not None:
        last_day = min(last_day, days.before - timedelta(days=1))
    edges = [start]
    for edge in _edges_after(start, grain, week_start):
        if edges[-1] > last_day:
            break
        if len(edges) > MOST_BUCKETS:
            raise _too_many(grain)
        edges.append(min(edge, days.before) if days.before is not None else edge)
    # A day that a zone left out altogether begins and ends at one instant: it is no bucket.
    return tuple(dict.fromkeys(midnight(edge, zone) for edge in edges))


def pairs(boundaries: tuple[datetime, ...]) -> tuple[tuple[datetime, datetime], ...]:
    """The buckets between the boundaries."""
    return tuple(pairwise(boundaries))


def _edges_after(start: date, grain: Grain, week_start: str) -> Iterator[date]:
    edge = _floor(start, grain, week_start)
    while True:
        edge = edge + timedelta(days=_DAYS[grain]) if grain in _DAYS else _plus_months(edge, _MONTHS[grain])
        yield edge


def _floor(day: date, grain: Grain, week_start: str) -> date:
    """The first day of the bucket that a day is in."""
    match grain:
        case Grain.DAY:
            return day
        case Grain.WEEK:
            return day - timedelta(days=(day.weekday() + (week_start == "SUNDAY")) % 7)
        case Grain.MONTH:
            return day.replace(day=1)
        case Grain.QUARTER:
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case Grain.YEAR:
            return day.replace(month=1, day=1)


def _plus_months(day: date, months: int) -> date:
    """So many months later or earlier: the same day of the month, or its last where it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = (date(year + month // 11, (month + 1) % 12 + 1, 1) - date(year, month + 1, 1)).days
    return date(year, month + 1, min(day.day, length))


def _day_of(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def _checked_year(year: int, text: str) -> int:
    if year not in _YEARS:
        raise AccordError(ErrorCode.BAD_PERIOD, f"'{text}' is outside the calendar of the years 1000 to 8999.", _HOW)
    return year


def _too_many(grain: Grain) -> AccordError:
    return AccordError(
        ErrorCode.BAD_PERIOD,
        f"The period has more than {MOST_BUCKETS:,} buckets of the grain {grain}.",
        "Ask for a shorter period or a coarser grain.",
    )

"""The buckets of a series, and their names.

Bucket boundaries are computed here and bound into the statement as instants. So days around a clock change have their
real length, and empty buckets are part of a series.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from api.errors import AccordError, ErrorCode
from api.metrics.periods.calendar_units import day_of, first_day_of, midnight, plus_units
from api.metrics.request import IsoWeek, Period
from schema.clauses.reporting import Reporting
from schema.vocab import Grain

MOST_BUCKETS = 2_000


def buckets(
    days: Period,
    first: datetime,
    as_of: datetime,
    grain: Grain,
    zone: ZoneInfo,
    reporting: Reporting,
) -> tuple[datetime, ...]:
    """The boundaries of all buckets, including the end of the last one.

    Shapes: a bucket per day, week … -> at most MOST_BUCKETS + 1 instants.
    A period with a stated start or end cuts its first or last bucket, so that buckets sum to the total. With an open
    start the first bucket is that of the instant `first`, with an open end the last one is that of `asOf`.
    There are no buckets after it. Weeks and fiscal years begin as the accord's `reporting` says.
    Errors: BAD_PERIOD for too many buckets.
    """
    last_day = day_of(as_of, zone)
    start = days.starts_on or first_day_of(grain, day_of(first, zone), reporting)
    if days.before is not None:
        last_day = min(last_day, days.before - timedelta(days=1))
    edges = [start]
    for edge in _edges_after(start, grain, reporting):
        if edges[-1] > last_day:
            break
        if len(edges) > MOST_BUCKETS:
            raise _too_many(grain)
        edges.append(min(edge, days.before) if days.before is not None else edge)
    # A zone that crosses the date line skips a day: it begins and ends at one instant, and must not become a bucket.
    return tuple(dict.fromkeys(midnight(edge, zone) for edge in edges))


def pairs(boundaries: tuple[datetime, ...]) -> tuple[tuple[datetime, datetime], ...]:
    """The start and end of every bucket."""
    return tuple(pairwise(boundaries))


def is_cut(start: datetime, before: datetime, grain: Grain, zone: ZoneInfo, reporting: Reporting) -> bool:
    """Whether a bucket is shorter than a whole one of its grain, because the period begins or ends within it."""
    whole = first_day_of(grain, day_of(start, zone), reporting)
    end = next(_edges_after(whole, grain, reporting))
    return (midnight(whole, zone), midnight(end, zone)) != (start, before)


def bucket_name(start: datetime, before: datetime, grain: Grain, zone: ZoneInfo, reporting: Reporting) -> str | None:
    """The name of a bucket, which `named_period` accepts.

    None for a bucket that the period cuts, and for a week that is no ISO week because it begins on Sunday.
    """
    day = day_of(start, zone)
    if first_day_of(grain, day, reporting) != day or midnight(plus_units(day, grain, 1), zone) != before:
        return None
    match grain:
        case Grain.DAY:
            return f"{day}"
        case Grain.WEEK:
            return str(IsoWeek(day)) if reporting.week_start == "MONDAY" else None
        case Grain.MONTH:
            return f"{day:%Y-%m}"
        case Grain.QUARTER:
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case Grain.YEAR:
            return f"{day.year}"
        case Grain.FISCAL_QUARTER:
            return reporting.fiscal_calendar.quarter_name(day)
        case Grain.FISCAL_YEAR:
            return reporting.fiscal_calendar.year_name(day)


def _edges_after(start: date, grain: Grain, reporting: Reporting) -> Iterator[date]:
    edge = first_day_of(grain, start, reporting)
    while True:
        edge = plus_units(edge, grain, 1)
        yield edge


def _too_many(grain: Grain) -> AccordError:
    return AccordError(
        ErrorCode.BAD_PERIOD,
        f"The period has more than {MOST_BUCKETS:,} buckets of the grain {grain}.",
        "Use a shorter period or a coarser grain.",
    )

"""Periods by name or by dates, and their instants and buckets in a time zone.

Bucket boundaries are computed here and bound into the statement as instants. So days around a clock change have their
real length, and empty buckets are part of a series.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from api.errors import AccordError, ErrorCode
from api.metrics.request import FiscalPeriod, Last, Period, RelativeFiscalPeriod
from schema.accord import Reporting
from schema.fiscal_calendar import FiscalCalendar
from schema.vocab import Grain

MOST_BUCKETS = 2_000
_YEARS = range(1000, 9000)
_NAMED = re.compile(r"(?P<year>\d{4})(?:-(?:[Qq](?P<quarter>[1-4])|(?P<month>0[1-9]|1[0-2])))?")
_LAST = re.compile(r"last-(?P<count>[1-9]\d{0,4})-(?P<unit>day|week|month|quarter|year)s?", re.IGNORECASE)
_FISCAL = re.compile(r"FY(?P<year>\d{4})(?:-Q(?P<quarter>[1-4]))?", re.IGNORECASE)
_RELATIVE_FISCAL = re.compile(r"(?P<which>this|last)-fiscal-(?P<unit>quarter|year)", re.IGNORECASE)
_HOW = (
    "Write 2026, 2026-Q1, 2026-03 or last-90-days (also weeks, months, quarters, years); FY2026, FY2026-Q1,"
    " this-fiscal-quarter or last-fiscal-year for the accord's fiscal years; or give a range of two dates."
)
_MONTHS = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12, Grain.FISCAL_QUARTER: 3, Grain.FISCAL_YEAR: 12}
_DAYS = {Grain.DAY: 1, Grain.WEEK: 7}


@dataclass(frozen=True, slots=True)
class Interval:
    """The instants `[start, end)` of a period; None for an open end."""

    start: datetime | None
    end: datetime | None


def named_period(text: str) -> Period:
    """Parse `2026`, `2026-Q1`, `2026-03`, `last-90-days`, `FY2026`, `FY2026-Q1` or `this-fiscal-quarter`.

    Errors: BAD_PERIOD for any other text.
    """
    word = text.strip()
    if found := _LAST.fullmatch(word):
        return Period(last=Last(int(found["count"]), Grain[found["unit"].upper()]))
    if found := _FISCAL.fullmatch(word):
        quarter = None if found["quarter"] is None else int(found["quarter"])
        return Period(fiscal=FiscalPeriod(_checked_year(int(found["year"]), text), quarter))
    if found := _RELATIVE_FISCAL.fullmatch(word):
        is_year, is_last = found["unit"].lower() == "year", found["which"].lower() == "last"
        return Period(fiscal=RelativeFiscalPeriod(is_year, is_last))
    found = _NAMED.fullmatch(word)
    if found is None:
        raise AccordError(ErrorCode.BAD_PERIOD, f"'{text}' is not the name of a period.", _HOW)
    first = date(_checked_year(int(found["year"]), text), 1, 1)
    if found["quarter"]:
        start = _plus_months(first, 3 * (int(found["quarter"]) - 1))
        return Period(start, _plus_months(start, 3))
    if found["month"]:
        start = first.replace(month=int(found["month"]))
        return Period(start, _plus_months(start, 1))
    return Period(first, _plus_months(first, 12))


def period(starts_on: date | None, before: date | None) -> Period:
    """Make the period `[starts_on, before)`. Errors: BAD_PERIOD if it is empty or ends before it starts."""
    for end in (starts_on, before):
        if end is not None:
            _checked_year(end.year, end.isoformat())
    if starts_on is not None and before is not None and before <= starts_on:
        happened = "is empty" if before == starts_on else "ends before it starts"
        raise AccordError(
            ErrorCode.BAD_PERIOD,
            f"The period from {starts_on} before {before} {happened}.",
            "The second date is the first day after the period: March 2026 is from 2026-03-01 before 2026-04-01.",
        )
    return Period(starts_on, before)


def days_of(given: Period, zone: ZoneInfo, as_of: datetime, fiscal: FiscalCalendar) -> Period:
    """The days of a period.

    `last-N-days` ends with the day of the last instant before `asOf`; `this-fiscal-quarter` has that day.
    Errors: BAD_PERIOD.
    """
    today = _day_of(as_of - timedelta(microseconds=1), zone)
    if given.fiscal is not None:
        return _fiscal_days(given.fiscal, today, fiscal)
    if given.last is None:
        return period(given.starts_on, given.before)
    before = today + timedelta(days=1)
    count, unit = given.last.count, given.last.unit
    try:
        start = (
            before - timedelta(days=count * _DAYS[unit])
            if unit in _DAYS
            else _plus_months(before, -count * _MONTHS[unit])
        )
        return period(start, before)
    except (ValueError, OverflowError) as error:
        raise AccordError(
            ErrorCode.BAD_PERIOD, f"The last {count} {unit.lower()}s begin before the year 1000.", _HOW
        ) from error


def _fiscal_days(given: FiscalPeriod | RelativeFiscalPeriod, today: date, fiscal: FiscalCalendar) -> Period:
    match given:
        case FiscalPeriod(year=year, quarter=quarter):
            start, months = fiscal.first_day(year, quarter or 1), 3 if quarter else 12
        case RelativeFiscalPeriod(is_year=is_year, is_last=is_last):
            start, months = (fiscal.year_start(today), 12) if is_year else (fiscal.quarter_start(today), 3)
            start = _plus_months(start, -months) if is_last else start
    return period(start, _plus_months(start, months))


def interval_of(days: Period, zone: ZoneInfo) -> Interval:
    """The instants of the days in a time zone."""
    start, before = (None if day is None else midnight(day, zone) for day in (days.starts_on, days.before))
    return Interval(start, before)


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day begins: where clocks skip midnight the skip, where they repeat it the first one."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)


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
    last_day = _day_of(as_of, zone)
    start = days.starts_on or _floor(_day_of(first, zone), grain, reporting)
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
    whole = _floor(_day_of(start, zone), grain, reporting)
    end = next(_edges_after(whole, grain, reporting))
    return (midnight(whole, zone), midnight(end, zone)) != (start, before)


def bucket_name(start: datetime, before: datetime, grain: Grain, zone: ZoneInfo, fiscal: FiscalCalendar) -> str | None:
    """The name of a bucket, which `named_period` accepts; None for a day, a week, and a bucket that the period cuts."""
    day, months = _day_of(start, zone), _MONTHS.get(grain)
    if months is None or day.day != 1 or midnight(_plus_months(day, months), zone) != before:
        return None
    match grain:
        case Grain.MONTH:
            return f"{day:%Y-%m}"
        case Grain.QUARTER:
            return f"{day.year}-Q{(day.month + 2) // 3}"
        case Grain.FISCAL_QUARTER:
            return fiscal.quarter_name(day)
        case Grain.FISCAL_YEAR:
            return fiscal.year_name(day)
        case _:
            return f"{day.year}"


def _edges_after(start: date, grain: Grain, reporting: Reporting) -> Iterator[date]:
    edge = _floor(start, grain, reporting)
    while True:
        edge = edge + timedelta(days=_DAYS[grain]) if grain in _DAYS else _plus_months(edge, _MONTHS[grain])
        yield edge


def _floor(day: date, grain: Grain, reporting: Reporting) -> date:
    """The first day of the bucket that has the day."""
    match grain:
        case Grain.DAY:
            return day
        case Grain.WEEK:
            return day - timedelta(days=(day.weekday() + (reporting.week_start == "SUNDAY")) % 7)
        case Grain.MONTH:
            return day.replace(day=1)
        case Grain.QUARTER:
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case Grain.YEAR:
            return day.replace(month=1, day=1)
        case Grain.FISCAL_QUARTER:
            return reporting.fiscal_calendar.quarter_start(day)
        case Grain.FISCAL_YEAR:
            return reporting.fiscal_calendar.year_start(day)


def _plus_months(day: date, months: int) -> date:
    """Add months, or subtract them. The day of the month stays, or becomes the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = (date(year + month // 11, (month + 1) % 12 + 1, 1) - date(year, month + 1, 1)).days
    return date(year, month + 1, min(day.day, length))


def _day_of(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


def _checked_year(year: int, text: str) -> int:
    if year not in _YEARS:
        raise AccordError(ErrorCode.BAD_PERIOD, f"The year of '{text}' is not between 1000 and 8999.", _HOW)
    return year


def _too_many(grain: Grain) -> AccordError:
    return AccordError(
        ErrorCode.BAD_PERIOD,
        f"The period has more than {MOST_BUCKETS:,} buckets of the grain {grain}.",
        "Use a shorter period or a coarser grain.",
    )

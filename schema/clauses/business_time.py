"""Time in which a business calendar is open.

The opening hours are read off a clock on the wall in the time zone. So an hour that the clock skips when
daylight saving begins does not count, and one that it repeats when daylight saving ends counts twice. A zone changes
its offset from UTC once a day at most.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from schema.clauses.calendars import BusinessCalendar

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_LONGEST_SEARCH = timedelta(days=36_525)  # 100 years


def add_business_time(calendar: BusinessCalendar, zone: ZoneInfo, start: datetime, length: timedelta) -> datetime:
    """The first instant up to which the calendar was open for so long since the start.

    Shapes: an instant and a length of at least zero -> an instant in UTC; a length of zero is over at the start.
    Errors: ValueError if the calendar is not open for that long in the next 100 years.
    """
    left = length
    if not left:
        return start.astimezone(UTC)
    for opens, closes in open_intervals(calendar, zone, start, start + _LONGEST_SEARCH):
        if left <= closes - opens:
            return opens + left
        left -= closes - opens
    raise ValueError(f"the calendar {calendar.key} is not open for {length} in the 100 years after {start}")


def business_time_between(calendar: BusinessCalendar, zone: ZoneInfo, start: datetime, end: datetime) -> timedelta:
    """How long the calendar was open in `[start, end)`; zero if the end is not after the start."""
    return sum((closes - opens for opens, closes in open_intervals(calendar, zone, start, end)), timedelta(0))


def open_intervals(
    calendar: BusinessCalendar, zone: ZoneInfo, start: datetime, end: datetime
) -> Iterator[tuple[datetime, datetime]]:
    """Yield the intervals `[opens, closes)` in `[start, end)` in which the calendar is open, in UTC and in order."""
    closed, spans = calendar.closed_days, calendar.week
    at, until = start.astimezone(UTC), end.astimezone(UTC)
    while at < until:
        # The wall clock runs evenly up to the next change of the zone's offset.
        offset, upto = _offset(zone, at), _next_change(zone, at, min(at + _DAY, until))
        wall, wall_end = _wall(at, offset), _wall(upto, offset)
        day = wall.date()
        while (midnight := _midnight(day)) < wall_end:
            for opens, closes in () if day in closed else spans[day.weekday()]:
                first, last = max(midnight + opens, wall), min(midnight + closes, wall_end)
                if first < last:
                    yield (first - offset).replace(tzinfo=UTC), (last - offset).replace(tzinfo=UTC)
            day += _DAY
        at = upto


def offsets(zone: ZoneInfo, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """Yield the intervals of `[start, end)` in which a zone keeps its offset from UTC, with that offset, in order."""
    since, at, until = start.astimezone(UTC), start.astimezone(UTC), end.astimezone(UTC)
    while at < until:
        upto = _next_change(zone, at, min(at + _DAY, until))
        if upto == until or _offset(zone, upto) != _offset(zone, since):
            yield since, upto, _offset(zone, since)
            since = upto
        at = upto


def _offset(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _next_change(zone: ZoneInfo, at: datetime, until: datetime) -> datetime:
    """The first instant after `at` with another offset, or `until` if that is earlier. They are a day apart at most."""
    offset = _offset(zone, at)
    if _offset(zone, until) == offset:
        return until
    same, other = at, until
    while other - same > _SECOND:
        middle = same + (other - same) / 2
        same, other = (middle, other) if _offset(zone, middle) == offset else (same, middle)
    return other.replace(microsecond=0)  # offsets change at whole seconds


def _wall(at: datetime, offset: timedelta) -> datetime:
    return at.replace(tzinfo=None) + offset


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - what the clock on the wall shows

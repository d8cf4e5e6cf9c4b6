"""The days of the cells of a table: of the whole period, and of its buckets."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Literal

from api.metrics.figure_table import ALL
from api.metrics.periods.buckets import pairs
from api.metrics.periods.calendar_units import day_of, plus_months
from api.metrics.resolved_request import ResolvedKpiRequest

_LONGEST = timedelta(days=36_525)  # 100 years


@dataclass(frozen=True, slots=True)
class CellDays:
    """The days `[first, before)` of a cell; None for an open end. `until` is its first day that is not over yet.

    The day of `asOf` counts as over: amounts that are spread over days include that day.
    """

    first: date | None
    before: date | None
    until: date

    @property
    def past(self) -> tuple[date, date] | None:
        """The days up to `asOf`; None if the cell has no first day, no day is past, or there are too many."""
        if self.first is None or self.first >= self.until or self.until - self.first > _LONGEST:
            return None
        return self.first, self.until


def days_of_cells(
    request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]
) -> dict[int | Literal["all"], CellDays]:
    """The days of the whole period, and of every bucket by its number."""
    zone, days = request.frame.zone, request.frame.days
    found: dict[int | Literal["all"], CellDays] = {ALL: _days_between(request, days.starts_on, days.before)}
    for number, (start, before) in enumerate(pairs(boundaries), start=1):
        found[number] = _days_between(request, day_of(start, zone), day_of(before, zone))
    return found


def counted_days(request: ResolvedKpiRequest) -> CellDays:
    """The days of the interval of a request, which is that of a bucket when its records are listed."""
    interval, zone = request.frame.interval, request.frame.zone
    first = None if interval.start is None else day_of(interval.start, zone)
    return _days_between(request, first, None if interval.end is None else day_of(interval.end, zone))


def _days_between(request: ResolvedKpiRequest, first: date | None, before: date | None) -> CellDays:
    tomorrow = day_of(request.frame.as_of, request.frame.zone) + timedelta(days=1)
    return CellDays(first, before, tomorrow if before is None else min(before, tomorrow))


def months_between(first: date, before: date) -> Fraction:
    """The number of months: a month that is cut counts by the share of its days."""
    total, month = Fraction(0), first.replace(day=1)
    while month < before:
        following = plus_months(month, 1)
        total += Fraction((min(following, before) - max(month, first)).days, (following - month).days)
        month = following
    return total

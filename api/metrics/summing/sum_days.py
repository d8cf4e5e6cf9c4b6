"""The days and months that sums are of, by their first days."""

from collections.abc import Iterator
from datetime import date, timedelta

from api.metrics.day_sums.summed_rows import SumUnit
from api.metrics.periods.calendar_units import plus_months

_ONE_DAY = timedelta(days=1)


def units_between(unit: SumUnit, first: date, before: date) -> list[date]:
    """The first days of the days, or whole months, within `[first, before)`, in order."""
    return [*(days_between if unit is SumUnit.DAY else _months_between)(first, before)]


def days_between(first: date, before: date) -> Iterator[date]:
    """The days `[first, before)`."""
    return (first + timedelta(days=number) for number in range((before - first).days))


def first_of(unit: SumUnit, day: date) -> date:
    """The first day of the unit that has the day."""
    return day if unit is SumUnit.DAY else day.replace(day=1)


def after(unit: SumUnit, first: date) -> date:
    """The first day after the unit that begins on a day."""
    return first + _ONE_DAY if unit is SumUnit.DAY else plus_months(first, 1)


def _months_between(first: date, before: date) -> Iterator[date]:
    month = first if first.day == 1 else plus_months(first.replace(day=1), 1)
    while plus_months(month, 1) <= before:
        yield month
        month = plus_months(month, 1)

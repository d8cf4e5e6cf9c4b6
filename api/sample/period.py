"""The period that the sample covers: seasons and weekdays of arrivals, and the working hours of salespeople."""

from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from api.sample.random_source import SeededRandom, to_datetime

MINUTE, HOUR, DAY = 60, 3600, 86400
MONTHS = 24
# From January on: trade fairs in spring and autumn, holidays in August and December.
MONTH_WEIGHTS = (0.95, 1.0, 1.15, 1.05, 1.05, 1.0, 0.8, 0.7, 1.2, 1.25, 1.15, 0.65)
_WEEKDAY_WEIGHTS = (1.1, 1.15, 1.1, 1.05, 0.9, 0.3, 0.25)
_GROWTH = 0.5  # how much busier the last day is than the first
_WORK_STARTS, _WORK_ENDS = 8, 17  # hours of UTC


@dataclass(frozen=True)
class SamplePeriod:
    """The 24 months before a day, from `start` up to `end` (exclusive), in seconds since 1970, UTC."""

    until: date
    start: int = field(init=False)
    end: int = field(init=False)
    _cumulative_weights: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        is_leap_day = (self.until.month, self.until.day) == (2, 29)
        first = self.until.replace(year=self.until.year - MONTHS // 12, day=28 if is_leap_day else self.until.day)
        for name, value in (
            ("start", midnight(first)),
            ("end", midnight(self.until)),
            ("_cumulative_weights", tuple(accumulate(_day_weights(first, (self.until - first).days)))),
        ):
            object.__setattr__(self, name, value)

    @property
    def first_day(self) -> date:
        """The day on which the period starts."""
        return to_datetime(self.start).date()

    @property
    def last_day(self) -> date:
        """The last day of the period, the one before `until`."""
        return self.until - timedelta(days=1)

    def arrival(self, rng: SeededRandom) -> int:
        """Return a random instant of a first contact: more in season, more on weekdays, more by day."""
        day = bisect(self._cumulative_weights, rng.random() * self._cumulative_weights[-1])
        return self.start + day * DAY + int(rng.between(6, 22) * HOUR)


def midnight(day: date) -> int:
    """Return the first second of a day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def months(first: date, last: date) -> Iterator[date]:
    """Yield the first day of the month of `first`, and of every later month up to `last`."""
    month = first.replace(day=1)
    while month <= last:
        yield month
        month = next_month(month)


def next_month(month: date) -> date:
    """Return the first day of the month after the one that begins on this day."""
    return (month + timedelta(days=32)).replace(day=1)


def next_working_time(seconds: int) -> int:
    """Return the instant if it lies within working hours, otherwise one in the morning of the next working day."""
    day, second = divmod(seconds, DAY)
    if second >= _WORK_ENDS * HOUR:
        day, second = day + 1, _WORK_STARTS * HOUR + second % (2 * HOUR)
    elif second < _WORK_STARTS * HOUR:
        second = _WORK_STARTS * HOUR + second % (2 * HOUR)
    weekday = (day + 3) % 7  # 1 January 1970 was a Thursday
    return (day + max(0, 7 - weekday) if weekday > 4 else day) * DAY + second


def _day_weights(first: date, days: int) -> list[float]:
    """Return how many arrivals each day has, relative to the others."""
    dates = (first + timedelta(days=number) for number in range(days))
    return [
        MONTH_WEIGHTS[day.month - 1] * _WEEKDAY_WEIGHTS[day.weekday()] * (1 + _GROWTH * number / days)
        for number, day in enumerate(dates)
    ]

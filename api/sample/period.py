"""The months that the sample tells of: when people come, by season and weekday, and when salespeople work."""

from bisect import bisect
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate

from api.sample.random_source import Dice

MINUTE, HOUR, DAY = 60, 3600, 86400
MONTHS = 24
# From January on: trade fairs in spring and autumn, holidays in August and December.
SEASON = (0.95, 1.0, 1.15, 1.05, 1.05, 1.0, 0.8, 0.7, 1.2, 1.25, 1.15, 0.65)
_WEEKDAY = (1.1, 1.15, 1.1, 1.05, 0.9, 0.3, 0.25)
_GROWTH = 0.5  # how much busier the last day is than the first
_OPENS, _CLOSES = 8, 17  # hours of UTC


@dataclass(frozen=True)
class Span:
    """The 24 months before a day: from `start` on, up to `end`, which is not included. Seconds since 1970, UTC."""

    until: date
    start: int = field(init=False)
    end: int = field(init=False)
    _edges: tuple[float, ...] = field(init=False)

    def __post_init__(self) -> None:
        is_leap_day = (self.until.month, self.until.day) == (2, 29)
        first = self.until.replace(year=self.until.year - MONTHS // 12, day=28 if is_leap_day else self.until.day)
        for name, value in (
            ("start", midnight(first)),
            ("end", midnight(self.until)),
            ("_edges", tuple(accumulate(_weights(first, (self.until - first).days)))),
        ):
            object.__setattr__(self, name, value)

    def arrival(self, dice: Dice) -> int:
        """An instant at which somebody may turn up: more in season, more on weekdays, more by day."""
        day = bisect(self._edges, dice.random() * self._edges[-1])
        return self.start + day * DAY + int(dice.between(6, 22) * HOUR)


def midnight(day: date) -> int:
    """The first second of a day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def at_work(seconds: int) -> int:
    """The instant itself within working hours, else some time in the next working day's morning."""
    day, rest = divmod(seconds, DAY)
    if rest >= _CLOSES * HOUR:
        day, rest = day + 1, _OPENS * HOUR + rest % (2 * HOUR)
    elif rest < _OPENS * HOUR:
        rest = _OPENS * HOUR + rest % (2 * HOUR)
    weekday = (day + 3) % 7  # 1 January 1970 was a Thursday
    return (day + max(0, 7 - weekday) if weekday > 4 else day) * DAY + rest


def _weights(first: date, days: int) -> list[float]:
    each = (first + timedelta(days=place) for place in range(days))
    return [
        SEASON[day.month - 1] * _WEEKDAY[day.weekday()] * (1 + _GROWTH * place / days) for place, day in enumerate(each)
    ]

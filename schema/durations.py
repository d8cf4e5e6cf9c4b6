"""Durations as an accord writes them: `30 days`, `14 d`, `72 hours`. Elapsed time, a day being 24 hours."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_SHORT = {"s": "second", "min": "minute", "h": "hour", "d": "day", "w": "week"}
_DURATION = re.compile(r"([0-9]{1,10}) ?(second|minute|hour|day|week|s|min|h|d|w)s?")
_LONGEST = timedelta(days=36_500)


def parse_duration(text: object) -> timedelta:
    """Read a duration; ValueError on anything else."""
    if isinstance(text, timedelta):
        return text
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(
            f"'{text}' is no duration; write a whole number and seconds, minutes, hours, days or weeks, like '30 days'"
        )
    return timedelta(seconds=int(found[1]) * _UNITS[_SHORT.get(found[2], found[2])])


def format_duration(length: timedelta) -> str:
    """Write a duration in the largest unit up to days that holds it exactly."""
    seconds = int(length.total_seconds())
    unit = next(each for each in ("day", "hour", "minute", "second") if seconds % _UNITS[each] == 0)
    count = seconds // _UNITS[unit]
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _sensible(length: timedelta) -> timedelta:
    if not timedelta(0) < length <= _LONGEST or length.microseconds:
        raise ValueError("a duration is a whole number of seconds, above none and up to 36500 days")
    return length


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    AfterValidator(_sensible),
    PlainSerializer(format_duration),
    Field(description="Elapsed time, such as 30 days."),
]

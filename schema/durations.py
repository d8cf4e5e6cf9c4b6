"""Durations in an accord: `30 days`, `14 d`, `72 hours`. They are elapsed time; a day is always 24 hours."""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_SHORT = {"s": "second", "min": "minute", "h": "hour", "d": "day", "w": "week"}
_DURATION = re.compile(r"([0-9]{1,10}) ?(second|minute|hour|day|week|s|min|h|d|w)s?")
_LONGEST = timedelta(days=36_500)


def parse_duration(text: object) -> timedelta:
    """Parse a duration; ValueError on anything else."""
    if isinstance(text, timedelta):
        return text
    found = _DURATION.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(
            f"'{text}' is not a duration; write a whole number and a unit (seconds, minutes, hours, days or weeks),"
            " such as '30 days'"
        )
    return timedelta(seconds=int(found[1]) * _UNITS[_SHORT.get(found[2], found[2])])


def format_duration(length: timedelta) -> str:
    """Format a duration in the largest unit, up to days, that gives a whole number."""
    seconds = int(length.total_seconds())
    unit = next(word for word in ("day", "hour", "minute", "second") if seconds % _UNITS[word] == 0)
    count = seconds // _UNITS[unit]
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _sensible(length: timedelta) -> timedelta:
    if not timedelta(0) < length <= _LONGEST or length.microseconds:
        raise ValueError("a duration must be a whole number of seconds, more than 0 and at most 36500 days")
    return length


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    AfterValidator(_sensible),
    PlainSerializer(format_duration),
    Field(description="Elapsed time, such as 30 days."),
]

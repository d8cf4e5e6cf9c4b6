"""Durations: elapsed time, in which a day always has 24 hours. They have two written forms.

People write and read words, in the accord's document and on the command line: `30 days`, `14 d`, `72 hours`. Programs
write and read ISO 8601, in GraphQL and in JSON: `P30D`, `PT72H`, `P2W`.
"""

import re
from datetime import timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, PlainSerializer

LONGEST = timedelta(days=36_525)  # 100 years

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400, "week": 604800}
_SHORT = {"s": "second", "min": "minute", "h": "hour", "d": "day", "w": "week"}
_WORDS = re.compile(r"([0-9]{1,10}) ?(second|minute|hour|day|week|s|min|h|d|w)s?")
DURATION_PATTERN = f"^{_WORDS.pattern}$"  # of a duration in words
_COUNT = r"(?:([0-9]{{1,10}}){})?"
_ISO = re.compile("P" + "".join(map(_COUNT.format, "WD")) + "(?:T" + "".join(map(_COUNT.format, "HMS")) + ")?")
_ISO_UNITS = ("week", "day", "hour", "minute", "second")  # of the groups of _ISO
_ISO_EXAMPLES = "such as P30D, PT48H or P2W"


def parse_duration(text: object) -> timedelta:
    """Parse a duration in words; ValueError on anything else."""
    if isinstance(text, timedelta):
        return text
    found = _WORDS.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise ValueError(
            f"'{text}' is not a duration; write a whole number and a unit (seconds, minutes, hours, days or weeks),"
            " such as '30 days'"
        )
    return _sensible(_length({_SHORT.get(found[2], found[2]): found[1]}))


def format_duration(length: timedelta) -> str:
    """Format a duration in words, in the largest unit, up to days, that gives a whole number."""
    return _in_words(length, ("day", "hour", "minute", "second"))


def format_hours(length: timedelta) -> str:
    """Format a duration in words, in hours or a smaller unit: `24 hours`, where `format_duration` has `1 day`."""
    return _in_words(length, ("hour", "minute", "second"))


def parse_iso_duration(text: object) -> timedelta:
    """Parse an ISO 8601 duration of weeks, days, hours, minutes and seconds; ValueError on anything else."""
    found = _ISO.fullmatch(text) if isinstance(text, str) else None
    if found is None or not any(found.groups()) or str(text).endswith("T"):
        if isinstance(text, str) and re.fullmatch(r"P(?=[^T]*[0-9][YM])[0-9YMWD]+(T[0-9HMS]*)?", text):
            raise ValueError(
                f"'{text}' has calendar years or months, which are not all of one length; write days, such as P30D"
            )
        raise ValueError(
            f"'{text}' is not an ISO 8601 duration; write whole weeks, days, hours, minutes or seconds, {_ISO_EXAMPLES}"
        )
    length = _length(dict(zip(_ISO_UNITS, found.groups(), strict=True)))
    if not timedelta(0) < length <= LONGEST:
        raise ValueError(
            f"'{text}' is out of range; write a duration of more than PT0S and at most {iso_duration(LONGEST)}"
        )
    return length


def iso_duration(length: timedelta) -> str:
    """Format a duration as ISO 8601, in days, hours, minutes and seconds: `P30D`, `P1DT12H`; the fraction is cut."""
    minutes, seconds = divmod(int(length.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    date = f"{days}D" if days else ""
    time = "".join(f"{count}{unit}" for count, unit in ((hours, "H"), (minutes, "M"), (seconds, "S")) if count)
    return f"P{date}T{time}" if time else f"P{date or 'T0S'}"


def _in_words(length: timedelta, units: tuple[str, ...]) -> str:
    seconds = int(length.total_seconds())
    unit = next(word for word in units if seconds % _UNITS[word] == 0)
    count = seconds // _UNITS[unit]
    return f"{count} {unit}" if count == 1 else f"{count} {unit}s"


def _length(counts: dict[str, str | None]) -> timedelta:
    """The length of whole numbers of units, as decimal digits. One that no timedelta can hold is the longest it can."""
    seconds = sum(int(count) * _UNITS[unit] for unit, count in counts.items() if count)
    return timedelta(seconds=seconds) if seconds <= timedelta.max.total_seconds() else timedelta.max


def _sensible(length: timedelta) -> timedelta:
    if not timedelta(0) < length <= LONGEST or length.microseconds:
        raise ValueError(f"a duration must be a whole number of seconds, more than 0 and at most {LONGEST.days} days")
    return length


Duration = Annotated[
    timedelta,
    BeforeValidator(parse_duration),
    AfterValidator(_sensible),
    PlainSerializer(format_duration),
    Field(description="Elapsed time, such as 30 days."),
]

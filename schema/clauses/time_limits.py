"""Limits on how long something may take: elapsed time, or the opening time of a business calendar."""

import re
from datetime import timedelta
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, field_serializer, model_validator

from schema.clauses.rules import AccordModel
from schema.durations import Duration, format_duration, format_hours

_DAYS = re.compile(r"[0-9] ?(d|days?|w|weeks?)\s*$")
_HOUR = timedelta(hours=1)
LONGEST_BUSINESS_TIME = 10_000 * _HOUR


def _from_text(value: object) -> object:
    return {"time": value} if isinstance(value, str) else value


class TimeLimit(AccordModel):
    """How long something may take."""

    time: Duration = Field(
        description="How long it may take: elapsed time, such as 2 days; with a calendar its opening time, in hours or "
        "minutes, such as 8 hours."
    )
    calendar: str | None = Field(
        default=None, description="The key of the business calendar whose opening time counts; null for elapsed time."
    )

    @model_validator(mode="before")
    @classmethod
    def _no_business_days(cls, data: object) -> object:
        text = data.get("time") if isinstance(data, dict) and data.get("calendar") is not None else None
        if isinstance(text, str) and _DAYS.search(text):
            raise ValueError(f"'{text}' has no length in a calendar's opening time; write hours, such as '16 hours'")
        return data

    @model_validator(mode="after")
    def _within_reason(self) -> Self:
        if self.calendar is not None and self.time > LONGEST_BUSINESS_TIME:
            raise ValueError("a time in a calendar's opening hours must be at most 10000 hours")
        return self

    @field_serializer("time")
    def _in_words(self, time: timedelta) -> str:
        # 24 hours of opening time are not a day.
        return format_duration(time) if self.calendar is None else format_hours(time)


Limit = Annotated[TimeLimit, BeforeValidator(_from_text)]
"""A limit in a document, in which a duration alone is elapsed time."""

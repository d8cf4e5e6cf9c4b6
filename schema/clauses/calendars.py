"""Business calendars: when a team is at work. Durations of duties can be counted in the time of one."""

import re
from datetime import date, datetime, time, timedelta
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Self

from pydantic import BeforeValidator, Field, field_validator, model_validator

from schema.clauses.clause_vocab import Weekday
from schema.clauses.reporting import require_zone
from schema.clauses.rules import AccordModel

_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")


def _time_of_day(value: object) -> object:
    if isinstance(value, time) and not (value.second or value.microsecond or value.tzinfo):  # TOML has times of its own
        return f"{value:%H:%M}"
    if not isinstance(value, str) or not _TIME.fullmatch(value):
        raise ValueError(f"'{value}' is not a time of day; write hours and minutes, such as 09:30")
    return value


def _day(value: object) -> object:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        if isinstance(value, str) and len(value) == len("2026-12-24"):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError(f"'{value}' is not a date; write one such as 2026-12-24")


TimeOfDay = Annotated[str, BeforeValidator(_time_of_day), Field(json_schema_extra={"pattern": f"^({_TIME.pattern})$"})]
Day = Annotated[date, BeforeValidator(_day)]


def minutes_of(text: TimeOfDay) -> int:
    """The minutes from midnight to a time of day, up to 1,440 for 24:00."""
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes)


class OpeningHours(AccordModel):
    """A span of time in which the calendar is open, on some days of the week."""

    days: tuple[Weekday, ...] = Field(min_length=1, description="The days of the week.")
    opens: TimeOfDay = Field(description="When the calendar opens on those days, such as 09:00.")
    closes: TimeOfDay = Field(description="When it closes on those days, such as 17:00; 24:00 is the end of the day.")

    @field_validator("days")
    @classmethod
    def _once(cls, days: tuple[Weekday, ...]) -> tuple[Weekday, ...]:
        if len({*days}) < len(days):
            raise ValueError("a day of the week appears more than once; name each day once")
        return days

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if minutes_of(self.opens) >= minutes_of(self.closes):
            raise ValueError(
                f"it opens at {self.opens} and closes at {self.closes}; a span ends later on the same day,"
                " so write a night as two spans, up to 24:00 and from 00:00"
            )
        return self


class ClosedDay(AccordModel):
    """A day on which the calendar is closed, whatever its opening hours."""

    on: Day = Field(description="The day.")
    name: str = Field(min_length=1, description="Why it is closed, such as the name of the holiday.")


class HolidayYear(AccordModel):
    """The public holidays of one year, as they were stated when the version was proposed."""

    year: int = Field(ge=1900, le=2200, description="The year.")
    days: tuple[ClosedDay, ...] = Field(description="The holidays of the year.")

    @model_validator(mode="after")
    def _within_the_year(self) -> Self:
        outside = [str(day.on) for day in self.days if day.on.year != self.year]
        if outside:
            raise ValueError(f"{', '.join(outside)} is not in {self.year}; move it to the year that it is in")
        return self


class PublicHolidays(AccordModel):
    """The public holidays of a country or of a part of it.

    The document that both teams sign has the dates: they are stated when a version is proposed.
    """

    country: str = Field(pattern=r"^[A-Z]{2}$", description="The country, as its ISO 3166-1 alpha-2 code, such as DE.")
    subdivision: str | None = Field(
        default=None,
        min_length=1,
        description="The part of the country, as its ISO 3166-2 code without the country, such as BE for Berlin; null "
        "for the holidays of the whole country.",
    )
    years: tuple[HolidayYear, ...] = Field(
        default=(),
        description="The dates by year. Years that are missing when a version is proposed are filled in.",
    )

    @field_validator("years")
    @classmethod
    def _in_order(cls, years: tuple[HolidayYear, ...]) -> tuple[HolidayYear, ...]:
        listed = [year.year for year in years]
        if listed != sorted({*listed}):
            raise ValueError("the years are not in order, or one appears twice; write each year once, earliest first")
        return years


class BusinessCalendar(AccordModel):
    """When a team is at work. Time outside of its opening hours does not count for durations that name it."""

    key: str = Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="The calendar's key, which durations name.")
    title: str = Field(min_length=1, description="The calendar's name for readers.")
    timezone: str | None = Field(
        default=None,
        description="The time zone of the opening hours (IANA name); null for the one in which days begin.",
    )
    hours: tuple[OpeningHours, ...] = Field(min_length=1, description="The weekly opening hours.")
    holidays: PublicHolidays | None = Field(
        default=None, description="The public holidays on which it is closed; null: it is open on them."
    )
    closed: tuple[ClosedDay, ...] = Field(default=(), description="Further days on which it is closed.")

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        return name and require_zone(name)

    @model_validator(mode="after")
    def _separate_spans(self) -> Self:
        for day in Weekday:
            spans = self.spans(day)
            for (_, closes), (opens, _) in pairwise(spans):
                if opens < closes:
                    raise ValueError(f"the opening hours of {day.value.capitalize()} overlap; make one span of them")
        days = [day.on for day in self.closed]
        twice = sorted({str(day) for day in days if days.count(day) > 1})
        if twice:
            raise ValueError(f"the closed day {', '.join(twice)} appears more than once; name each day once")
        return self

    def spans(self, weekday: Weekday) -> list[tuple[int, int]]:
        """The opening hours of a day of the week, as minutes `[opens, closes)` from midnight, earliest first."""
        spans = [hours for hours in self.hours if weekday in hours.days]
        return sorted((minutes_of(span.opens), minutes_of(span.closes)) for span in spans)

    @cached_property
    def week(self) -> tuple[tuple[tuple[timedelta, timedelta], ...], ...]:
        """The opening hours of every day from Monday on, as times `[opens, closes)` since midnight, earliest first."""
        return tuple(
            tuple((timedelta(minutes=opens), timedelta(minutes=closes)) for opens, closes in self.spans(day))
            for day in Weekday
        )

    @cached_property
    def closed_days(self) -> frozenset[date]:
        """The days on which it is closed: the stated holidays, and those of its own."""
        years = self.holidays.years if self.holidays else ()
        return frozenset(day.on for days in (*(year.days for year in years), self.closed) for day in days)

    @property
    def minutes_a_week(self) -> int:
        """How many minutes it is open in a week without closed days."""
        return sum(closes - opens for day in Weekday for opens, closes in self.spans(day))

"""Business time: by hand, and against a plain count of minutes on both sides of daylight saving and holidays."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schema.clauses.business_time import add_business_time, business_time_between, open_intervals
from schema.clauses.calendars import BusinessCalendar, ClosedDay, OpeningHours
from schema.clauses.clause_vocab import Weekday
from tests.support.random_choices import RandomChoices

MINUTE = timedelta(minutes=1)
WEEK = tuple(Weekday)
MONDAY_TO_FRIDAY = BusinessCalendar(
    key="office", title="Office", hours=(OpeningHours(days=WEEK[:5], opens="09:00", closes="17:00"),)
)
BERLIN = ZoneInfo("Europe/Berlin")
# Zones with a day on which their clocks change, or on which something else is unusual.
CHANGES = (
    ("Europe/Berlin", date(2026, 3, 29)),
    ("Europe/Berlin", date(2026, 10, 25)),
    ("America/New_York", date(2026, 3, 8)),
    ("America/Havana", date(2026, 3, 8)),  # at midnight
    ("Australia/Lord_Howe", date(2026, 4, 5)),  # by half an hour
    ("Pacific/Apia", date(2011, 12, 30)),  # a day that there never was
    ("Asia/Kathmandu", date(2026, 1, 1)),
    ("UTC", date(2026, 12, 31)),
)


def utc(month: int, day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("start", "minutes", "end"),
    [
        (utc(3, 6, 16, 30), 240, utc(3, 9, 12, 30)),
        (utc(3, 7, 11), 60, utc(3, 9, 10)),
        (utc(3, 6, 16, 30), 30, utc(3, 6, 17)),  # over when the office closes, not when it opens again
        (utc(3, 6, 16, 30), 31, utc(3, 9, 9, 1)),
        (utc(3, 7, 11), 0, utc(3, 7, 11)),
    ],
)
def test_business_time_by_hand(start: datetime, minutes: int, end: datetime) -> None:
    assert add_business_time(MONDAY_TO_FRIDAY, ZoneInfo("UTC"), start, timedelta(minutes=minutes)) == end


def test_closed_days_do_not_count() -> None:
    closed = (ClosedDay(on=date(2026, 3, 9), name="Fair"),)
    calendar = MONDAY_TO_FRIDAY.model_copy(update={"closed": closed})
    assert add_business_time(calendar, ZoneInfo("UTC"), utc(3, 6, 16, 30), 240 * MINUTE) == utc(3, 10, 12, 30)


def test_an_hour_that_the_clock_skips_does_not_count_and_one_that_it_repeats_counts_twice() -> None:
    nights = OpeningHours(days=(Weekday.SUNDAY,), opens="01:00", closes="04:00")
    calendar = BusinessCalendar(key="night", title="Night", hours=(nights,))
    for day, hours in ((utc(3, 29, 0), 2), (utc(10, 25, 0), 4), (utc(6, 7, 0), 3)):
        around = day - timedelta(days=1), day + timedelta(days=1)
        assert business_time_between(calendar, BERLIN, *around) == timedelta(hours=hours), day


def test_a_calendar_that_is_not_open_that_long_in_100_years_is_an_error() -> None:
    one_minute = OpeningHours(days=(Weekday.MONDAY,), opens="09:00", closes="09:01")
    calendar = BusinessCalendar(key="rare", title="Rare", hours=(one_minute,))
    with pytest.raises(ValueError, match="the calendar rare is not open for 4 days"):
        add_business_time(calendar, BERLIN, utc(1, 1, 0), timedelta(days=4))


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_business_time_is_the_count_of_open_minutes(data: st.DataObject) -> None:
    choices = RandomChoices.of_hypothesis(data)
    zone_name, day = choices.one(CHANGES)
    zone, calendar = ZoneInfo(zone_name), generated_calendar(choices, day)
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    start = midnight + choices.integer(-3 * 1440, 2 * 1440) * MINUTE
    minutes = choices.integer(1, 400)
    end = start + 6 * 1440 * MINUTE

    open_minutes = open_minutes_in(calendar, zone, start, end)
    if len(open_minutes) >= minutes:
        expected = open_minutes[minutes - 1] + MINUTE
        assert add_business_time(calendar, zone, start, minutes * MINUTE) == expected
        assert business_time_between(calendar, zone, start, expected) == minutes * MINUTE
    assert business_time_between(calendar, zone, start, end) == len(open_minutes) * MINUTE


@settings(max_examples=60, deadline=None)
@given(data=st.data(), seconds=st.integers(1, 200_000), offset=st.integers(0, 500_000))
def test_the_time_up_to_the_end_is_what_was_added(data: st.DataObject, seconds: int, offset: int) -> None:
    choices = RandomChoices.of_hypothesis(data)
    zone_name, day = choices.one(CHANGES)
    zone, calendar = ZoneInfo(zone_name), generated_calendar(choices, day)
    start = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(seconds=offset - 250_000, microseconds=7)
    length = timedelta(seconds=seconds)
    end = add_business_time(calendar, zone, start, length)
    assert business_time_between(calendar, zone, start, end) == length
    *_, (_, closes) = open_intervals(calendar, zone, start, end)
    assert closes == end  # the first instant: the calendar was open just before it


def generated_calendar(choices: RandomChoices, day: date) -> BusinessCalendar:
    """A calendar with one or two spans a day, and closed days around a day."""
    hours = []
    for first, last in ((0, 700), (700, 1440)):
        opens = choices.integer(first, last - 1)
        closes = choices.integer(opens + 1, last)
        days = choices.some(WEEK) or WEEK[:1]
        hours.append(OpeningHours(days=days, opens=clock(opens), closes=clock(closes)))
    closed = {day + timedelta(days=choices.integer(-4, 4)) for _ in range(choices.integer(0, 3))}
    days_off = tuple(ClosedDay(on=off, name="Closed") for off in sorted(closed))
    return BusinessCalendar(key="generated", title="Generated", hours=tuple(hours), closed=days_off)


def clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def open_minutes_in(calendar: BusinessCalendar, zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """The minutes at which the clock on the wall shows an opening hour."""
    closed, spans = {day.on for day in calendar.closed}, [calendar.spans(day) for day in WEEK]
    found = []
    for place in range(int((end - start) / MINUTE)):
        wall = (start + place * MINUTE).astimezone(zone)
        shown = wall.hour * 60 + wall.minute
        if wall.date() not in closed and any(opens <= shown < closes for opens, closes in spans[wall.weekday()]):
            found.append(start + place * MINUTE)
    return found

"""The names of periods and their days, for every unit, against runs of days that are counted one by one."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import AccordError, ErrorCode
from api.metrics.periods.name_forms import COMMON_NAMES, HOW_TO_NAME, NAME_FORMS, OPTION_HELP
from api.metrics.periods.period_days import days_of
from api.metrics.periods.period_names import name_of, named_period
from api.metrics.request import Period
from schema.clauses.reporting import Reporting
from tests.metrics.period_oracle import ONE_DAY, UNITS, runs

UTC_ZONE = ZoneInfo("UTC")
NOON = time(12, tzinfo=UTC)
PERIOD_NAMES = (
    *(f"{which}-{unit}" for which in ("this", "last", "last-3") for unit in UNITS),
    *(f"{unit}-to-date" for unit in UNITS[1:]),
    *(f"same-{unit}-last-year" for unit in UNITS if not unit.endswith("year")),
    *(f"trailing-{count}-{unit}" for count in (1, 9) for unit in UNITS[:5]),
    *("today", "yesterday", "2026", "2026-Q1", "2026-03", "2026-03-14", "2026-W53", "FY2026", "FY2026-Q4"),
)
DAYS = st.dates(date(2019, 1, 1), date(2031, 12, 31))
REPORTINGS = st.builds(
    Reporting,
    week_start=st.sampled_from(["MONDAY", "SUNDAY"]),
    fiscal_year_start_month=st.integers(1, 12),
    fiscal_year_named_by=st.sampled_from(["START", "END"]),
)


def days(name: str, today: date, reporting: Reporting) -> tuple[date, date]:
    """The first day of a period by its name, and the first day after it."""
    found = days_of(named_period(name), UTC_ZONE, datetime.combine(today, NOON), reporting)
    assert found.starts_on is not None
    assert found.before is not None
    return found.starts_on, found.before


@given(today=DAYS, reporting=REPORTINGS, unit=st.sampled_from(UNITS), count=st.integers(1, 6))
def test_names_of_units_mean_the_counted_days(today: date, reporting: Reporting, unit: str, count: int) -> None:
    reach = timedelta(days=400 * (count + 2) if unit.endswith("year") else 100 * (count + 2))
    units = runs(unit, reporting, today - reach, today + timedelta(days=800))
    [place] = [place for place, (first, before) in enumerate(units) if first <= today < before]
    present = units[place]
    assert days(f"this-{unit}", today, reporting) == present
    assert days(f"last-{unit}", today, reporting) == units[place - 1]
    assert days(f"last-{count}-{unit}s", today, reporting) == (units[place - count][0], present[0])
    if unit != "day":
        assert days(f"{unit}-to-date", today, reporting) == (present[0], today + ONE_DAY)


@given(today=DAYS, reporting=REPORTINGS, count=st.integers(1, 400))
def test_trailing_days_and_weeks_are_whole_days_up_to_yesterday(today: date, reporting: Reporting, count: int) -> None:
    first = today - timedelta(days=count)
    assert days(f"trailing-{count}-days", today, reporting) == (first, today)
    assert days(f"last-{count}-days", today, reporting) == (first, today)
    assert days(f"trailing-{count}-weeks", today, reporting) == (today - timedelta(days=7 * count), today)


@given(today=DAYS, reporting=REPORTINGS, count=st.integers(1, 30))
def test_trailing_months_begin_on_the_same_day_of_an_earlier_month(
    today: date, reporting: Reporting, count: int
) -> None:
    first, before = days(f"trailing-{count}-months", today, reporting)
    assert before == today
    assert (today.year - first.year) * 12 + today.month - first.month == count
    is_shorter = (first + ONE_DAY).month != first.month  # the month has no such day, so it is its last one
    assert first.day == today.day or (is_shorter and first.day < today.day)
    assert days(f"trailing-{3 * count}-months", today, reporting) == days(
        f"trailing-{count}-quarters", today, reporting
    )
    assert days(f"trailing-{12 * count}-months", today, reporting) == days(f"trailing-{count}-years", today, reporting)


@given(today=DAYS, reporting=REPORTINGS, unit=st.sampled_from(["month", "quarter", "fiscal-quarter"]))
def test_the_same_months_last_year_are_twelve_months_ago(today: date, reporting: Reporting, unit: str) -> None:
    this, ago = days(f"this-{unit}", today, reporting), days(f"same-{unit}-last-year", today, reporting)
    assert ago == tuple(day.replace(year=day.year - 1) for day in this)


@given(today=DAYS, reporting=REPORTINGS)
def test_the_same_week_last_year_is_52_weeks_ago_and_the_same_day_has_the_same_date(
    today: date, reporting: Reporting
) -> None:
    this, ago = days("this-week", today, reporting), days("same-week-last-year", today, reporting)
    assert ago == tuple(day - timedelta(days=364) for day in this)
    first, before = days("same-day-last-year", today, reporting)
    assert before - first == ONE_DAY
    leap = (today.month, today.day) == (2, 29)
    assert first == (date(today.year - 1, 2, 28) if leap else today.replace(year=today.year - 1))


@given(
    at=st.datetimes(datetime(2020, 1, 2), datetime(2030, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001 - made aware
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Pacific/Apia"]),
)
def test_today_is_the_day_of_as_of_in_the_zone(at: datetime, zone: str) -> None:
    place = ZoneInfo(zone)
    today = at.astimezone(place).date()
    assert days_of(named_period("today"), place, at, Reporting()) == Period(today, today + ONE_DAY)
    assert days_of(named_period("yesterday"), place, at, Reporting()) == Period(today - ONE_DAY, today)


def test_at_midnight_the_day_that_begins_is_today() -> None:
    midnight = datetime(2026, 4, 1, tzinfo=UTC)
    assert days_of(named_period("this-quarter"), UTC_ZONE, midnight, Reporting()).starts_on == date(2026, 4, 1)
    before = midnight - timedelta(microseconds=1)
    assert days_of(named_period("this-quarter"), UTC_ZONE, before, Reporting()).starts_on == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("name", "first", "before"),
    [
        ("last-quarter", date(2026, 1, 1), date(2026, 4, 1)),
        ("last-1-quarter", date(2026, 1, 1), date(2026, 4, 1)),
        ("this-quarter", date(2026, 4, 1), date(2026, 7, 1)),
        ("quarter-to-date", date(2026, 4, 1), date(2026, 5, 15)),
        ("same-quarter-last-year", date(2025, 4, 1), date(2025, 7, 1)),
        ("last-90-days", date(2026, 2, 13), date(2026, 5, 14)),
        ("trailing-12-months", date(2025, 5, 14), date(2026, 5, 14)),
        ("last-2-weeks", date(2026, 4, 27), date(2026, 5, 11)),
        ("fiscal-year-to-date", date(2026, 2, 1), date(2026, 5, 15)),
        ("last-4-fiscal-quarters", date(2025, 5, 1), date(2026, 5, 1)),
        ("same-fiscal-quarter-last-year", date(2025, 5, 1), date(2025, 8, 1)),
        ("2026-03-14", date(2026, 3, 14), date(2026, 3, 15)),
        ("2026-W10", date(2026, 3, 2), date(2026, 3, 9)),
        ("2026-w01", date(2025, 12, 29), date(2026, 1, 5)),
        ("2026-Q1", date(2026, 1, 1), date(2026, 4, 1)),
    ],
)
def test_periods_by_name_on_14_may_2026(name: str, first: date, before: date) -> None:
    """With fiscal years from February."""
    assert days(name, date(2026, 5, 14), Reporting(fiscal_year_start_month=2)) == (first, before)


@pytest.mark.parametrize("name", PERIOD_NAMES)
def test_the_name_of_a_named_period_leads_back_to_it(name: str) -> None:
    parsed = named_period(name)
    assert named_period(name.upper()) == parsed
    if written := name_of(parsed):
        assert named_period(written) == parsed
        assert days(written, date(2026, 5, 14), Reporting()) == days(name, date(2026, 5, 14), Reporting())
    else:
        assert parsed.named is None


def test_names_that_mean_the_same_are_the_same_period() -> None:
    groups = (
        ("today", "this-day"),
        ("yesterday", "last-day", "last-1-day", "trailing-1-days"),
        ("last-quarter", "last-1-quarters"),
        ("last-14-days", "trailing-2-weeks", "trailing-14-days"),
        ("trailing-12-months", "trailing-1-year", "trailing-4-quarters"),
    )
    for names in groups:
        assert len({named_period(name) for name in names}) == 1, names


def test_every_listed_example_is_a_name() -> None:
    for form in NAME_FORMS:
        for example in form.examples:
            assert days(example, date(2026, 5, 14), Reporting())
    for example in COMMON_NAMES:
        assert days(example, date(2026, 5, 14), Reporting())
        assert example in HOW_TO_NAME
        assert example in OPTION_HELP


@pytest.mark.parametrize(
    "text",
    [
        *("this", "this-3-days", "last-0-days", "last-quarters-3", "trailing-quarter", "trailing-9-fiscal-years"),
        *(
            "day-to-date",
            "same-year-last-year",
            "2026-W00",
            "2026-W54",
            "2025-W53",
            "2026-02-30",
            "2026-3-1",
            "2026-W1",
        ),
        *("2026-03-", "last_quarter", "quarter to date", "next-quarter", "2026-W10-3", "0999-12-31"),
    ],
)
def test_what_is_no_name_is_rejected_with_the_names(text: str) -> None:
    with pytest.raises(AccordError) as rejected:
        named_period(text)
    assert rejected.value.code is ErrorCode.BAD_PERIOD
    assert text in rejected.value.message
    assert "last-quarter" in rejected.value.remedy


def test_an_iso_week_is_refused_where_weeks_begin_on_sunday_with_the_range_to_write() -> None:
    with pytest.raises(AccordError) as rejected:
        days("2026-W10", date(2026, 5, 14), Reporting(week_start="SUNDAY"))
    assert rejected.value.code is ErrorCode.BAD_PERIOD
    assert "begin on Sunday" in rejected.value.message
    assert "from 2026-03-01 before 2026-03-08" in rejected.value.remedy


@pytest.mark.parametrize("text", ["last-90000-years", "trailing-99999-months", "last-99999-weeks"])
def test_a_period_that_begins_before_the_year_1000_is_rejected(text: str) -> None:
    with pytest.raises(AccordError) as rejected:
        days(text, date(2026, 5, 14), Reporting())
    assert rejected.value.code is ErrorCode.BAD_PERIOD
    assert "1000" in rejected.value.message

"""Fiscal years and quarters as periods and buckets, for every month and both namings, against a plain Python count."""

from collections import defaultdict
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import AccordError, ErrorCode
from api.metrics.periods.buckets import bucket_name, buckets, is_cut
from api.metrics.periods.period_days import days_of, interval_of
from api.metrics.periods.period_names import named_period
from api.metrics.request import ALL_HISTORY, Period
from schema.clauses.reporting import Reporting
from schema.fiscal_calendar import FiscalYearName
from schema.vocab import Grain
from tests.metrics.fiscal_oracle import named_days

FIRST, BEFORE = date(2019, 1, 1), date(2032, 1, 1)  # with 53 weeks in 2020 and 2026
ZONES = ("UTC", "Europe/Berlin", "America/Sao_Paulo", "America/St_Johns", "Pacific/Apia")
NOW = datetime(2026, 4, 1, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
CALENDARS = [
    pytest.param(Reporting(fiscal_year_start_month=month, fiscal_year_named_by=named_by), id=f"{month}-{named_by}")
    for month in range(1, 13)
    for named_by in ("START", "END")
]


def oracle_days(reporting: Reporting) -> dict[str, list[date]]:
    """The days of every fiscal year and quarter that lies wholly between FIRST and BEFORE, by its name."""
    found = defaultdict(list)
    month, named_by = reporting.fiscal_year_start_month, reporting.fiscal_year_named_by
    for day, year, quarter in named_days(month, named_by, FIRST, BEFORE):
        found[year].append(day)
        found[quarter].append(day)
    cut = {name for _, *names in named_days(month, named_by, FIRST, FIRST + timedelta(days=1)) for name in names}
    cut |= {name for _, *names in named_days(month, named_by, BEFORE - timedelta(days=1), BEFORE) for name in names}
    return {name: days for name, days in found.items() if name not in cut}


def bounds(days: list[date]) -> Period:
    return Period(days[0], days[-1] + timedelta(days=1))


@pytest.mark.parametrize("reporting", CALENDARS)
def test_a_named_fiscal_period_has_the_days_of_the_oracle(reporting: Reporting) -> None:
    expected = oracle_days(reporting)
    assert len(expected) > 50
    for name, days in expected.items():
        assert days_of(named_period(name), UTC_ZONE, NOW, reporting) == bounds(days), name
        assert named_period(name.lower()) == named_period(name)


@pytest.mark.parametrize("reporting", CALENDARS)
@pytest.mark.parametrize("zone", ZONES)
def test_fiscal_buckets_are_those_of_the_oracle_and_their_names_lead_back_to_them(
    reporting: Reporting, zone: str
) -> None:
    days, as_of = Period(FIRST, BEFORE), datetime(2040, 1, 1, tzinfo=UTC)
    place, expected = ZoneInfo(zone), oracle_days(reporting)
    for grain, is_quarter in ((Grain.FISCAL_QUARTER, True), (Grain.FISCAL_YEAR, False)):
        edges = buckets(days, as_of, as_of, grain, place, reporting)
        named = {bucket_name(*edge, grain, place, reporting): edge for edge in pairwise(edges)}
        whole = {name: edge for name, edge in named.items() if name is not None}
        assert {**whole} == {
            name: tuple(
                datetime.combine(day, time.min, tzinfo=place).astimezone(UTC)
                for day in (days[0], days[-1] + timedelta(days=1))
            )
            for name, days in expected.items()
            if ("-Q" in name) is is_quarter
        } | {name: edge for name, edge in whole.items() if name not in expected}
        for name, edge in whole.items():
            found = interval_of(days_of(named_period(name), place, as_of, reporting), place)
            assert (found.start, found.end) == edge


@pytest.mark.parametrize("grain", [Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR])
def test_the_name_of_a_calendar_bucket_leads_back_to_it(grain: Grain) -> None:
    reporting, place = Reporting(fiscal_year_start_month=2), ZoneInfo("Europe/Berlin")
    first = date(2022, 1, 3) if grain is Grain.WEEK else date(2022, 1, 1)
    edges = buckets(Period(first, date(2027, 1, 4)), NOW, datetime(2027, 1, 1, tzinfo=UTC), grain, place, reporting)
    whole = [edge for edge in pairwise(edges) if not is_cut(*edge, grain, place, reporting)]
    assert len(whole) > 4
    for edge in whole:
        name = bucket_name(*edge, grain, place, reporting)
        assert name is not None
        found = interval_of(days_of(named_period(name), place, NOW, reporting), place)
        assert (found.start, found.end) == edge


def test_a_cut_bucket_and_a_week_from_sunday_have_no_name() -> None:
    days, as_of = Period(date(2026, 2, 3), date(2026, 2, 7)), datetime(2027, 1, 1, tzinfo=UTC)
    reporting = Reporting(fiscal_year_start_month=2)
    for grain in (Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR, Grain.FISCAL_QUARTER, Grain.FISCAL_YEAR):
        edges = buckets(days, as_of, as_of, grain, UTC_ZONE, reporting)
        assert {bucket_name(*edge, grain, UTC_ZONE, reporting) for edge in pairwise(edges)} == {None}, grain
    sunday, weeks = Reporting(week_start="SUNDAY"), Period(date(2026, 2, 1), date(2026, 3, 1))
    edges = buckets(weeks, as_of, as_of, Grain.WEEK, UTC_ZONE, sunday)
    assert [bucket_name(*edge, Grain.WEEK, UTC_ZONE, sunday) for edge in pairwise(edges)] == [None] * 4


@given(
    month=st.integers(1, 12),
    named_by=st.sampled_from(["START", "END"]),
    at=st.datetimes(datetime(2020, 1, 2), datetime(2030, 12, 30), timezones=st.just(UTC)),  # noqa: DTZ001 - made aware
    zone=st.sampled_from(ZONES),
)
def test_this_and_last_fiscal_periods_are_found_from_the_day_of_as_of(
    month: int, named_by: FiscalYearName, at: datetime, zone: str
) -> None:
    reporting = Reporting(fiscal_year_start_month=month, fiscal_year_named_by=named_by)
    place = ZoneInfo(zone)
    day = at.astimezone(place).date()
    [(_, *names)] = named_days(month, named_by, day, day + timedelta(days=1))
    for unit, name in zip(("year", "quarter"), names, strict=True):
        this = days_of(named_period(f"this-fiscal-{unit}"), place, at, reporting)
        assert this == days_of(named_period(name), place, at, reporting)
        assert this.starts_on is not None
        assert this.before is not None
        assert this.starts_on <= day < this.before
        last = days_of(named_period(f"Last-Fiscal-{unit}"), place, at, reporting)
        [(_, *before)] = named_days(month, named_by, this.starts_on - timedelta(days=1), this.starts_on)
        assert last == days_of(named_period(before[unit == "quarter"]), place, at, reporting)


def test_this_fiscal_quarter_at_its_first_instant_is_the_one_that_begins() -> None:
    reporting = Reporting(fiscal_year_start_month=2)
    as_of = datetime(2026, 5, 1, tzinfo=UTC)
    assert days_of(named_period("this-fiscal-quarter"), UTC_ZONE, as_of, reporting) == Period(
        date(2026, 5, 1), date(2026, 8, 1)
    )


def test_a_fiscal_year_from_february_has_the_name_that_the_accord_says() -> None:
    by_end, by_start = (
        days_of(
            named_period("FY2027"),
            UTC_ZONE,
            NOW,
            Reporting(fiscal_year_start_month=2, fiscal_year_named_by=named_by),
        )
        for named_by in ("END", "START")
    )
    assert by_end == Period(date(2026, 2, 1), date(2027, 2, 1))
    assert by_start == Period(date(2027, 2, 1), date(2028, 2, 1))


def test_weeks_and_calendar_quarters_do_not_depend_on_the_fiscal_year() -> None:
    days, as_of = Period(date(2026, 1, 1), date(2027, 1, 4)), datetime(2040, 1, 1, tzinfo=UTC)
    for grain in (Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.QUARTER, Grain.YEAR):
        edges = {
            buckets(days, as_of, as_of, grain, UTC_ZONE, Reporting(fiscal_year_start_month=month))
            for month in range(1, 13)
        }
        assert len(edges) == 1
        if grain is Grain.WEEK:
            assert len(edges.pop()) == 54  # 53 weeks: of Thursday 1 January to Sunday 3 January 2027


def test_a_series_of_all_history_begins_with_the_whole_fiscal_year_of_the_first_instant() -> None:
    reporting = Reporting(fiscal_year_start_month=7)
    first = datetime(2025, 6, 30, 12, tzinfo=UTC)
    edges = buckets(ALL_HISTORY, first, NOW, Grain.FISCAL_YEAR, UTC_ZONE, reporting)
    assert [edge.date().isoformat() for edge in edges] == ["2024-07-01", "2025-07-01", "2026-07-01"]


@pytest.mark.parametrize("text", ["FY26", "FY2026-Q5", "FY2026-03", "FY 2026", "fiscal-2026", "this-fiscal-month"])
def test_what_is_no_fiscal_period_is_rejected_with_examples(text: str) -> None:
    with pytest.raises(AccordError) as rejected:
        named_period(text)
    assert rejected.value.code is ErrorCode.BAD_PERIOD
    assert "FY2026-Q1" in rejected.value.remedy


@pytest.mark.parametrize("text", ["FY0999", "FY1000", "FY9000"])
def test_a_fiscal_year_outside_the_years_1000_to_8999_is_rejected(text: str) -> None:
    with pytest.raises(AccordError) as rejected:
        days_of(named_period(text), UTC_ZONE, NOW, Reporting(fiscal_year_start_month=2))
    assert rejected.value.code is ErrorCode.BAD_PERIOD

"""Periods by name and by dates, their instants and their buckets."""

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from api.errors import AccordError, ErrorCode
from api.metrics.periods.buckets import buckets, is_cut, pairs
from api.metrics.periods.calendar_units import midnight
from api.metrics.periods.period_days import period
from api.metrics.periods.period_names import named_period
from api.metrics.request import ALL_HISTORY, Period
from api.metrics.resolved_request import MICROSECOND
from schema.clauses.reporting import Reporting
from schema.vocab import Grain

UTC_ZONE = ZoneInfo("UTC")
BERLIN = ZoneInfo("Europe/Berlin")
SAO_PAULO = ZoneInfo("America/Sao_Paulo")
NOW = datetime(2026, 4, 1, tzinfo=UTC)
MONDAYS = Reporting()


@pytest.mark.parametrize(
    ("text", "starts_on", "before"),
    [
        ("2026", date(2026, 1, 1), date(2027, 1, 1)),
        ("2026-Q4", date(2026, 10, 1), date(2027, 1, 1)),
        ("2026-q1", date(2026, 1, 1), date(2026, 4, 1)),
        ("2026-12", date(2026, 12, 1), date(2027, 1, 1)),
    ],
)
def test_a_named_period_has_its_days(text: str, starts_on: date, before: date) -> None:
    assert named_period(text) == Period(starts_on, before)


@pytest.mark.parametrize("text", ["", "2026-Q5", "2026-13", "Q1", "last-0-days", "last-90", "0001"])
def test_an_unknown_name_is_rejected_with_examples(text: str) -> None:
    with pytest.raises(AccordError) as rejected:
        named_period(text)
    assert rejected.value.code is ErrorCode.BAD_PERIOD
    assert "2026-Q1" in rejected.value.remedy


@pytest.mark.parametrize("before", [date(2026, 2, 28), date(2026, 3, 1)])
def test_a_period_that_is_empty_or_ends_before_it_starts_is_rejected(before: date) -> None:
    with pytest.raises(AccordError) as rejected:
        period(date(2026, 3, 1), before)
    assert rejected.value.code is ErrorCode.BAD_PERIOD
    assert "2026-03-01" in rejected.value.message


def test_a_day_around_a_clock_change_has_its_real_length() -> None:
    days = Period(date(2026, 3, 28), date(2026, 3, 31))
    edges = buckets(days, NOW, NOW, Grain.DAY, BERLIN, MONDAYS)
    hours = [(end - start).total_seconds() / 3600 for start, end in pairwise(edges)]
    assert hours == [24, 23, 24]


def test_a_day_without_midnight_begins_at_the_skip() -> None:
    assert midnight(date(2017, 10, 15), SAO_PAULO) == datetime(2017, 10, 15, 3, tzinfo=UTC)


def test_a_day_that_a_zone_skipped_is_no_bucket() -> None:
    days = Period(date(2011, 12, 29), date(2012, 1, 1))
    assert len(buckets(days, NOW, NOW, Grain.DAY, ZoneInfo("Pacific/Apia"), MONDAYS)) == 3


def test_a_stated_start_or_end_cuts_its_bucket_and_an_open_one_does_not() -> None:
    cut = buckets(Period(date(2026, 1, 15), date(2026, 3, 10)), NOW, NOW, Grain.MONTH, UTC_ZONE, MONDAYS)
    assert [edge.date().isoformat() for edge in cut] == ["2026-01-15", "2026-02-01", "2026-03-01", "2026-03-10"]
    first = datetime(2026, 1, 15, tzinfo=UTC)
    whole = buckets(ALL_HISTORY, first, NOW - MICROSECOND, Grain.MONTH, UTC_ZONE, MONDAYS)
    assert [edge.date().isoformat() for edge in whole] == ["2026-01-01", "2026-02-01", "2026-03-01", "2026-04-01"]


def test_only_the_buckets_that_the_period_cuts_are_partial() -> None:
    days = Period(date(2026, 1, 15), date(2026, 3, 10))
    for zone in (UTC_ZONE, BERLIN, SAO_PAULO):
        cut = pairs(buckets(days, NOW, NOW, Grain.MONTH, zone, MONDAYS))
        assert [is_cut(*edges, Grain.MONTH, zone, MONDAYS) for edges in cut] == [True, False, True]
        daily = pairs(buckets(days, NOW, NOW, Grain.DAY, zone, MONDAYS))
        assert not any(is_cut(*edges, Grain.DAY, zone, MONDAYS) for edges in daily)
    within = pairs(buckets(Period(date(2026, 2, 3), date(2026, 2, 9)), NOW, NOW, Grain.MONTH, UTC_ZONE, MONDAYS))
    assert [is_cut(*edges, Grain.MONTH, UTC_ZONE, MONDAYS) for edges in within] == [True]


@pytest.mark.parametrize("zone", [ZoneInfo("Pacific/Apia"), SAO_PAULO, BERLIN])
@pytest.mark.parametrize("grain", list(Grain))
def test_no_bucket_of_whole_years_is_partial_where_clocks_skip_a_midnight_or_a_day(
    zone: ZoneInfo, grain: Grain
) -> None:
    first = datetime(2011, 1, 1, 12, tzinfo=UTC)
    as_of = datetime(2012, 6, 1, tzinfo=UTC)
    edges = pairs(buckets(ALL_HISTORY, first, as_of, grain, zone, MONDAYS))
    assert edges
    assert not any(is_cut(*bounds, grain, zone, MONDAYS) for bounds in edges)


@pytest.mark.parametrize(
    ("reporting", "first"), [(MONDAYS, date(2026, 3, 23)), (Reporting(week_start="SUNDAY"), date(2026, 3, 29))]
)
def test_weeks_begin_on_the_day_of_the_accord(reporting: Reporting, first: date) -> None:
    sunday = datetime(2026, 3, 29, 12, tzinfo=UTC)
    edges = buckets(ALL_HISTORY, sunday, NOW, Grain.WEEK, UTC_ZONE, reporting)
    assert edges[0].date() == first


def test_the_last_bucket_has_the_instant_as_of() -> None:
    edges = [
        len(buckets(named_period("2026"), NOW, as_of, Grain.QUARTER, UTC_ZONE, MONDAYS))
        for as_of in (NOW - MICROSECOND, NOW)
    ]
    assert edges == [2, 3]


def test_too_many_buckets_are_rejected() -> None:
    with pytest.raises(AccordError) as rejected:
        buckets(Period(date(2000, 1, 1), date(2026, 1, 1)), NOW, NOW, Grain.DAY, UTC_ZONE, MONDAYS)
    assert rejected.value.code is ErrorCode.BAD_PERIOD
    assert "2,000" in rejected.value.message

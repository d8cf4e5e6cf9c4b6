"""The period that a period is compared with, by examples of the calendar."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accord.documents import read_accord
from api.errors import AccordError, ErrorCode
from api.metrics.answer import AnsweredPeriod
from api.metrics.comparisons.earlier_periods import EarlierPeriod, earlier_period
from api.metrics.periods.period_days import days_of, period
from api.metrics.periods.period_names import named_period
from api.metrics.request import ALL_HISTORY, Period
from schema.clauses.reporting import Reporting
from schema.kpis.comparisons import Comparand, ComparedSpan

BERLIN = ZoneInfo("Europe/Berlin")
NOON = datetime(2026, 5, 20, 12, tzinfo=UTC)
PREVIOUS, LAST_YEAR = Comparand.PREVIOUS_PERIOD, Comparand.SAME_PERIOD_LAST_YEAR
STANDARD = read_accord("standard").reporting


def compared(
    requested: Period | str,
    comparand: Comparand,
    span: ComparedSpan = ComparedSpan.TO_DATE,
    *,
    as_of: datetime = NOON,
    zone: ZoneInfo = BERLIN,
    reporting: Reporting = STANDARD,
) -> EarlierPeriod:
    """What `earlier_period` has for a period, by its name or its days."""
    asked = named_period(requested) if isinstance(requested, str) else requested
    days = days_of(asked, zone, as_of, reporting)
    answered = AnsweredPeriod(starts_on=days.starts_on, before=days.before, timezone=zone.key, is_over=False)
    return earlier_period(asked, answered, comparand, span, as_of)


def days_between(found: EarlierPeriod) -> tuple[str, str]:
    return str(found.days.starts_on), str(found.days.before)


@pytest.mark.parametrize(
    ("name", "previous", "last_year"),
    [
        ("2026-03", ("2026-02-01", "2026-03-01"), ("2025-03-01", "2025-04-01")),
        ("2024-02", ("2024-01-01", "2024-02-01"), ("2023-02-01", "2023-03-01")),
        ("2025-02", ("2025-01-01", "2025-02-01"), ("2024-02-01", "2024-03-01")),  # that February has 29 days
        ("2026-Q1", ("2025-10-01", "2026-01-01"), ("2025-01-01", "2025-04-01")),
        ("2025", ("2024-01-01", "2025-01-01"), ("2024-01-01", "2025-01-01")),
        ("2026-W10", ("2026-02-23", "2026-03-02"), ("2025-03-03", "2025-03-10")),
        ("2026-03-14", ("2026-03-13", "2026-03-14"), ("2025-03-14", "2025-03-15")),
        ("2024-02-29", ("2024-02-28", "2024-02-29"), ("2023-02-28", "2023-03-01")),
        ("last-3-months", ("2025-11-01", "2026-02-01"), ("2025-02-01", "2025-05-01")),
        ("last-90-days", ("2025-11-21", "2026-02-19"), ("2025-02-19", "2025-05-20")),
        ("last-4-weeks", ("2026-03-23", "2026-04-20"), ("2025-04-21", "2025-05-19")),
        ("trailing-12-months", ("2024-05-20", "2025-05-20"), ("2024-05-20", "2025-05-20")),
        ("yesterday", ("2026-05-18", "2026-05-19"), ("2025-05-19", "2025-05-20")),
        # Periods that are not over: 20 days of May have begun, 50 of the quarter, 3 of the week.
        ("this-month", ("2026-04-01", "2026-04-21"), ("2025-05-01", "2025-05-21")),
        ("month-to-date", ("2026-04-01", "2026-04-21"), ("2025-05-01", "2025-05-21")),
        ("2026-05", ("2026-04-01", "2026-04-21"), ("2025-05-01", "2025-05-21")),
        ("this-quarter", ("2026-01-01", "2026-02-20"), ("2025-04-01", "2025-05-21")),
        ("this-week", ("2026-05-11", "2026-05-14"), ("2025-05-19", "2025-05-22")),
        ("year-to-date", ("2025-01-01", "2025-05-21"), ("2025-01-01", "2025-05-21")),
        ("today", ("2026-05-19", "2026-05-20"), ("2025-05-20", "2025-05-21")),
        # One that has not begun is compared with a whole one.
        ("2026-07", ("2026-06-01", "2026-07-01"), ("2025-07-01", "2025-08-01")),
    ],
)
def test_named_periods(name: str, previous: tuple[str, str], last_year: tuple[str, str]) -> None:
    assert days_between(compared(name, PREVIOUS)) == previous
    assert days_between(compared(name, LAST_YEAR)) == last_year


def test_days_of_no_whole_months_are_moved_by_their_number() -> None:
    found = compared(period(date(2026, 3, 10), date(2026, 3, 20)), PREVIOUS)
    assert days_between(found) == ("2026-02-28", "2026-03-10")
    months = compared(period(date(2026, 2, 1), date(2026, 3, 1)), PREVIOUS)
    assert days_between(months) == ("2026-01-01", "2026-02-01")
    assert (months.compared_days, months.days_counted) == (28, 31)


def test_fiscal_periods_are_moved_by_their_months() -> None:
    fiscal = STANDARD.model_copy(update={"fiscal_year_start_month": 4})
    found = compared("FY2026-Q1", PREVIOUS, as_of=datetime(2027, 6, 1, tzinfo=UTC), reporting=fiscal)
    whole = days_of(named_period("FY2026-Q1"), BERLIN, NOON, fiscal)
    assert whole.starts_on is not None
    assert whole.starts_on.month == 4
    assert found.days == period(whole.starts_on.replace(month=1), whole.starts_on)


def test_an_open_period_can_be_compared_with_the_whole_earlier_one() -> None:
    whole = compared("this-month", PREVIOUS, ComparedSpan.WHOLE)
    assert days_between(whole) == ("2026-04-01", "2026-05-01")
    assert (whole.is_to_date, whole.compared_days, whole.days_counted) == (False, 20, 30)
    cut = compared("this-month", PREVIOUS)
    assert (cut.is_to_date, cut.compared_days, cut.days_counted) == (True, 20, 20)
    assert not compared("2026-03", PREVIOUS).is_to_date


def test_as_many_days_as_the_earlier_period_has_at_most() -> None:
    found = compared("this-month", PREVIOUS, as_of=datetime(2026, 3, 31, 12, tzinfo=UTC))
    assert days_between(found) == ("2026-02-01", "2026-03-01")
    assert (found.compared_days, found.days_counted) == (31, 28)


def test_the_same_age_is_the_same_time_of_the_corresponding_day() -> None:
    found = compared("this-month", PREVIOUS, ComparedSpan.SAME_AGE)
    assert days_between(found) == ("2026-04-01", "2026-05-01")
    assert found.as_of == datetime(2026, 4, 20, 12, tzinfo=UTC)
    over = compared("2026-03", LAST_YEAR, ComparedSpan.SAME_AGE)
    assert over.as_of == datetime(2025, 5, 20, 12, tzinfo=UTC)
    assert not over.is_to_date


def test_the_same_age_keeps_the_local_time_over_a_change_of_clocks() -> None:
    # On April 10 Berlin is two hours ahead of UTC, on March 10 one.
    found = compared("this-month", PREVIOUS, ComparedSpan.SAME_AGE, as_of=datetime(2026, 4, 10, 12, tzinfo=UTC))
    assert found.as_of == datetime(2026, 3, 10, 13, tzinfo=UTC)


def test_a_period_without_an_end_is_compared_with_as_many_days() -> None:
    found = compared(Period(date(2026, 5, 11), None), PREVIOUS)
    assert days_between(found) == ("2026-05-01", "2026-05-11")


@pytest.mark.parametrize("requested", [ALL_HISTORY, Period(None, date(2026, 1, 1)), Period(date(1000, 1, 1), None)])
def test_there_is_no_period_before_the_beginning(requested: Period) -> None:
    with pytest.raises(AccordError) as error:
        compared(requested, PREVIOUS)
    assert error.value.code is ErrorCode.BAD_PERIOD


DAYS = st.dates(date(2000, 1, 1), date(2030, 1, 1))


@given(start=DAYS, length=st.integers(1, 800), comparand=st.sampled_from([PREVIOUS, LAST_YEAR]), today=DAYS)
def test_every_earlier_period_is_earlier_and_no_longer_than_what_it_is_compared_with(
    start: date, length: int, comparand: Comparand, today: date
) -> None:
    days = period(start, start + timedelta(days=length))
    found = compared(days, comparand, as_of=datetime(today.year, today.month, today.day, 12, tzinfo=UTC))
    assert found.days.starts_on is not None
    assert found.days.before is not None
    assert found.days.starts_on < start
    if comparand is PREVIOUS:
        assert found.days.before <= start
    assert found.days_counted == (found.days.before - found.days.starts_on).days >= 1
    assert abs(found.compared_days - found.days_counted) <= 4  # months and leap days

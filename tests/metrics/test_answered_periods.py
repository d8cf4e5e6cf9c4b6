"""What answers say about their period: its days, whether it is over, and why a period has no value."""

from datetime import UTC, date, datetime

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.answer import AnsweredPeriod, KpiAnswer
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.periods.period_days import period
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_funnel, query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import ALL_HISTORY, FunnelRequest, KpiRequest, Period, Switches
from api.metrics.resolved_request import MICROSECOND
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain, RecordSide
from tests.golden import world

NOW = datetime(2026, 5, 20, 12, tzinfo=UTC)
PAIR_KPIS = ("stage_conversion", "time_to_convert")
KEYS = [key for key in CATALOGUE if key not in PAIR_KPIS]


@pytest.fixture(scope="module")
async def golden(module_database: Database) -> Database:
    async with module_database.write() as session:
        await world.load(session)
        await evaluate(session, as_of=world.AFTER_ALL)
    return module_database


async def answer(database: Database, key: str, days: Period, *, now: datetime = NOW, **more: object) -> KpiAnswer:
    async with database.read() as session:
        [found] = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest(key, days, **more)], now=now)  # type: ignore[arg-type]
    assert isinstance(found, KpiAnswer), found
    return found


async def funnel(database: Database, days: Period, **more: object) -> FunnelAnswer:
    async with database.read() as session:
        return await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(days, **more), now=NOW)  # type: ignore[arg-type]


def warned(found: KpiAnswer | FunnelAnswer) -> dict[WarningCode, int | None]:
    return {warning.code: warning.count for warning in found.warnings}


@pytest.mark.parametrize(
    ("days", "first", "before", "is_over"),
    [
        (named_period("last-quarter"), date(2026, 1, 1), date(2026, 4, 1), True),
        (named_period("this-quarter"), date(2026, 4, 1), date(2026, 7, 1), False),
        (named_period("month-to-date"), date(2026, 5, 1), date(2026, 5, 21), False),
        (period(date(2026, 1, 1), None), date(2026, 1, 1), None, False),
        (period(None, date(2026, 1, 1)), None, date(2026, 1, 1), True),
        (ALL_HISTORY, None, None, False),
    ],
)
async def test_answers_have_the_days_of_their_period(
    golden: Database, days: Period, first: date | None, before: date | None, is_over: bool
) -> None:
    expected = AnsweredPeriod(starts_on=first, before=before, timezone="UTC", is_over=is_over)
    assert (await answer(golden, "mqls", days)).period == expected
    assert (await funnel(golden, days)).period == expected


async def test_the_days_are_those_of_the_requested_time_zone(golden: Database) -> None:
    switches = Switches(timezone="Pacific/Auckland")  # where 21 May has begun
    late = datetime(2026, 5, 20, 20, tzinfo=UTC)
    found = (await answer(golden, "mqls", named_period("today"), now=late, switches=switches)).period
    assert (found.starts_on, found.timezone) == (date(2026, 5, 21), "Pacific/Auckland")


@pytest.mark.parametrize(
    ("days", "left"),
    [
        (named_period("this-quarter"), 41),
        (named_period("quarter-to-date"), 0),
        (named_period("2026-05-20"), 0),
        (named_period("this-month"), 11),
        (named_period("last-month"), None),
        (period(date(2026, 1, 1), None), None),
        (ALL_HISTORY, None),
    ],
)
async def test_a_period_that_is_not_over_says_how_many_days_are_to_come(
    golden: Database, days: Period, left: int | None
) -> None:
    for key in ("mqls", "deals_won", "open_pipeline"):
        assert warned(await answer(golden, key, days)).get(WarningCode.PERIOD_OPEN) == left, key
    assert warned(await funnel(golden, days)).get(WarningCode.PERIOD_OPEN) == left


async def test_a_period_is_over_at_its_last_instant(golden: Database) -> None:
    end = datetime(2026, 4, 1, tzinfo=UTC)
    quarter = named_period("2026-Q1")
    assert (await answer(golden, "mqls", quarter, now=end - MICROSECOND)).period.is_over
    still = await answer(golden, "mqls", quarter, now=end - 2 * MICROSECOND)
    assert not still.period.is_over
    assert warned(still)[WarningCode.PERIOD_OPEN] == 0
    assert "its last day is not over" in next(
        warning.message for warning in still.warnings if warning.code is WarningCode.PERIOD_OPEN
    )


@pytest.mark.parametrize("key", [key for key in KEYS if key != "pipeline_coverage"])  # which looks ahead
async def test_a_period_that_has_not_begun_has_no_value(golden: Database, key: str) -> None:
    found = await answer(golden, key, named_period("2027-Q2"), grain=Grain.MONTH, by=CATALOGUE[key].dimensions[:1])
    assert (found.value, found.numerator, found.denominator, found.n) == (None, None, None, 0)
    assert (found.series, found.breakdown, found.excluded.count) == ((), (), 0)
    assert next(iter(found.warnings)).code is WarningCode.PERIOD_NOT_BEGUN
    assert "2027-04-01" in found.warnings[0].message
    assert "2026-05-20" in found.warnings[0].message
    async with golden.read() as session:
        assert found.drill_down is not None
        assert not (await read_page(session, found.drill_down, RecordSide.BASE, size=5)).records


@pytest.mark.parametrize("key", KEYS)
async def test_a_period_before_the_data_has_no_value(golden: Database, key: str) -> None:
    found = await answer(golden, key, named_period("2020"), grain=Grain.QUARTER)
    assert (found.value, found.numerator, found.n) == (None, None, 0)
    assert [bucket.value for bucket in found.series] == [None] * 4
    assert warned(found) == {WarningCode.PERIOD_BEFORE_DATA: None}
    assert WarningCode.PERIOD_BEFORE_DATA not in warned(await answer(golden, key, ALL_HISTORY))


async def test_the_data_begin_with_the_first_fact_whatever_is_filtered(golden: Database) -> None:
    opened = await answer(golden, "deals_won", named_period("2026-01"))  # the first deal was opened, and none closed
    assert opened.value == 0
    assert not opened.warnings
    before = await answer(golden, "deals_won", named_period("2025-12"))
    assert (before.value, warned(before)) == (None, {WarningCode.PERIOD_BEFORE_DATA: None})
    assert "begin, on 2026-01-18" in before.warnings[0].message
    waiting = await answer(golden, "sqls", named_period("2025-12"))  # people were known, and none qualified
    assert waiting.value == 0
    later = await answer(golden, "deals_won", named_period("2026-05"))
    assert later.value == 0


async def test_a_period_that_ends_at_the_very_first_fact_is_before_the_data(golden: Database) -> None:
    midnight = Switches(timezone="Etc/GMT-12")  # the first deal was opened at noon UTC, at the end of 18 January
    before = await answer(golden, "deals_won", named_period("2026-01-18"), switches=midnight)
    assert (before.value, warned(before)) == (None, {WarningCode.PERIOD_BEFORE_DATA: None})
    after = await answer(golden, "deals_won", named_period("2026-01-19"), switches=midnight)
    assert after.value == 0
    assert not after.warnings


async def test_a_funnel_of_a_period_without_data_has_no_figures(golden: Database) -> None:
    for name, code in (("2027", WarningCode.PERIOD_NOT_BEGUN), ("2020", WarningCode.PERIOD_BEFORE_DATA)):
        found = await funnel(golden, named_period(name), by=(Dimension.CHANNEL,))
        assert warned(found) == {code: None}
        assert {(step.reached, step.open, step.step, step.overall, step.entered) for step in found.stages} == {
            (None,) * 5
        }
        assert found.breakdown == ()
    between = await funnel(golden, named_period("2026-05"))
    assert {step.reached for step in between.stages} == {0}
    assert warned(between) == {WarningCode.ZERO_DENOMINATOR: 0, WarningCode.PERIOD_OPEN: 11}


async def test_days_and_weeks_of_a_series_have_names_and_cut_ones_say_so(golden: Database) -> None:
    days = period(date(2026, 1, 7), date(2026, 1, 21))
    weeks = (await answer(golden, "mqls", days, grain=Grain.WEEK)).series
    assert [(week.period, week.is_partial) for week in weeks] == [(None, True), ("2026-W03", False), (None, True)]
    daily = (await answer(golden, "mqls", named_period("2026-W03"), grain=Grain.DAY)).series
    assert [day.period for day in daily] == [f"2026-01-{number}" for number in range(12, 19)]

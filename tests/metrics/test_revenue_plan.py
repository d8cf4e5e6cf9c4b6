"""The plan of a revenue target equals an independent one over made-up people and deals, and an example by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.metrics.periods.period_days import period
from api.metrics.periods.period_names import named_period
from api.metrics.planning.plan_answer import PlanStep, RevenuePlan
from api.metrics.planning.plan_request import RevenuePlanRequest
from api.metrics.planning.revenue_plan import query_revenue_plan
from api.metrics.query import query_kpis
from api.metrics.request import ALL_HISTORY, KpiRequest, Period, StagePair
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import Grain, TeamKind
from tests.metrics import plan_worlds
from tests.metrics.plan_worlds import DAY, NOW, Entered, Needed, PlanWorld, Sold, made_up, rounded_up
from tests.metrics.test_against_oracle import QUICK
from tests.support.examples import examples
from tests.support.graphql import put
from tests.support.random_choices import RandomChoices

MEASURED = period(*plan_worlds.MEASURED)
APRIL = period(date(2026, 4, 1), date(2026, 5, 1))


@pytest.fixture(scope="module")
async def ready(module_database: Database) -> tuple[Database, UUID]:
    async with module_database.write() as session:
        version = await adopt_accord(session, read_accord("standard"))
        await plan_worlds.prepare(session, version.id)
    return module_database, version.id


async def planned(
    database: Database,
    amount: str | None,
    days: Period = APRIL,
    measured: Period | None = MEASURED,
    grain: Grain = Grain.MONTH,
) -> RevenuePlan:
    target = None if amount is None else Decimal(amount)
    request = RevenuePlanRequest(period=days, amount=target, measured_over=measured, grain=grain)
    async with database.read() as session:
        return await query_revenue_plan(session, LOCAL_OPERATOR, request, now=NOW)


async def loaded(ready: tuple[Database, UUID], world: PlanWorld) -> Database:
    database, version = ready
    async with database.write() as session:
        await plan_worlds.load(session, world, version)
    return database


@settings(QUICK, max_examples=examples(40))
@given(seed=st.integers(0, 10**9))
async def test_it_equals_the_oracle(ready: tuple[Database, UUID], seed: int) -> None:
    choices = RandomChoices.of_seed(seed)
    world, target = made_up(choices), Decimal(choices.integer(1, 10_000_000)) / 100
    first = date(2026, 3, 20) + choices.integer(0, 40) * DAY
    days = period(first, first + choices.integer(1, 45) * DAY)
    found = await planned(await loaded(ready, world), str(target), days, grain=choices.one((Grain.MONTH, Grain.WEEK)))
    assert days.starts_on is not None
    assert days.before is not None
    expected = plan_worlds.plan(world, target, days.starts_on, days.before)
    assert len(found.steps) == len(expected)
    for step, needed in zip(found.steps, expected, strict=True):
        same(step, needed, target)


def same(step: PlanStep, expected: Needed, target: Decimal) -> None:
    assert step.needed == (None if expected.total is None else rounded_up(expected.total)), step.title
    assert (step.missing is None) == (expected.by_day is not None), step.title
    if expected.total is not None:
        assert step.leads_to is not None
        assert step.residual is not None
        assert step.leads_to >= target
        assert step.residual >= 0
        # One entry less would not reach the target.
        assert step.needed is not None
        worth = Fraction(target) / expected.total
        assert (step.needed - 1) * worth < target
    if expected.by_day is None:
        assert step.buckets == ()
        assert step.owed is None
        return
    assert step.needed == sum(bucket.needed for bucket in step.buckets)
    counted = ((expected.share_of_day.get(day, Fraction(0)), entered) for day, entered in expected.entered.items())
    standing = sum((share * entered for share, entered in counted), Fraction(0))
    assert expected.total is not None
    assert step.standing is not None
    assert abs(Fraction(step.standing) - standing) <= Fraction(1, 10**6)
    assert step.owed == rounded_up(max(Fraction(0), expected.total - standing)) == sum(b.owed for b in step.buckets)
    for bucket in step.buckets:
        days = [bucket.starts_on + place * DAY for place in range((bucket.before - bucket.starts_on).days)]
        exact = sum((expected.by_day.get(day, Fraction(0)) for day in days), Fraction(0))
        share = sum((expected.share_of_day.get(day, Fraction(0)) for day in days), Fraction(0)) / len(days)
        assert abs(bucket.needed - exact) < 1
        assert abs(Fraction(bucket.landing) - share) <= Fraction(1, 10**6)
        assert bucket.entered == sum(expected.entered[day] for day in days)
        if share:
            assert bucket.pace == rounded_up(exact / share)
    assert {*expected.by_day} <= {
        bucket.starts_on + place * DAY
        for bucket in step.buckets
        for place in range((bucket.before - bucket.starts_on).days)
    }


def at(day: int) -> datetime:
    return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=day)


def by_hand() -> PlanWorld:
    """Four inquiries, two of which climb to the top in steps of 1, 2, 3 and 4 days; four deals, one of them won.

    The deals take ten days. The one that is won has an amount of 1,000.
    """
    climbed = [at(10), at(10), at(11), at(13), at(16), at(20)]
    winner = {stage: Entered(day, own=True) for stage, day in zip(plan_worlds.STAGES, climbed, strict=True)}
    stays = {"suspect": Entered(at(10), own=True), "inquiry": Entered(at(10), own=True)}
    deals = [Sold(at(20), at(30), is_won=place == 0, amount=Decimal(1000)) for place in range(4)]
    return PlanWorld([winner, winner, stays, stays], deals)


async def test_by_hand_deals_of_other_pipelines_change_no_plan(ready: tuple[Database, UUID]) -> None:
    database, renewals = await loaded(ready, by_hand()), UUID(int=4000)
    alone = await planned(database, "1000")
    stage = {"id": renewals, "pipeline_id": renewals, "name": "Renewed", "rank": 1, "category": "WON"}
    renewed = {"pipeline_stage_id": renewals, "outcome": "WON", "opened_at": at(20), "effective_at": at(20)}
    renewed |= {"amount": Decimal(9000), "currency": "EUR"}
    closed = (at(21), at(21), at(100))  # in the measured days, and in those of the plan
    async with database.write() as session:
        await put(session, "pipeline", {"id": renewals, "name": "Renewals", "is_new_business": False})
        await put(session, "pipeline_stage", stage)
        rows = ({"id": UUID(int=4000 + place), "closed_at": day, **renewed} for place, day in enumerate(closed))
        await put(session, "deal", *rows)
    beside = await planned(database, "1000")
    async with database.write() as session:
        await session.run(Sql("delete from deal where pipeline_stage_id = {}", renewals))
        await session.run(Sql("delete from deal_version where pipeline_stage_id = {}", renewals))
        await session.script("delete from pipeline_stage; delete from pipeline")
    assert beside.steps == alone.steps
    assert [step.rate.n for step in beside.steps[-2:]] == [4, 1]


async def test_by_hand_the_plan_counts_back_from_the_wins(ready: tuple[Database, UUID]) -> None:
    found = await planned(await loaded(ready, by_hand()), "30000")
    steps = {step.title: step for step in found.steps}
    # 30 wins of 1,000; a quarter of the deals is won; two deals for each person in the stage opportunity, which
    # everybody in mql reaches; half of the inquiries become mqls.
    needs = {"Deals won": 30, "Opportunities created": 120, "Opportunity": 60, "Sales qualified lead": 60}
    needs |= {"Sales accepted lead": 60, "Marketing qualified lead": 60, "Inquiry": 120, "Suspect": 120}
    assert {title: step.needed for title, step in steps.items()} == needs
    assert [step.days_to_win for step in found.steps] == [20, 20, 19, 17, 14, 10, 10, 0]
    assert {step.residual for step in found.steps} == {Decimal("0.00")}
    # The wins are of April: who wins then entered mql 19 days earlier, two a day, from 13 March to 11 April.
    buckets = steps["Marketing qualified lead"].buckets
    assert [(bucket.starts_on, bucket.before, bucket.needed) for bucket in buckets] == [
        (date(2026, 3, 13), date(2026, 4, 1), 38),
        (date(2026, 4, 1), date(2026, 4, 12), 22),
    ]
    assert {bucket.landing for bucket in buckets} == {Decimal(1)}
    assert steps["Inquiry"].team is TeamKind.MARKETING
    assert steps["Sales qualified lead"].team is TeamKind.SALES
    assert found.overrides == ("measuredOver=2026-01-01..2026-04-01",)
    assert not found.is_canonical
    assert [(warning.code, warning.count) for warning in found.warnings] == [(WarningCode.LOW_SAMPLE, 8)]


async def test_what_stands_is_taken_from_what_is_owed(ready: tuple[Database, UUID]) -> None:
    world = by_hand()
    early = [{"suspect": Entered(at(10), own=True), "inquiry": Entered(at(80), own=True)} for _ in range(7)]
    found = await planned(await loaded(ready, PlanWorld([*world.people, *early], world.deals)), "30000")
    inquiry = next(step for step in found.steps if step.stage == "inquiry")
    assert inquiry.standing == 7
    assert inquiry.needed is not None
    assert inquiry.owed == inquiry.needed - 7
    assert sum(bucket.entered or 0 for bucket in inquiry.buckets) == 7


async def test_the_day_of_as_of_has_entries_and_the_days_after_it_have_none(ready: tuple[Database, UUID]) -> None:
    december = period(date(2026, 12, 1), date(2026, 12, 4))
    found = await planned(await loaded(ready, by_hand()), "3000", december, grain=Grain.DAY)
    assert [bucket.entered for bucket in found.steps[-1].buckets] == [0, None, None]


async def test_a_rate_of_twenty_records_is_no_low_sample(ready: tuple[Database, UUID]) -> None:
    world = by_hand()
    found = await planned(await loaded(ready, PlanWorld(world.people * 5, world.deals * 5)), "30000")
    assert [step.rate.n for step in found.steps] == [20, 20, *[10] * 4, 20, 5]
    assert [(warning.code, warning.count) for warning in found.warnings] == [(WarningCode.LOW_SAMPLE, 5)]


async def test_plans_of_consecutive_periods_add_up_to_the_plan_of_both(ready: tuple[Database, UUID]) -> None:
    database = await loaded(ready, by_hand())
    first = await planned(database, "15000", period(date(2026, 4, 1), date(2026, 4, 16)))
    second = await planned(database, "15000", period(date(2026, 4, 16), date(2026, 5, 1)))
    both = await planned(database, "30000")
    for one, other, whole in zip(first.steps, second.steps, both.steps, strict=True):
        assert (one.needed or 0) + (other.needed or 0) == whole.needed


async def test_every_rate_and_lag_is_the_answer_of_its_kpi(ready: tuple[Database, UUID]) -> None:
    database = await loaded(ready, by_hand())
    found = await planned(database, "30000")
    sql = next(step for step in found.steps if step.stage == "sql")
    won = found.steps[-1]
    pair = StagePair("sql", "opportunity")
    requests = [KpiRequest(key, MEASURED, stages=pair) for key in ("stage_conversion", "time_to_convert")]
    requests.append(KpiRequest("avg_deal_size", MEASURED))
    async with database.read() as session:
        rate, lag, size = await query_kpis(session, LOCAL_OPERATOR, requests, now=NOW)
    assert not isinstance(rate, AccordError)
    assert not isinstance(lag, AccordError)
    assert not isinstance(size, AccordError)
    assert (sql.rate.value, sql.rate.numerator, sql.rate.n) == (rate.value, rate.numerator, rate.n)
    assert sql.rate.warnings == rate.warnings
    assert sql.lag is not None
    assert (sql.lag.distribution, sql.lag.n) == (lag.distribution, lag.n)
    assert (won.rate.value, won.rate.n) == (size.value, size.n)


async def test_without_an_override_rates_are_of_the_last_four_quarters_whose_outcome_is_known(
    ready: tuple[Database, UUID],
) -> None:
    found = await planned(await loaded(ready, by_hand()), "30000", measured=None)
    measured = {step.stage or step.kpi: step.rate.period for step in found.steps}
    # It is 1 December. The window of 90 days from inquiry to mql reaches back into the third quarter.
    assert (measured["mql"].starts_on, measured["mql"].before) == (date(2025, 10, 1), date(2026, 10, 1))
    assert (measured["inquiry"].starts_on, measured["inquiry"].before) == (date(2025, 7, 1), date(2026, 7, 1))
    assert measured["deals_won"].before == date(2026, 10, 1)
    assert found.is_canonical


async def test_a_rate_that_cannot_be_measured_leaves_the_steps_below_null_with_the_reason(
    ready: tuple[Database, UUID],
) -> None:
    world = by_hand()
    lost = [Sold(deal.opened, deal.closed, is_won=False, amount=deal.amount) for deal in world.deals]
    database = await loaded(ready, PlanWorld(world.people, lost))
    found = await planned(database, "30000")
    assert [step.needed for step in found.steps] == [None] * 8
    assert all(step.missing is not None and step.missing.code is WarningCode.ZERO_DENOMINATOR for step in found.steps)
    # The reason is the first one, counted back from the wins, although the win rate of the step below is 0, too.
    assert len({step.missing for step in found.steps}) == 1
    nobody = [{"suspect": Entered(at(10), own=True)}]
    found = await planned(await loaded(ready, PlanWorld(nobody, world.deals)), "30000")
    assert [step.needed for step in found.steps[-2:]] == [120, 30]
    assert [step.needed for step in found.steps[:-2]] == [None] * 6


async def test_bad_input_is_refused(ready: tuple[Database, UUID]) -> None:
    database = await loaded(ready, by_hand())
    cases = [
        (RevenuePlanRequest(period=ALL_HISTORY, amount=Decimal(1)), ErrorCode.BAD_PERIOD),
        (RevenuePlanRequest(period=APRIL, amount=Decimal(0)), ErrorCode.BAD_INPUT),
        (RevenuePlanRequest(period=APRIL, amount=Decimal(-5)), ErrorCode.BAD_INPUT),
        (RevenuePlanRequest(period=APRIL), ErrorCode.BAD_INPUT),  # the accord has no target
        (RevenuePlanRequest(period=APRIL, amount=Decimal(1), as_of=datetime(2026, 1, 1)), ErrorCode.BAD_INPUT),  # noqa: DTZ001
        (RevenuePlanRequest(period=APRIL, amount=Decimal(1), measured_over=ALL_HISTORY), ErrorCode.BAD_PERIOD),
        (
            RevenuePlanRequest(period=APRIL, amount=Decimal(1), as_of=datetime(1, 1, 1, tzinfo=UTC)),
            ErrorCode.BAD_INPUT,
        ),
        (
            RevenuePlanRequest(period=period(date(2026, 1, 1), date(8000, 1, 1)), amount=Decimal(1)),
            ErrorCode.BAD_PERIOD,
        ),
        (
            RevenuePlanRequest(period=named_period("2026"), amount=Decimal(1), measured_over=MEASURED, grain=Grain.DAY),
            None,
        ),
    ]
    for request, code in cases:
        async with database.read() as session:
            if code is None:
                await query_revenue_plan(session, LOCAL_OPERATOR, request, now=NOW)
                continue
            with pytest.raises(AccordError) as refused:
                await query_revenue_plan(session, LOCAL_OPERATOR, request, now=NOW)
        assert refused.value.code is code

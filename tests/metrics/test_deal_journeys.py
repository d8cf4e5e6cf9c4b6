"""Answers about deals from journeys are those from facts, over generated histories and exchange rates."""

from dataclasses import replace
from datetime import date, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.accord.in_force import accord_periods
from api.db import Database
from api.funnel.journeys.deal_rows import FEW_DEALS, deal_facts, deal_rows
from api.funnel.journeys.deal_spans import deal_spans
from api.funnel.ladder import ladder_of
from api.funnel.stored_entries import with_tables
from api.metrics.answer import KpiAnswer
from api.metrics.request import KpiRequest, Period, Where
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.base import new_id
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import AnsweredFrom
from schema.vocab import Anchor, Currency, Grain
from tests.metrics import deal_oracle as oracle
from tests.metrics.generated_contacts import ACCORD, MEMBERS, NOW, TEAMS
from tests.metrics.test_against_oracle import QUICK
from tests.metrics.test_deals_against_oracle import FILTERS, requests
from tests.metrics.test_journeys import answers
from tests.support.day_sums import Outdated, canonical, compare, outdated, store
from tests.support.examples import examples
from tests.support.journeys import derive_journeys

KEYS = (
    *("opportunities_created", "deals_won", "new_customers", "revenue_won", "pipeline_created", "win_rate"),
    *("avg_deal_size", "open_pipeline", "weighted_pipeline", "sales_cycle"),
)


def of_today(request: KpiRequest) -> KpiRequest:
    """The request as of now: an earlier `asOf` may ask for a former closing."""
    return replace(request, switches=replace(request.switches, as_of=None))


@pytest.fixture(scope="module")
async def ready(module_database: Database) -> Database:
    async with module_database.write() as session:
        reporting = ACCORD.reporting.model_copy(update={"currency": Currency.EUR})
        version = await adopt_accord(session, ACCORD.model_copy(update={"reporting": reporting}))
        await session.copy("team", ["id", "name", "kind"], [(key, name, "SALES") for name, key in TEAMS.items()])
        members = [(key, name, TEAMS[team] if team else None) for name, (key, team) in MEMBERS.items()]
        await session.copy("member", ["id", "name", "team_id"], members)
        await oracle.prepare_deals(session)
        evaluation = "insert into evaluation (id, reading, accord_version_id, started_at, finished_at, is_current)"
        await session.run(Sql(evaluation + " values ({}, 'IN_FORCE', {}, now(), now(), true)", new_id(), version.id))
    return module_database


def of_key(request: KpiRequest, key: str) -> KpiRequest:
    """The request for another KPI, which may have no currency rule."""
    rule = request.switches.currency_rule if CATALOGUE[key].switches.currency_rule else None
    return replace(request, key=key, switches=replace(request.switches, currency_rule=rule))


def of_cohort(request: KpiRequest) -> KpiRequest:
    """The share won of the deals opened in the period of the request."""
    win_rate = of_key(request, "win_rate")
    return replace(win_rate, switches=replace(win_rate.switches, anchor=Anchor.COHORT))


@st.composite
def forecasts(draw: st.DrawFn) -> KpiRequest:
    """Requests for the accuracy of forecasts, over periods in which most deals are due and won."""
    start = date(2026, 1, 1) + timedelta(days=draw(st.integers(0, 60)))
    return KpiRequest(
        "forecast_accuracy",
        Period(start, start + timedelta(days=draw(st.integers(20, 100)))),
        grain=draw(st.sampled_from([None, Grain.WEEK, Grain.MONTH])),
        by=tuple(draw(st.lists(st.sampled_from(oracle.DIMENSIONS), max_size=2, unique=True))),
        where=draw(st.just(Where()) | FILTERS),
    )


@settings(QUICK, max_examples=examples(40))
@given(
    world=st.lists(oracle.deals(), max_size=10),
    has_unopened=st.booleans(),
    batch=st.lists(requests().map(of_today), min_size=4, max_size=6),
    keys=st.lists(st.sampled_from(KEYS), min_size=6, max_size=6),
)
async def test_answers_about_deals_from_journeys_are_those_from_facts(
    ready: Database, world: list[oracle.MadeDeal], has_unopened: bool, batch: list[KpiRequest], keys: list[str]
) -> None:
    await load(ready, world, has_unopened=has_unopened)
    wanted = [of_key(request, key) for request, key in zip(batch, keys, strict=False)]
    # What joins the openings to the closings of the same deals.
    wanted += [follow(request) for request in batch for follow in (of_cohort, partial(of_key, key="sales_cycle"))]
    quick = await answers(ready, wanted, NOW, AnsweredFrom.JOURNEYS, is_strict=not has_unopened)
    assert quick == await answers(ready, wanted, NOW, AnsweredFrom.FACTS)
    assert all(isinstance(found, tuple) and isinstance(found[0], KpiAnswer) for found in quick)


@settings(QUICK, max_examples=examples(40))
@given(
    world=st.lists(oracle.deals(), min_size=1, max_size=6),
    wanted=st.lists(st.tuples(requests(), st.sampled_from(["open_pipeline", "weighted_pipeline"])), max_size=3),
)
async def test_open_pipelines_from_spans_are_those_from_histories(
    ready: Database, world: list[oracle.MadeDeal], wanted: list[tuple[KpiRequest, str]]
) -> None:
    await load(ready, world, has_unopened=False)
    # The states of some days are seldom those of the days beside them: instants have to be right to the microsecond.
    first = min(state.begins for deal in world for state in deal.states).date()
    daily = Period(first - timedelta(days=1), first + timedelta(days=20))
    dated = [KpiRequest("open_pipeline", daily, grain=Grain.DAY, by=(dimension,)) for dimension in oracle.DIMENSIONS]
    batch = [of_key(request, key) for request, key in wanted]
    for asked in (dated, batch):
        quick = await answers(ready, asked, NOW, AnsweredFrom.JOURNEYS, is_strict=True)
        assert quick == await answers(ready, asked, NOW, AnsweredFrom.FACTS)


@settings(QUICK, max_examples=examples(40))
@given(world=st.lists(oracle.deals(), min_size=2, max_size=8))
async def test_rows_derived_for_some_deals_are_those_derived_for_all(
    ready: Database, world: list[oracle.MadeDeal]
) -> None:
    await load(ready, world, has_unopened=True)
    async with ready.read() as session:
        ladder = ladder_of(await accord_periods(session))
        ids = [row["id"] for row in await session.rows(Sql("select id from deal order by id"))]
        for derive in (deal_rows, deal_spans):
            some = []
            for half in (ids[::2], ids[1::2]):
                few = ((FEW_DEALS, deal_facts(ladder, Sql("{}::uuid[]", half))),)
                rows = Sql("{}\nselect * from ({}) d", with_tables(few), derive(ladder, is_few=True))
                some += [tuple(row) for row in await session.rows(rows)]
            every = [tuple(row) for row in await session.rows(derive(ladder))]
            assert sorted(some, key=repr) == sorted(every, key=repr)


@settings(QUICK, max_examples=examples(40))
@given(
    world=st.lists(oracle.deals(), max_size=10),
    batch=st.lists(requests().map(of_today), min_size=6, max_size=6),
    keys=st.permutations(KEYS),
    changes=outdated,
)
async def test_answers_about_deals_from_day_sums_are_those_from_facts(
    ready: Database,
    world: list[oracle.MadeDeal],
    batch: list[KpiRequest],
    keys: list[str],
    changes: list[Outdated],
) -> None:
    await load(ready, world, has_unopened=False)
    await store(ready, NOW, changes)
    wanted = [canonical(of_key(request, key)) for request, key in zip(batch, keys, strict=False)]
    await compare(ready, wanted, NOW)


@settings(QUICK, max_examples=examples(40))
@given(world=st.lists(oracle.deals(), min_size=6, max_size=14), batch=st.lists(forecasts(), min_size=6, max_size=8))
async def test_forecasts_from_spans_are_those_from_histories(
    ready: Database, world: list[oracle.MadeDeal], batch: list[KpiRequest]
) -> None:
    await load(ready, world, has_unopened=True)
    quick = await answers(ready, batch, NOW, AnsweredFrom.JOURNEYS)
    assert quick == await answers(ready, batch, NOW, AnsweredFrom.FACTS)


async def load(database: Database, world: list[oracle.MadeDeal], *, has_unopened: bool) -> None:
    """Load generated deals, without those that have no known opening unless these are wanted, with their journeys."""
    async with database.write() as session:
        await oracle.load_deals(session, world)
        if not has_unopened:
            unopened = "select id from deal where opened_at is null"
            for table, column in (("deal_version", "deal_id"), ("deal_contact", "deal_id"), ("deal", "id")):
                await session.script(f"delete from {table} where {column} in ({unopened})")
        await derive_journeys(session)

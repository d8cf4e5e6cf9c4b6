"""KPIs of people count those whose dimension values are from an assumed history, recorded only later."""

from datetime import UTC, datetime, timedelta

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_funnel, query_kpis
from api.metrics.request import FunnelRequest, KpiRequest, StagePair, Where
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from tests.support.graphql import put, uid

START = datetime(2026, 3, 1, tzinfo=UTC)
YEAR = named_period("2026")


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    """Four inquiries. The versions of three people and of one company are assumed; one of the people's was in time."""
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        known, assumed = {"effective_at": START}, {"effective_at": START, "is_assumed": True}
        await put(
            session,
            "company",
            {"id": uid(1), "name": "Acme", "industry": "Steel", **known},
            {"id": uid(2), "name": "Bolt", "industry": "Wood", **assumed},
        )
        await put(
            session,
            "contact",
            {"id": uid(11), "lead_source": "web", "country": "DE", **assumed},
            {"id": uid(12), "lead_source": "web", "country": "FR", **assumed},
            {"id": uid(13), "lead_source": "fair", "country": "DE", **assumed},
            {"id": uid(14), "lead_source": "web", "country": "DE", "company_id": uid(2), **known},
        )
        for number in (11, 12, 13, 14):
            at = START + timedelta(days=number)
            touch = {"id": uid(10 + number), "contact_id": uid(number), "occurred_at": at, "recorded_at": at}
            await put(session, "touchpoint", touch | {"kind": "FORM", "direction": "INBOUND"})
        recorded = "update contact_version set recorded_at = {} where contact_id = {}"
        # In time: at the very instant of the touch, and of the entry that it leads to.
        await session.run(Sql(recorded, START + timedelta(days=12), uid(12)))
        await session.run(Sql("update contact_version set recorded_at = {} where not is_assumed", START))
        await evaluate(session)
    return module_database


def inquiries(*by: Dimension, lead_source: str | None = None) -> KpiRequest:
    """How many people became inquiries."""
    tests = [(Dimension.STAGE, ("inquiry",)), *([(Dimension.LEAD_SOURCE, (lead_source,))] if lead_source else [])]
    return KpiRequest("stage_volume", YEAR, by=by, where=Where(tests=tuple(tests)))


async def kpi(database: Database, request: KpiRequest) -> KpiAnswer:
    async with database.read() as session:
        [found] = await query_kpis(session, LOCAL_OPERATOR, [request])
    assert isinstance(found, KpiAnswer), found
    return found


def assumed(answer: KpiAnswer | FunnelAnswer) -> list[tuple[int | None, str]]:
    found = [warning for warning in answer.warnings if warning.code is WarningCode.HISTORY_ASSUMED]
    return [(warning.count, warning.message.split(" on an ")[0]) for warning in found]


async def test_a_number_of_people_reads_no_history(world: Database) -> None:
    found = await kpi(world, inquiries())
    assert (found.n, assumed(found)) == (4, [])


async def test_a_breakdown_counts_the_people_whose_value_was_recorded_later(world: Database) -> None:
    found = await kpi(world, inquiries(Dimension.LEAD_SOURCE))
    assert assumed(found) == [(2, "2 of 4 people stand")]
    # The channel of the first touch is no value of a version.
    assert assumed(await kpi(world, inquiries(Dimension.CHANNEL))) == []


async def test_a_filter_counts_those_that_it_selects(world: Database) -> None:
    found = await kpi(world, inquiries(lead_source="web"))
    assert (found.n, assumed(found)) == (3, [(1, "1 of 3 people stands")])


async def test_the_history_of_the_company_counts_as_well(world: Database) -> None:
    found = await kpi(world, inquiries(Dimension.INDUSTRY))
    assert assumed(found) == [(3, "3 of 4 people stand")]


async def test_cohorts_and_the_funnel_say_it_alike(world: Database) -> None:
    pair = KpiRequest("stage_conversion", YEAR, by=(Dimension.COUNTRY,), stages=StagePair("inquiry", "mql"))
    assert assumed(await kpi(world, pair)) == [(2, "2 of 4 people stand")]
    async with world.read() as session:
        [plain, by_source] = [
            await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(YEAR, by=by))
            for by in ((), (Dimension.LEAD_SOURCE,))
        ]
    assert isinstance(plain, FunnelAnswer)
    assert isinstance(by_source, FunnelAnswer)
    assert assumed(plain) == []
    [(count, text)] = assumed(by_source)
    assert (count, text) == (3, "3 of 4 people stand")

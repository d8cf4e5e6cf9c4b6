"""In the sample company, day sums give the figures of the facts, by days, weeks, months and quarters."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from api.db import Database
from api.errors import AccordError
from api.metrics.request import KpiRequest, Period, Switches, Where
from api.metrics.summing.check_sums import check_day_sums
from api.workflows.make_sample import make_sample
from schema.kpis.answer_vocab import AnsweredFrom
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain
from tests.support.day_sums import compare, store
from tests.support.examples import some_of

UNTIL = date(2026, 11, 1)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
BOARD = (
    *("mqls", "sqls", "opportunities_created", "deals_won", "mql_to_customer", "win_rate", "revenue_won"),
    *("pipeline_created", "open_pipeline", "weighted_pipeline", "mql_acceptance", "speed_to_lead"),
)
GRAINS = (None, Grain.DAY, Grain.WEEK, Grain.MONTH, Grain.FISCAL_QUARTER)
BREAKDOWNS: tuple[tuple[Dimension, ...], ...] = ((Dimension.CHANNEL,), (), (Dimension.OWNER,), (Dimension.CAMPAIGN,))


@pytest.fixture(scope="module")
async def sample(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=600, seed=11, until=UNTIL, processes=0)
    return module_database


@pytest.mark.parametrize("grain", GRAINS)
async def test_a_board_of_the_sample(sample: Database, grain: Grain | None) -> None:
    await store(sample, AS_OF, [("deal_journey", 40, 3), ("journey", 100, 0), ("deal_span", 70, 5)])
    periods = (Period(date(2025, 11, 1), UNTIL), Period(date(2026, 2, 11), date(2026, 9, 3)), Period())
    for by in some_of(BREAKDOWNS, GRAINS.index(grain)):
        wanted = [KpiRequest(key, period, grain=grain, by=by) for key in BOARD for period in periods]
        read_from = await compare(sample, wanted, AS_OF)
        assert AnsweredFrom.FACTS not in read_from
        assert AnsweredFrom.DAY_SUMS in read_from
    async with sample.scratch() as session:
        assert await check_day_sums(session, AS_OF) > len(BOARD)


@pytest.mark.parametrize("hours", [7, 20])
async def test_a_window_that_ends_within_a_day(sample: Database, hours: int) -> None:
    await store(sample, AS_OF, [])
    keys = ("inquiry_to_mql", "sal_to_sql", "sql_to_opportunity", "mql_to_customer")
    periods = (Period(date(2025, 11, 1), UNTIL), Period())
    wanted = [KpiRequest(key, period, grain=Grain.MONTH) for key in keys for period in periods]
    assert {*await compare(sample, wanted, AS_OF + timedelta(hours=hours))} == {AnsweredFrom.DAY_SUMS}


async def test_what_has_no_sums_is_read_from_journeys(sample: Database) -> None:
    await store(sample, AS_OF, [])
    year = Period(date(2025, 11, 1), UNTIL)
    plain = KpiRequest("mqls", year)
    others = (
        replace(plain, by=(Dimension.CHANNEL, Dimension.COUNTRY)),
        replace(plain, switches=Switches(as_of=AS_OF - timedelta(days=1))),
        replace(plain, switches=Switches(timezone="Asia/Kolkata")),
        replace(plain, where=Where(tests=((Dimension.CHANNEL, ("EMAIL",)),))),
    )
    assert await compare(sample, (plain, *others), AS_OF) == [AnsweredFrom.DAY_SUMS, *[AnsweredFrom.JOURNEYS] * 4]


async def test_a_wrong_sum_is_reported(sample: Database) -> None:
    await store(sample, AS_OF, [])
    async with sample.scratch() as session:
        await session.script("update day_sum set n = n + 1 where starts_at = (select max(starts_at) from day_sum)")
        with pytest.raises(AccordError, match=r"The stored day sums of .* differ from the journeys"):
            await check_day_sums(session, AS_OF)

"""Day sums have what was known when they were stored: an answer as of an earlier instant reads journeys."""

from datetime import datetime

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest, Switches
from schema.kpis.answer_vocab import AnsweredFrom
from tests.golden.world import AFTER_ALL, day, load
from tests.support.day_sums import store


async def test_a_conversion_after_as_of_is_none_although_its_day_has_sums(module_database: Database) -> None:
    async with module_database.write() as session:
        await load(session)
        await evaluate(session, as_of=AFTER_ALL)
    await store(module_database, AFTER_ALL, [])

    async def converted(as_of: datetime | None) -> tuple[AnsweredFrom, int, int]:
        request = KpiRequest("inquiry_to_mql", named_period("2026-02"), switches=Switches(as_of=as_of))
        async with module_database.read() as session:
            [found] = await query_kpis(session, LOCAL_OPERATOR, [request], now=AFTER_ALL)
        assert isinstance(found, KpiAnswer), found
        return found.answered_from, int(found.numerator or 0), found.n

    # c4 became a qualified lead on 10 February, c5 on the 14th, and c6 on 28 March.
    assert await converted(None) == (AnsweredFrom.DAY_SUMS, 3, 3)
    assert await converted(day("02-12")) == (AnsweredFrom.JOURNEYS, 1, 3)

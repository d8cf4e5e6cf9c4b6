"""Day sums in tests: stored for what a test has loaded, some of them outdated, and compared with the facts."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TypeAlias

from hypothesis import strategies as st

from api.access.evaluation import CURRENT_EVALUATION
from api.db import Database
from api.errors import AccordError
from api.metrics.answer import KpiAnswer
from api.metrics.request import KpiRequest
from api.metrics.summing.store_sums import store_day_sums
from api.sql import Sql
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import AnsweredFrom
from tests.metrics.test_journeys import answered
from tests.support.journeys import answer_from_journeys

SOURCES = ("journey", "handoff_journey", "deal_journey", "deal_span", "campaign")
Outdated: TypeAlias = tuple[str, int, int]  # a source, the days before now, and for how many days

outdated = st.lists(st.tuples(st.sampled_from(SOURCES), st.integers(0, 200), st.integers(0, 3)), max_size=4)


async def store(database: Database, now: datetime, changes: Sequence[Outdated]) -> None:
    """Store the day sums, and let some of them be outdated."""
    async with database.snapshot() as session:
        await store_day_sums(session, now)
        for source, before, length in changes:
            start = now - timedelta(days=before)
            await session.run(
                Sql(
                    "insert into journey_change (evaluation_id, source, starts_at, ends_at) values ({}, {}, {}, {})",
                    *(CURRENT_EVALUATION, source, start, start + timedelta(days=length)),
                )
            )


async def compare(database: Database, wanted: Sequence[KpiRequest], now: datetime) -> list[AnsweredFrom]:
    """Require the answers to be the same from sums and from facts; returns what the first ones were read from."""
    found = []
    for is_allowed in (True, False):
        async with database.write() as session:
            await answer_from_journeys(session, is_allowed=is_allowed)
        async with database.read() as session:
            found.append([await answered(session, request, now) for request in wanted])
    async with database.write() as session:
        await answer_from_journeys(session, is_allowed=True)
    for request, quick, slow in zip(wanted, *found, strict=True):
        if isinstance(quick, KpiAnswer) and isinstance(slow, KpiAnswer):
            assert replace(quick, sql="", answered_from=slow.answered_from) == replace(slow, sql=""), request
        else:
            assert isinstance(quick, AccordError), quick
            assert isinstance(slow, AccordError), slow
            assert quick.message == slow.message
    return [quick.answered_from for quick in found[0] if isinstance(quick, KpiAnswer)]


def canonical(request: KpiRequest) -> KpiRequest:
    """The request with the default switches, a filter of none and one dimension at most: what has sums."""
    by = tuple(dimension for dimension in request.by if dimension in CATALOGUE[request.key].dimensions)[:1]
    return KpiRequest(request.key, request.period, grain=request.grain, by=by, stages=request.stages)

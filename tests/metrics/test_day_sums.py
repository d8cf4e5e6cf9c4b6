"""Answers about people from day sums are those from facts, whichever days are outdated."""

from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from api.db import Database
from api.metrics.request import KpiRequest
from tests.metrics import generated_activity
from tests.metrics.generated_contacts import NOW, Person, load, worlds
from tests.metrics.test_activity_against_oracle import requests as activity_requests
from tests.metrics.test_against_oracle import QUICK, conversions, requests
from tests.support.day_sums import Outdated, canonical, compare, outdated, store
from tests.support.examples import examples
from tests.support.journeys import derive_journeys


@settings(QUICK, max_examples=examples(40))
@given(
    world=worlds(),
    batch=st.lists((requests() | conversions()).map(canonical), min_size=5, max_size=8),
    changes=outdated,
)
async def test_people(
    ready: tuple[Database, UUID], world: list[Person], batch: list[KpiRequest], changes: list[Outdated]
) -> None:
    database, version = ready
    async with database.write() as session:
        await load(session, world, version)
        await derive_journeys(session)
    await store(database, NOW, changes)
    await compare(database, batch, NOW)


@settings(QUICK, max_examples=examples(40))
@given(
    found=generated_activity.worlds(),
    batch=st.tuples(*(activity_requests(key) for key in ("speed_to_lead", "mql_acceptance", "rejection_rate"))),
    changes=outdated,
)
async def test_waits_and_decisions(
    ready: tuple[Database, UUID],
    found: list[generated_activity.Known],
    batch: tuple[KpiRequest, ...],
    changes: list[Outdated],
) -> None:
    database, version = ready
    async with database.write() as session:
        await generated_activity.load(session, found, version)
        await derive_journeys(session)
    await store(database, NOW, changes)
    await compare(database, [canonical(request) for request in batch], NOW)

"""Answers about people from day sums are those from facts, whichever days are outdated."""

from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from api.db import Database
from api.metrics.answer import KpiAnswer
from api.metrics.request import KpiRequest, Period
from schema.kpis.answer_vocab import AnsweredFrom
from tests.metrics import generated_activity
from tests.metrics.generated_contacts import NOW, STAGES, START, Entry, Person, Version, load, worlds
from tests.metrics.test_activity_against_oracle import requests as activity_requests
from tests.metrics.test_against_oracle import QUICK, conversions, requests
from tests.metrics.test_journeys import answered
from tests.support.day_sums import Outdated, canonical, compare, outdated, store
from tests.support.examples import examples
from tests.support.journeys import derive_journeys

# Most worlds have ended by NOW, as have all windows; at an earlier instant some windows end within a day of entries.
STORED_AT = st.just(NOW) | st.integers(240, 520).map(lambda step: START + timedelta(hours=6 * step))


@settings(QUICK, max_examples=examples(60))
@given(
    world=worlds(),
    batch=st.lists((requests() | conversions()).map(canonical), min_size=5, max_size=8),
    changes=outdated,
    stored_at=STORED_AT,
    later=st.sampled_from([timedelta(0), timedelta(hours=5), timedelta(days=2, hours=13)]),
)
async def test_people(
    ready: tuple[Database, UUID],
    world: list[Person],
    batch: list[KpiRequest],
    changes: list[Outdated],
    stored_at: datetime,
    later: timedelta,
) -> None:
    database, version = ready
    async with database.write() as session:
        await load(session, world, version)
        await derive_journeys(session)
    await store(database, stored_at, changes)
    await compare(database, batch, stored_at + later)


async def test_a_fact_that_lay_in_the_future_counts_once_its_time_has_come(ready: tuple[Database, UUID]) -> None:
    database, version = ready
    stored_at = START + timedelta(days=60)
    ways: dict[str, tuple[Entry, ...]] = dict.fromkeys(STAGES, ())
    ways |= {
        stage: (Entry(stored_at + away, stored_at + away, None),)
        for stage, away in (("inquiry", timedelta(days=-5)), ("mql", timedelta(days=1)))
    }
    person = Person(ways, (Version(START, None, None, None, None),), (), None)
    async with database.write() as session:
        await load(session, [person], version)
        await derive_journeys(session)
    await store(database, stored_at, [])
    request = KpiRequest("inquiry_to_mql", Period())
    for later, converted in ((timedelta(0), 0), (timedelta(days=2), 1)):
        await compare(database, [request], stored_at + later)
        async with database.read() as session:
            answer = await answered(session, request, stored_at + later)
        assert isinstance(answer, KpiAnswer)
        assert answer.numerator == Decimal(converted)


async def test_without_a_window_nobody_is_mature_before_somebody_converts(ready: tuple[Database, UUID]) -> None:
    database, version = ready
    entry = Entry(START + timedelta(days=10), START + timedelta(days=10), None)
    without = dict.fromkeys(STAGES, ())
    person = Person(without | {"mql": (entry,)}, (Version(START, None, None, None, None),), (), None)
    async with database.write() as session:
        await load(session, [person, person], version)
        await derive_journeys(session)
    await store(database, NOW, [])
    request = KpiRequest("mql_to_customer", Period())
    assert await compare(database, [request], NOW) == [AnsweredFrom.DAY_SUMS]
    async with database.read() as session:
        answer = await answered(session, request, NOW)
    assert isinstance(answer, KpiAnswer)
    assert (answer.n, answer.numerator) == (2, Decimal(0))
    mature = answer.variants[1]
    assert (mature.value, mature.numerator, mature.denominator) == (None, Decimal(0), Decimal(0))


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

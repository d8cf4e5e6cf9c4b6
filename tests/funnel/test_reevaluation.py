"""Re-evaluating some contacts stores the entries that a rebuild derives, whichever way it goes."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.accord.in_force import AccordPeriod, accord_periods
from api.db import Database, WriteSession
from api.funnel.derivation import derived_entries
from api.funnel.following import reevaluate as reevaluation
from api.funnel.following.reevaluate import reevaluate
from api.funnel.stored_entries import differing_entries
from api.sql import Sql
from schema.base import new_id
from tests.funnel import histories
from tests.funnel.generated_versions import versions
from tests.funnel.stored_facts import write_facts
from tests.support.accords import replace_versions
from tests.support.examples import examples
from tests.support.random_choices import RandomChoices

AFTER_ALL = histories.START + timedelta(days=400)
STORED = Sql("select * from stage_entry")


async def begin(session: WriteSession, periods: Sequence[AccordPeriod]) -> None:
    """Make an evaluation without entries the current one."""
    await replace_versions(session, periods)
    await session.run(
        Sql(
            "insert into evaluation (id, reading, accord_version_id, started_at, is_current)"
            " values ({}, 'IN_FORCE', {}, now(), true)",
            new_id(),
            periods[-1].version_id,
        )
    )


async def differences(session: WriteSession, as_of: datetime) -> list[object]:
    """The stored entries that differ from a rebuild."""
    async with derived_entries(session, await accord_periods(session), as_of) as derived:
        return list(await session.rows(differing_entries(STORED, derived)))


async def merge_some(session: WriteSession, choices: RandomChoices, contacts: Sequence[UUID]) -> None:
    """Merge some contacts into others, in chains and perhaps in a circle."""
    for contact in contacts:
        if choices.happens(3):
            survivor = choices.one(contacts)
            await session.run(Sql("update contact set merged_into_id = {} where id = {}", survivor, contact))


async def wake(session: WriteSession, until: datetime) -> None:
    """Re-evaluate whoever is due, one instant after another."""
    for _ in range(200):
        due = await session.value(Sql("select min(due_at) from wake_up where due_at <= {}", until))
        if due is None:
            return
        woken = await session.rows(Sql("select contact_id from wake_up where due_at = {}", due))
        await reevaluate(session, [row["contact_id"] for row in woken], as_of=due)
    raise AssertionError("the same contacts are woken without end")


async def compare_ways(database: Database, choices: RandomChoices, monkeypatch: pytest.MonkeyPatch) -> int:
    """Evaluate generated contacts by one statement and through tables, early and late; the number of entries."""
    periods = versions(choices) if choices.happens(2) else (AccordPeriod(new_id(), histories.accord(choices)),)
    companies = histories.companies(choices)
    contacts = list(choices.several(1, 6, lambda: histories.contact(choices)))
    # Versions are in force before anybody is evaluated by them.
    early = max(histories.instant(choices), periods[-1].in_force_from or histories.START)
    async with database.scratch() as scratch:
        session = WriteSession(scratch.connection)
        await begin(session, periods)
        ids = await write_facts(session, contacts, companies)
        await merge_some(session, choices, ids)
        monkeypatch.setattr(reevaluation, "MOST_IN_ONE_STATEMENT", 10)
        for contact in ids:
            await reevaluate(session, [contact], as_of=early)
        assert await differences(session, early) == [], (periods, contacts, companies, early)
        await session.script("savepoint early")
        # Nothing changes but the time: whoever is woken is enough.
        await wake(session, AFTER_ALL)
        assert await differences(session, AFTER_ALL) == [], (periods, contacts, companies, early)
        stored = len(await session.rows(STORED))
        await session.script("rollback to savepoint early")
        monkeypatch.setattr(reevaluation, "MOST_IN_ONE_STATEMENT", 0)
        changes = await reevaluate(session, ids, as_of=AFTER_ALL)
        assert await differences(session, AFTER_ALL) == [], (periods, contacts, companies)
        assert await reevaluate(session, ids, as_of=AFTER_ALL) == ()
        assert len({(change.contact_id, change.stage, change.occurrence) for change in changes}) == len(changes)
        return stored


@settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
async def test_one_statement_tables_and_wake_ups_store_what_a_rebuild_derives(
    module_database: Database, monkeypatch: pytest.MonkeyPatch, data: st.DataObject
) -> None:
    await compare_ways(module_database, RandomChoices.of_hypothesis(data), monkeypatch)


async def test_all_ways_agree_on_many_histories(module_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    stored = [await compare_ways(module_database, RandomChoices.of_seed(seed), monkeypatch) for seed in range(20)]
    assert sum(stored) > 25

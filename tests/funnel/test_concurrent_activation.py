"""A version comes into force while others write: nothing is lost or late, and readers see it all at once."""

import asyncio
from uuid import UUID

import pytest

from api.accord.in_force import accord_in_force
from api.db import Database, WriteSession
from api.funnel.drift import check_entries
from api.funnel.evaluate import begin_evaluation, evaluate
from api.funnel.evaluate_some import evaluate_some
from api.funnel.following.compiled_accord import current_evaluation
from api.funnel.following.follow_changes import follow_changes
from api.outbox.record_changes import RecordChange
from api.sql import Sql
from schema.accord import Accord
from schema.base import new_id
from schema.writes.changes import ChangeType
from tests.funnel.small_world import ACCORD, ANN, BOB, write_small_world
from tests.funnel.test_concurrent_writers import paused_evaluation, require_no_drift, stages, touch, update
from tests.support.accords import activate_document
from tests.support.graphql import put

CHIEF = {"field": "contact.job_title", "op": "eq", "value": "CEO"}
RULES: dict[str, object] = {"suspect": {"all": []}, "chief": CHIEF, "warm": {"touches": {}}}
SECOND = Accord.model_validate(
    {
        "title": "second",
        "stages": [
            {"key": key, "title": key, "group": "g", "owner": "SALES", "meaning": "m", "rule": rule}
            for key, rule in RULES.items()
        ],
    }
)


@pytest.fixture
async def small(database: Database) -> Database:
    async with database.write() as session:
        await write_small_world(session)
    return database


async def activate(session: WriteSession) -> RecordChange:
    await begin_evaluation(session)
    await activate_document(session, SECOND)
    return RecordChange(ChangeType.CHANGED, "accord_version", new_id())


async def causes(database: Database, contact: UUID) -> dict[str, str]:
    async with database.read() as session:
        rows = await session.rows(
            Sql(
                "select stage, cause from stage_entry e join evaluation v on v.id = e.evaluation_id and v.is_current"
                " where contact_id = {}",
                contact,
            )
        )
    return {row["stage"]: row["cause"] for row in rows}


async def title(database: Database) -> str:
    async with database.read() as session:
        return (await accord_in_force(session)).accord.title


async def test_readers_see_the_former_version_and_its_entries_until_the_commit(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with small.unit_of_work() as session:
        await follow_changes(session, [await touch(ANN)(session)])
    assert "warm" not in await stages(small, ANN)
    async with paused_evaluation(small, monkeypatch, before=activate):
        assert await title(small) == ACCORD.title
        assert "warm" not in await stages(small, ANN)
        await require_no_drift(small)
    assert await title(small) == SECOND.title
    assert (await causes(small, ANN))["warm"] == "ACCORD"
    await require_no_drift(small)


async def test_a_fact_that_only_the_new_version_reads_is_not_lost(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with paused_evaluation(small, monkeypatch, before=activate), small.unit_of_work() as session:
        await follow_changes(session, [await update("contact", BOB, "job_title", "CEO")(session)])
    assert "chief" in await stages(small, BOB)
    await require_no_drift(small)


async def test_a_fact_that_both_versions_read_is_in_the_entries_of_both(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with paused_evaluation(small, monkeypatch, before=activate):
        async with small.unit_of_work() as session:
            await follow_changes(session, [await touch(ANN)(session), await touch(ANN)(session)])
        assert "warm" in await stages(small, ANN)
    assert "warm" in await stages(small, ANN)
    await require_no_drift(small)


async def test_an_activation_waits_for_writers_and_the_writers_after_it_follow_the_new_version(
    small: Database,
) -> None:
    async def activate_now() -> None:
        async with small.write() as session:
            await activate(session)
            await evaluate(session)

    async with small.unit_of_work() as session:
        await follow_changes(session, [await touch(ANN)(session)])
        task = asyncio.create_task(activate_now())
        await asyncio.wait([task], timeout=0.2)
        assert not task.done()
    await task
    async with small.unit_of_work() as session:
        await follow_changes(session, [await update("contact", ANN, "job_title", "CEO")(session)])
    assert await stages(small, ANN) == {"suspect", "chief", "warm"}
    await require_no_drift(small)


async def test_an_import_during_an_activation_waits_for_it_and_is_judged_by_the_new_version(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    cid = new_id()

    async def load() -> None:
        async with small.write() as session:
            await begin_evaluation(session)
            await put(session, "contact", {"id": cid, "job_title": "CEO"})
            current = await current_evaluation(session)
            assert current is not None
            await evaluate_some(session, current, [cid])

    async with paused_evaluation(small, monkeypatch, before=activate):
        task = asyncio.create_task(load())
        await asyncio.wait([task], timeout=0.2)
        assert not task.done()
    await task
    assert await stages(small, cid) == {"suspect", "chief"}
    await require_no_drift(small)


async def activate_and_fail(database: Database) -> None:
    """Activate another version in a transaction that is rolled back."""
    async with database.write() as session:
        await activate(session)
        await evaluate(session)
        raise RuntimeError


async def test_an_activation_that_is_rolled_back_changes_nothing(small: Database) -> None:
    before = await causes(small, ANN)
    with pytest.raises(RuntimeError):
        await activate_and_fail(small)
    assert await title(small) == ACCORD.title
    assert await causes(small, ANN) == before
    async with small.scratch() as session:
        assert (await check_entries(session)).due == 0

"""Writers, rebuilds and imports at the same time, on connections of their own: their entries are those of all facts."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from api.db import Database, WriteSession
from api.funnel import evaluate as evaluation
from api.funnel.drift import check_entries
from api.funnel.evaluate import discard_former_entries, evaluate
from api.funnel.following.evaluation_locks import lock_storing
from api.funnel.following.follow_changes import follow_changes
from api.outbox.record_changes import RecordChange
from api.sql import Sql
from schema.base import new_id, now
from schema.writes.changes import ChangeType
from tests.funnel.small_world import ACME, ANN, BOB, DEAL, write_small_world
from tests.support.graphql import put


@pytest.fixture
async def small(database: Database) -> Database:
    async with database.write() as session:
        await write_small_world(session)
    return database


Write = Callable[[WriteSession], Awaitable[RecordChange]]


def touch(contact: UUID) -> Write:
    async def write(session: WriteSession) -> RecordChange:
        id_ = new_id()
        row = {"contact_id": contact, "id": id_, "occurred_at": now() - timedelta(days=1)}
        await put(session, "touchpoint", {**row, "kind": "FORM", "direction": "INBOUND"})
        return RecordChange(ChangeType.CREATED, "touchpoint", id_, after=row, contact_id=contact)

    return write


def update(table: str, record: UUID, column: str, value: object) -> Write:
    async def write(session: WriteSession) -> RecordChange:
        await session.run(Sql(f"update {table} set {column} = {{}} where id = {{}}", value, record))
        return RecordChange(ChangeType.CHANGED, table, record, {column: None}, {column: value})

    return write


async def win(session: WriteSession) -> RecordChange:
    await session.run(Sql("update deal set outcome = 'WON', closed_at = now() where id = {}", DEAL))
    return RecordChange(ChangeType.CHANGED, "deal", DEAL, {"outcome": "OPEN"}, {"outcome": "WON"})


def role(contact: UUID) -> Write:
    async def write(session: WriteSession) -> RecordChange:
        row = {"contact_id": contact, "deal_id": DEAL}
        await put(session, "deal_contact", row)
        return RecordChange(ChangeType.CREATED, "deal_contact", DEAL, after=row, contact_id=contact)

    return write


async def stages(database: Database, contact: UUID) -> set[str]:
    async with database.read() as session:
        rows = await session.rows(
            Sql(
                "select stage from stage_entry e join evaluation v on v.id = e.evaluation_id and v.is_current"
                " where contact_id = {} and own_at is not null",
                contact,
            )
        )
    return {row["stage"] for row in rows}


async def require_no_drift(database: Database) -> None:
    async with database.scratch() as session:
        assert (await check_entries(session)).due == 0


async def interleave(database: Database, first: Write, second: Write) -> None:
    """Both writers write, then the first evaluates, then the second tries to, then the first commits."""

    async def overtaken() -> None:
        async with database.unit_of_work() as session:
            change = await second(session)
            has_written.set()
            await is_evaluated.wait()
            await follow_changes(session, [change])

    has_written, is_evaluated = asyncio.Event(), asyncio.Event()
    later = asyncio.create_task(overtaken())
    async with database.unit_of_work() as session:
        change = await first(session)
        await has_written.wait()
        await follow_changes(session, [change])
        is_evaluated.set()
        await asyncio.wait([later], timeout=0.2)
        assert not later.done(), "the second writer did not wait for the first"
    await later


async def test_two_writers_on_one_contact(small: Database) -> None:
    await interleave(small, touch(ANN), touch(ANN))
    await require_no_drift(small)
    assert "warm" in await stages(small, ANN)


@pytest.mark.parametrize("is_company_first", [True, False])
async def test_a_company_changes_while_a_contact_joins_it(small: Database, is_company_first: bool) -> None:
    writes = update("company", ACME, "industry", "steel"), update("contact", ANN, "company_id", ACME)
    await interleave(small, *(writes if is_company_first else writes[::-1]))
    await require_no_drift(small)
    assert "fitting" in await stages(small, ANN)


async def test_two_contacts_of_a_company_are_written_while_the_company_changes(small: Database) -> None:
    for contact in (ANN, BOB):
        async with small.unit_of_work() as session:
            change = await update("contact", contact, "company_id", ACME)(session)
            await follow_changes(session, [change])
    await interleave(small, update("company", ACME, "industry", "steel"), touch(BOB))
    await interleave(small, touch(ANN), update("company", ACME, "industry", None))
    await interleave(small, touch(BOB), update("company", ACME, "industry", "steel"))
    await require_no_drift(small)
    assert await stages(small, BOB) == {"suspect", "warm", "fitting"}


@pytest.mark.parametrize("is_deal_first", [True, False])
async def test_a_deal_is_won_while_a_person_gets_a_role_in_it(small: Database, is_deal_first: bool) -> None:
    await interleave(small, *((win, role(ANN)) if is_deal_first else (role(ANN), win)))
    await require_no_drift(small)
    assert "customer" in await stages(small, ANN)


@pytest.mark.parametrize("is_merge_first", [True, False])
async def test_a_contact_is_touched_while_it_is_merged(small: Database, is_merge_first: bool) -> None:
    async with small.unit_of_work() as session:
        await follow_changes(session, [await touch(BOB)(session)])
    writes = update("contact", ANN, "merged_into_id", BOB), touch(ANN)
    await interleave(small, *(writes if is_merge_first else writes[::-1]))
    await require_no_drift(small)
    assert "warm" in await stages(small, BOB)
    assert await stages(small, ANN) == set()


async def test_a_writer_does_not_wait_longer_than_its_lock_timeout(small: Database) -> None:
    async with small.unit_of_work() as session:
        await follow_changes(session, [await touch(ANN)(session)])
        with pytest.raises(asyncpg.LockNotAvailableError):
            async with small.unit_of_work() as other:
                await follow_changes(other, [await touch(ANN)(other)])
    await require_no_drift(small)


async def test_changes_that_no_rule_reads_concern_nobody_and_wait_for_nobody(small: Database) -> None:
    async with small.unit_of_work() as session:
        await follow_changes(session, [await touch(ANN)(session)])
        async with small.unit_of_work() as other:
            changes = [await update("contact", BOB, "job_title", "CEO")(other)]
            changes.append(await update("company", ACME, "employees", 5)(other))
            assert await follow_changes(other, changes) == ()


@asynccontextmanager
async def paused_evaluation(
    database: Database, monkeypatch: pytest.MonkeyPatch, before: Write | None = None
) -> AsyncIterator[None]:
    """An evaluation of all contacts that has read all facts, and stores them after the block."""
    has_read, may_store = asyncio.Event(), asyncio.Event()

    async def lock_later(session: WriteSession) -> None:
        has_read.set()
        await may_store.wait()
        await lock_storing(session)

    async def run() -> None:
        async with database.write() as session:
            if before is not None:
                await before(session)
            await evaluate(session)
        async with database.write() as session:
            await discard_former_entries(session)

    monkeypatch.setattr(evaluation, "lock_storing", lock_later)
    task = asyncio.create_task(run())
    await asyncio.wait_for(has_read.wait(), 20)
    yield
    may_store.set()
    await task


async def test_a_write_during_a_rebuild_is_seen_at_once_and_stays(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with paused_evaluation(small, monkeypatch):
        for _ in range(2):
            async with small.unit_of_work() as session:
                await follow_changes(session, [await touch(ANN)(session)])
        assert "warm" in await stages(small, ANN)
    assert "warm" in await stages(small, ANN)
    await require_no_drift(small)
    async with small.read() as session:
        assert await session.value(Sql("select count(*) from touched_record")) == 0


async def test_a_write_during_the_first_evaluation_is_in_it(small: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async with small.write() as session:
        await session.script("truncate evaluation, stage_entry, wake_up")
    async with paused_evaluation(small, monkeypatch), small.unit_of_work() as session:
        assert await follow_changes(session, [await touch(ANN)(session), await touch(ANN)(session)]) == ()
    assert "warm" in await stages(small, ANN)
    await require_no_drift(small)


async def test_a_writer_that_began_before_the_first_evaluation_is_waited_for(small: Database) -> None:
    async with small.write() as session:
        await session.script("truncate evaluation, stage_entry, wake_up")
    async with small.unit_of_work() as session:
        assert await follow_changes(session, [await touch(ANN)(session), await touch(ANN)(session)]) == ()

        async def evaluate_all() -> None:
            async with small.write() as other:
                await evaluate(other)

        task = asyncio.create_task(evaluate_all())
        await asyncio.wait([task], timeout=0.2)
        assert not task.done()
    await task
    assert "warm" in await stages(small, ANN)


async def test_what_no_rule_reads_is_listed_for_an_evaluation_whose_accord_may_read_it(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with paused_evaluation(small, monkeypatch):
        async with small.unit_of_work() as session:
            await follow_changes(session, [await update("contact", BOB, "job_title", "CEO")(session)])
        async with small.read() as session:
            assert await session.value(Sql("select array_agg(record_id) from touched_record")) == [BOB]


async def test_a_writer_that_has_not_committed_when_a_rebuild_ends_is_waited_for(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with paused_evaluation(small, monkeypatch):
        late = small.unit_of_work()
        session = await late.__aenter__()
        changes = [await touch(ANN)(session), await touch(ANN)(session)]
        await follow_changes(session, changes)

        async def commit_later() -> None:
            await asyncio.sleep(0.2)
            await late.__aexit__(None, None, None)

        committing = asyncio.create_task(commit_later())
    await committing
    assert "warm" in await stages(small, ANN)
    await require_no_drift(small)


async def test_a_rebuild_waits_for_the_writers_that_do_not_know_of_it(small: Database) -> None:
    async with small.unit_of_work() as session:
        await follow_changes(session, [await touch(ANN)(session), await touch(ANN)(session)])

        async def rebuild() -> None:
            async with small.write() as other:
                await evaluate(other)

        task = asyncio.create_task(rebuild())
        await asyncio.wait([task], timeout=0.2)
        assert not task.done()
    await task
    assert "warm" in await stages(small, ANN)


async def test_a_contact_joins_a_company_that_an_import_changes(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer does not see the import's uncommitted rows; the import evaluates the contact again."""
    async with paused_evaluation(small, monkeypatch, before=update("company", ACME, "industry", "steel")):
        async with small.unit_of_work() as session:
            await follow_changes(session, [await update("contact", ANN, "company_id", ACME)(session)])
        assert "fitting" not in await stages(small, ANN)
    assert "fitting" in await stages(small, ANN)
    await require_no_drift(small)


async def test_a_company_changes_that_an_import_links_to_a_contact(
    small: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The writer does not see the import's uncommitted link, so it cannot name the contact, only the company."""
    importing = paused_evaluation(small, monkeypatch, before=update("contact", ANN, "company_id", ACME))
    async with importing, small.unit_of_work() as session:
        changes = [await update("company", ACME, "industry", "steel")(session)]
        assert await follow_changes(session, changes) == ()
    assert "fitting" in await stages(small, ANN)
    await require_no_drift(small)

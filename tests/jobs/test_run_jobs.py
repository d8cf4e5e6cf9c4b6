"""The background jobs: one process runs them, another takes over, and none stops the others."""

import asyncio
import logging
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import datetime, timedelta

import asyncpg
import pytest

from api.db import Database
from api.funnel.drift import check_entries
from api.funnel.following.follow_changes import follow_changes
from api.jobs import run_jobs as running
from api.jobs.all_jobs import JOBS
from api.jobs.periodic import PeriodicJob
from api.jobs.run_jobs import running_jobs
from api.outbox.record_changes import RecordChange
from api.sql import Sql
from api.workflows.wake_contacts import wake_contacts
from schema.base import new_id, now
from schema.writes.changes import ChangeType
from tests.funnel.small_world import ANN, write_small_world
from tests.support.graphql import put

OFTEN = timedelta(milliseconds=10)


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "TAKEOVER_SECONDS", 0.05)
    monkeypatch.setattr(running, "SHORTEST_PAUSE_SECONDS", 0.05)


@pytest.fixture
async def small(database: Database) -> Database:
    async with database.write() as session:
        await write_small_world(session)
    return database


def job(name: str, run: Callable[[], None]) -> PeriodicJob:
    async def called(_database: Database) -> int:
        run()
        return 1

    return PeriodicJob(name, OFTEN, called)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - the condition is any
            await asyncio.sleep(0.01)


async def test_no_job_waits_for_a_long_one(database: Database) -> None:
    begun, ended, others = [], [], []

    async def last(_database: Database) -> int:
        begun.append(now())
        try:
            await asyncio.sleep(60)
        finally:
            ended.append(now())
        return 1

    jobs = (PeriodicJob("long", OFTEN, last, is_long=True), job("short", lambda: others.append(now())))
    async with running_jobs(database, jobs):
        await until(lambda: len(others) >= 3)
        assert (len(begun), len(ended)) == (1, 0)
    assert len(ended) == 1


async def test_a_stop_ends_the_jobs_whatever_a_lost_connection_raises(database: Database) -> None:
    has_begun = asyncio.Event()

    async def lose(_database: Database) -> int:
        has_begun.set()
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            raise asyncpg.InterfaceError("the connection has been released") from None
        return 1

    stopped = asyncio.create_task(running.run_jobs(database, (PeriodicJob("lose", OFTEN, lose),)))
    await has_begun.wait()
    stopped.cancel()
    await asyncio.wait([stopped], timeout=5)
    assert stopped.done()


async def touch_soon(database: Database, at: datetime) -> None:
    """Write two touchpoints of an instant that is not there yet."""
    async with database.unit_of_work() as session:
        changes = []
        for id_ in (new_id(), new_id()):
            row = {"contact_id": ANN, "id": id_, "occurred_at": at}
            await put(session, "touchpoint", {**row, "kind": "FORM", "direction": "INBOUND"})
            changes.append(RecordChange(ChangeType.CREATED, "touchpoint", id_, after=row, contact_id=ANN))
        assert await follow_changes(session, changes) == ()


async def test_a_contact_is_woken_when_a_fact_of_the_future_comes_due(small: Database) -> None:
    at = now() + timedelta(seconds=1)
    await touch_soon(small, at)
    assert await wake_contacts(small) == 0
    async with running_jobs(small):
        await wait_for_entry(small)
    async with small.read() as session:
        entered = await session.value(Sql("select entered_at from stage_entry where stage = 'warm'"))
        events = await session.rows(Sql("select change_type, record_id, stage from outbox_event order by id"))
        assert await session.value(Sql("select count(*) from wake_up")) == 0
    assert entered == at
    assert ("ENTERED", ANN, "warm") in [tuple(event) for event in events]


async def wait_for_entry(database: Database) -> None:
    async with asyncio.timeout(10):
        while True:
            async with database.read() as session:
                if await session.value(Sql("select exists (select from stage_entry where stage = 'warm')")):
                    return
            await asyncio.sleep(0.05)


async def test_a_check_counts_who_is_due_and_does_not_compare_them(small: Database) -> None:
    await touch_soon(small, now() + timedelta(milliseconds=300))
    async with small.scratch() as session:
        assert (await check_entries(session)).due == 0
    await asyncio.sleep(0.4)
    async with small.scratch() as session:
        assert (await check_entries(session)).due == 1
    assert await wake_contacts(small) == 1
    async with small.scratch() as session:
        assert (await check_entries(session)).due == 0


async def test_one_process_runs_the_jobs_and_another_takes_over(module_database: Database) -> None:
    runs: list[str] = []
    async with AsyncExitStack() as first, AsyncExitStack() as second:
        await first.enter_async_context(running_jobs(module_database, [job("first", lambda: runs.append("first"))]))
        await until(lambda: len(runs) > 2)
        await second.enter_async_context(running_jobs(module_database, [job("second", lambda: runs.append("second"))]))
        await asyncio.sleep(0.3)
        assert set(runs) == {"first"}
        await first.aclose()
        await until(lambda: "second" in runs)


async def test_the_jobs_go_on_after_their_connection_is_lost(module_database: Database) -> None:
    runs: list[str] = []
    async with running_jobs(module_database, [job("only", lambda: runs.append("run"))]):
        await until(lambda: len(runs) > 2)
        async with module_database.write() as session:
            holders = Sql("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and granted")
            assert len(await session.rows(holders)) == 1
        before = len(runs)
        await until(lambda: len(runs) > before + 2)


async def test_a_job_that_fails_is_logged_and_stops_no_other(
    module_database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    runs: list[str] = []

    def fail() -> None:
        runs.append("failed")
        raise LookupError("broken")

    with caplog.at_level(logging.ERROR, logger="accord.jobs"):
        async with running_jobs(module_database, [job("failing", fail), job("other", lambda: runs.append("other"))]):
            await until(lambda: runs.count("failed") > 1 and runs.count("other") > 1)
    assert "The job 'failing' failed" in caplog.text


async def test_the_jobs_run_on_an_empty_database(module_database: Database) -> None:
    for periodic in JOBS:
        assert await periodic.run(module_database) == 0
        assert periodic.next_at is None or await periodic.next_at(module_database) is None


def test_the_jobs_have_different_names() -> None:
    assert len({periodic.name for periodic in JOBS}) == len(JOBS)

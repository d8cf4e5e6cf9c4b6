"""`accord migrate` waits for nobody if there is nothing to do, and says for whom it waits otherwise."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from api.db import AdvisoryLock
from api.errors import AccordError, ErrorCode
from api.revisions import migrate, migrating, waiting
from tests.evolution.example_changes import HEAD, write_migration

ADDED = 'op.add_column("contact", sa.Column("motto", sa.Text(), nullable=True))'


@asynccontextmanager
async def session_that(dsn: str, statement: str) -> AsyncIterator[int]:
    """Another session, in a transaction that executed a statement. Its name is that of an import."""
    other = await asyncpg.connect(dsn, server_settings={"application_name": "nightly import"})
    try:
        async with other.transaction():
            await other.execute(statement)
            yield other.get_server_pid()
    finally:
        await other.close()


def load_lock() -> str:
    return f"select pg_advisory_xact_lock({AdvisoryLock.LOADING.value})"


async def test_with_nothing_to_do_no_lock_is_waited_for(module_dsn: str) -> None:
    async with session_that(module_dsn, load_lock()), asyncio.timeout(10):
        assert (await migrate(module_dsn)).steps == ()


async def test_a_migration_says_for_which_session_it_waits(
    module_dsn: str, versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_LOOK_SECONDS", 0.1)
    write_migration(versions, ADDED)
    lines: list[str] = []
    async with session_that(module_dsn, load_lock()) as process:
        running = asyncio.create_task(migrate(module_dsn, report=lines.append))
        await asyncio.sleep(2)
    assert (await running).revision == "aaaaaaaaaaaa"
    # One line, although it looked twenty times.
    (line,) = lines
    assert line.startswith(f"Waiting for session {process} (nightly import), in a transaction since ")
    assert line.endswith(" UTC.")
    await back(module_dsn)


async def test_the_line_repeats_rarely(module_dsn: str, versions: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "_LOOK_SECONDS", 0.05)
    monkeypatch.setattr(waiting, "_REPEAT_SECONDS", 0.5)
    write_migration(versions, ADDED)
    lines: list[str] = []
    async with session_that(module_dsn, load_lock()):
        running = asyncio.create_task(migrate(module_dsn, report=lines.append))
        await asyncio.sleep(2)
    await running
    assert 2 <= len(lines) <= 5
    assert len(set(lines)) == 1
    await back(module_dsn)


async def test_a_migration_that_waits_for_a_table_says_for_whom(
    module_dsn: str, versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "_LOOK_SECONDS", 0.1)
    write_migration(versions, ADDED.replace("motto", "slogan"))
    lines: list[str] = []
    async with session_that(module_dsn, "lock table contact in access share mode") as process:
        with pytest.raises(AccordError, match="lock timeout") as refused:
            await migrate(module_dsn, report=lines.append)
    assert refused.value.code is ErrorCode.MIGRATION_FAILED
    assert [line.partition(",")[0] for line in lines] == [f"Waiting for session {process} (nightly import)"]


async def test_a_migration_gives_up_waiting_for_an_import(
    module_dsn: str, versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrating, "_LOCK_TIMEOUT_SECONDS", 1)
    write_migration(versions, ADDED)
    async with session_that(module_dsn, load_lock()):
        with pytest.raises(AccordError, match="Another program imports") as refused:
            await migrate(module_dsn)
    assert refused.value.code is ErrorCode.MIGRATION_FAILED


async def back(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("alter table contact drop column motto")
    await connection.close()
    await migrate(dsn, to=HEAD, may_go_back=True)

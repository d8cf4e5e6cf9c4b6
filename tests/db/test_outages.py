"""An outage begins and ends once, whoever finds it first, and every wait for the database has an end."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from time import monotonic
from urllib.parse import urlsplit

import asyncpg
import pytest

from api.database_url import database_url as urls
from api.db import Database, UnreachableError, connections, outages
from api.db import database as databases
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from api.telemetry.request_record import CURRENT, RequestRecord
from tests.support.databases import run_statements


@pytest.fixture(autouse=True)
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (
        ("LATE_SECONDS", 0.2),
        ("PROBE_SECONDS", 0.3),
        ("WATCH_SECONDS", 0.05),
        ("RETRY_SECONDS", 0.05),
        ("_TICK_SECONDS", 0.02),
    ):
        monkeypatch.setattr(outages, name, seconds)
    for module in (connections, databases):
        monkeypatch.setattr(module, "ACQUIRE_SECONDS", 0.2)


@pytest.fixture
async def opened(module_dsn: str) -> AsyncIterator[Database]:
    async with Database.open(module_dsn, size=1) as made:
        yield made


def freeze(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no probe be answered, as when PostgreSQL is stopped (SIGSTOP)."""

    async def hang() -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(database.outage, "_probe", hang)


async def from_pool(database: Database, statement: str) -> object:
    async with database.read() as session:
        return await session.value(Sql(statement))


async def from_readers(database: Database, statement: str) -> object:
    return await database.value(statement, ())


async def from_writers(database: Database, statement: str) -> object:
    async with database.unit_of_work() as session:
        return await session.value(Sql(statement))


WAYS = [from_pool, from_readers, from_writers]
Way = Callable[[Database, str], Awaitable[object]]


@pytest.mark.parametrize("way", WAYS)
async def test_a_database_that_answers_nobody_ends_every_wait(
    opened: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, way: Way
) -> None:
    assert await way(opened, "select 1") == 1
    with monkeypatch.context() as frozen:
        freeze(opened, frozen)
        began = monotonic()
        with pytest.raises((asyncpg.PostgresConnectionError, ConnectionError)):
            await way(opened, "select 2 from pg_sleep(30)")
        assert monotonic() - began < 5
        assert opened.outage.is_on
        began = monotonic()
        for other in WAYS:
            with pytest.raises(UnreachableError):
                await other(opened, "select 1")
        assert monotonic() - began < 0.5, "nobody tries to connect during an outage"
    async with asyncio.timeout(5):
        await opened.outage.wait_until_over()
    for other in WAYS:
        assert await other(opened, "select 1") == 1
    texts = [record.getMessage() for record in caplog.records]
    assert texts[0] == "The database cannot be reached: it does not answer"
    assert texts[1].startswith("The database can be reached again, after ")
    assert len(texts) == 2


@pytest.mark.parametrize("way", WAYS)
async def test_a_statement_that_is_only_slow_is_not_ended(opened: Database, way: Way) -> None:
    assert await way(opened, "select 3 from pg_sleep(1.5)") == 3
    assert not opened.outage.is_on


async def test_work_that_holds_the_event_loop_up_is_no_outage(opened: Database) -> None:
    asked = asyncio.create_task(from_readers(opened, "select 3 from pg_sleep(1.5)"))
    for _ in range(4):
        await asyncio.sleep(0.12)
        end = monotonic() + 0.6
        while monotonic() < end:  # as parsing does
            pass
    assert await asked == 3
    assert not opened.outage.is_on


@pytest.mark.parametrize("way", WAYS)
async def test_who_gets_no_connection_in_time_is_told_that_all_are_busy(opened: Database, way: Way) -> None:
    busy: asyncio.Future[object] = asyncio.ensure_future(way(opened, "select 1 from pg_sleep(2)"))
    await asyncio.sleep(0.1)
    with pytest.raises(AccordError) as refused:
        await way(opened, "select 1")
    assert refused.value.code is ErrorCode.BUSY
    assert await busy == 1


@pytest.mark.parametrize("way", [from_readers, from_writers])
async def test_a_statement_that_gets_no_answer_ends_after_our_own_deadline(
    module_dsn: str, monkeypatch: pytest.MonkeyPatch, way: Way
) -> None:
    monkeypatch.setattr(connections.WaitLimits, "longest_wait_seconds", 0.3)
    async with Database.open(module_dsn, size=1) as database:
        began = monotonic()
        with pytest.raises(ConnectionError, match="did not answer in time"):
            await way(database, "select 1 from pg_sleep(30)")
        assert monotonic() - began < 3
        assert await way(database, "select 1") == 1


async def test_a_session_that_is_cancelled_while_nothing_answers_gives_its_place_back(
    opened: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(databases, "ROLLBACK_SECONDS", 0.2)

    async def hang(*_: object) -> None:
        await asyncio.sleep(60)

    session: AbstractAsyncContextManager[object] = opened.read()
    await session.__aenter__()
    with monkeypatch.context() as frozen:
        frozen.setattr(asyncpg.transaction.Transaction, "rollback", hang)
        began = monotonic()
        error = asyncio.CancelledError()
        assert not await session.__aexit__(type(error), error, None)
        assert monotonic() - began < 2
    assert await from_pool(opened, "select 1") == 1


async def test_a_database_that_does_not_answer_is_an_error_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(urls, "CONNECT_SECONDS", 0.2)
    accepted: list[asyncio.StreamWriter] = []
    silent = await asyncio.start_server(lambda _reader, writer: accepted.append(writer), "127.0.0.1", 0)
    async with silent:
        port = silent.sockets[0].getsockname()[1]
        with pytest.raises(AccordError, match="does not answer") as refused:
            async with Database.open(f"postgresql://a@127.0.0.1:{port}/a?sslmode=disable"):
                pytest.fail("nobody answered")
    for writer in accepted:
        writer.close()
    assert refused.value.code is ErrorCode.DATABASE_UNREACHABLE


async def test_an_outage_that_a_restart_causes_is_logged_twice(
    server: str, module_dsn: str, caplog: pytest.LogCaptureFixture
) -> None:
    name = urlsplit(module_dsn).path[1:]
    async with Database.open(module_dsn, size=4) as database:
        await run_statements(server, f"alter database {name} with allow_connections false")
        try:
            await run_statements(
                server, f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'"
            )
            for _ in range(5):
                for way in WAYS:
                    with pytest.raises((ConnectionError, asyncpg.PostgresError, asyncpg.InternalClientError)):
                        await way(database, "select 1")
        finally:
            await run_statements(server, f"alter database {name} with allow_connections true")
        async with asyncio.timeout(5):
            await database.outage.wait_until_over()
        assert [await way(database, "select 1") for way in WAYS] == [1, 1, 1]
    assert len(caplog.records) == 2


async def test_the_end_of_an_outage_is_logged_for_no_request(opened: Database) -> None:
    logged: list[tuple[str, RequestRecord | None]] = []
    handler = logging.Handler()
    handler.emit = lambda record: logged.append((record.getMessage(), CURRENT.get()))  # type: ignore[method-assign]
    logging.getLogger("accord.db").addHandler(handler)
    token = CURRENT.set(RequestRecord("a-request", "POST", "/graphql", None, 0.0))
    try:
        opened.outage.begin(TimeoutError())
        await asyncio.wait_for(opened.outage.wait_until_over(), 10)
    finally:
        CURRENT.reset(token)
        logging.getLogger("accord.db").removeHandler(handler)
    assert [request for message, request in logged if "again" in message] == [None]

"""Connections that stay open, with the settings of readers and of writers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import monotonic
from typing import Any

import asyncpg
import orjson

from api.db.failures import LOST_CONNECTION, all_busy, unanswered
from api.db.outages import ACQUIRE_SECONDS, CONNECT_SECONDS, DEADLINE_SECONDS, ROLLBACK_SECONDS, Outage
from api.db.sessions import BEGIN, Connection

SERVER_SETTINGS = {"jit": "off", "timezone": "UTC", "application_name": "accord"}
STATEMENT_TIMEOUT_MS = 30_000  # the default for reads; a job that takes longer passes its own
_LONGEST_WAIT_SECONDS = STATEMENT_TIMEOUT_MS / 1_000 + DEADLINE_SECONDS
# The longest statement that a connection keeps prepared, in characters: that of a re-evaluation has 20,000.
LONGEST_PREPARED = 200_000
# The same for reads: a page with many nested lists has 20,000, and costs 14 ms instead of 3 if it is planned each time.
# Cost: a backend keeps a hundred statements, of 120 bytes of memory for a character.
LONGEST_PREPARED_READ = 40_000

# A statement is prepared once and executed with many values. Planning every execution takes longer than a small read (a
# page with nested lists: 2.0 ms instead of 1.3). The cost of a generic plan: a rare value may be searched with the plan
# for a common one, which takes up to ten times as long. In `auto` mode PostgreSQL chose the same plans.
READER_SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    "plan_cache_mode": "force_generic_plan",
}

# A unit of work waits for a lock only this long, so that a writer that is stuck does not hold up the others. It has to
# be longer than PostgreSQL's deadlock_timeout (by default a second): at the same instant a deadlock, which can be
# started again, is reported as a lock that was not had in time.
LOCK_TIMEOUT_MS = 1_200
WRITER_SETTINGS = {
    "default_transaction_isolation": "read committed",
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    "plan_cache_mode": "force_generic_plan",  # as for readers: a write has many small statements, most by primary key
}


class Connections:
    """A pool of connections that stay open and are never reset.

    asyncpg's pool creates a task, a timeout and a proxy for each release, and resets the connection, which takes a
    third of the time of a small read.
    """

    def __init__(self, connect: Callable[[], Awaitable[Connection]], size: int, outage: Outage) -> None:
        self.connect = connect
        self._places = asyncio.Semaphore(size)
        self._idle: list[Connection] = []
        self.outage = outage

    async def value(self, text: str, values: Sequence[object]) -> Any:  # noqa: ANN401 - a value of any SQL type
        """Execute a statement and return its value; waits for a connection if all are busy. Errors: BUSY."""
        await self._enter()
        try:
            connection = self._sound() or await self._opened()
            self.outage.busy[connection] = monotonic()
            try:
                found = await connection.fetchval(text, *values)
            except asyncpg.PostgresError:
                self._idle.append(connection)  # the server rejected the statement; the connection is usable
                raise
            except TimeoutError as error:
                connection.terminate()
                raise unanswered() from error
            except BaseException:
                connection.terminate()  # cancelled halfway: the state of the protocol is unknown
                raise
            finally:
                del self.outage.busy[connection]
            self._idle.append(connection)
            return found
        finally:
            self._places.release()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Open a transaction that commits at the end of the block, and rolls back if the block raises. Errors: BUSY."""
        await self._enter()
        try:
            connection = self._sound() or await self._opened()
            self.outage.busy[connection] = monotonic()
            try:
                await connection.execute(BEGIN)
                yield connection
                await connection.execute("commit")
            except BaseException as error:
                if await _rolled_back(connection, error):
                    self._idle.append(connection)
                    raise
                connection.terminate()
                if isinstance(error, TimeoutError):
                    raise unanswered() from error
                raise
            finally:
                del self.outage.busy[connection]
            self._idle.append(connection)
        finally:
            self._places.release()

    async def _enter(self) -> None:
        """Wait for a place, ACQUIRE_SECONDS at most."""
        if not self._places.locked():
            await self._places.acquire()
            return
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                await self._places.acquire()
        except TimeoutError as error:
            raise all_busy() from error

    async def _opened(self) -> Connection:
        connection = await self.outage.opened(self.connect)
        self.outage.register(connection)
        return connection

    def _sound(self) -> "Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None


async def prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Convert JSON columns from and to Python values."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=_dump, decoder=orjson.loads, schema="pg_catalog")


async def open_reader(dsn: str) -> Connection:
    """Connect for single read statements."""
    return await asyncpg.connect(
        dsn,
        server_settings=SERVER_SETTINGS | READER_SETTINGS,
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=LONGEST_PREPARED_READ,
        timeout=CONNECT_SECONDS,
        command_timeout=_LONGEST_WAIT_SECONDS,
    )


async def open_writer(dsn: str) -> Connection:
    """Connect for units of work."""
    connection = await asyncpg.connect(
        dsn,
        server_settings=SERVER_SETTINGS | WRITER_SETTINGS,
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=LONGEST_PREPARED,
        timeout=CONNECT_SECONDS,
        command_timeout=_LONGEST_WAIT_SECONDS,
    )
    await prepare(connection)
    return connection


async def probe(dsn: str) -> None:
    """Connect and disconnect, to see whether the database answers."""
    connection = await asyncpg.connect(dsn, server_settings=SERVER_SETTINGS, timeout=CONNECT_SECONDS)
    connection.terminate()


async def _rolled_back(connection: Connection, error: BaseException) -> bool:
    """Roll back after an error. Return whether the connection can be used again."""
    # After a cancellation or a timeout the state of the protocol is unknown.
    if isinstance(error, asyncio.CancelledError | GeneratorExit | TimeoutError) or connection.is_closed():
        return False
    try:
        await connection.execute("rollback", timeout=ROLLBACK_SECONDS)
    except LOST_CONNECTION:
        return False
    return True


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()

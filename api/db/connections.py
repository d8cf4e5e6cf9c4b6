"""Connections that stay open, with the settings of readers and of writers."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import orjson

from api.db.failures import DATABASE_FAILURES, reconnecting
from api.db.observed import CountedPlaces, TimedConnection
from api.db.sessions import BEGIN, Connection
from api.telemetry.sampled import PoolUse

SERVER_SETTINGS = {"jit": "off", "timezone": "UTC", "application_name": "accord"}
STATEMENT_TIMEOUT_MS = 30_000  # the default for reads; a job that takes longer passes its own
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

    def __init__(self, connect: Callable[[], Awaitable[Connection]], size: int) -> None:
        self._connect = connect
        self._places = CountedPlaces(size)
        self._idle: list[Connection] = []

    async def value(self, text: str, values: Sequence[object]) -> Any:  # noqa: ANN401 - a value of any SQL type
        """Execute a statement and return its value; waits for a connection if all are busy."""
        async with self._places:
            connection = self._sound() or await self._connect()
            try:
                found = await connection.fetchval(text, *values)
            except asyncpg.PostgresError:
                self._idle.append(connection)  # the server rejected the statement; the connection is usable
                raise
            except BaseException:
                connection.terminate()  # cancelled halfway: the state of the protocol is unknown
                raise
            self._idle.append(connection)
            return found

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Open a transaction that commits at the end of the block, and rolls back if the block raises."""
        async with self._places:
            connection = self._sound() or await self._connect()
            try:
                await connection.execute(BEGIN)
                yield connection
                await connection.execute("commit")
            except BaseException as error:
                if not await _rolled_back(connection, error):
                    connection.terminate()
                    raise
                self._idle.append(connection)
                raise
            self._idle.append(connection)

    async def close(self) -> None:
        """Close every connection."""
        for connection in self._idle:
            await connection.close()

    def use(self, pool: str) -> PoolUse:
        """How the pool of that name is used at the moment."""
        places = self._places
        return PoolUse(pool, places.in_use, len(self._idle), places.waiting, places.size)

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
    """Connect for single read statements. Errors: ConnectionError."""
    with reconnecting():
        return await asyncpg.connect(
            dsn,
            server_settings=SERVER_SETTINGS | READER_SETTINGS,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=LONGEST_PREPARED_READ,
            timeout=10,
            connection_class=TimedConnection,
        )


async def open_writer(dsn: str) -> Connection:
    """Connect for units of work. Errors: ConnectionError."""
    with reconnecting():
        connection = await asyncpg.connect(
            dsn,
            server_settings=SERVER_SETTINGS | WRITER_SETTINGS,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=LONGEST_PREPARED,
            timeout=10,
            connection_class=TimedConnection,
        )
    await prepare(connection)
    return connection


async def _rolled_back(connection: Connection, error: BaseException) -> bool:
    """Roll back after an error. Return whether the connection can be used again."""
    if isinstance(error, asyncio.CancelledError | GeneratorExit) or connection.is_closed():
        return False  # cancelled halfway: the state of the protocol is unknown
    try:
        await connection.execute("rollback")
    except DATABASE_FAILURES:
        return False
    return True


def _dump(value: object) -> str:
    return orjson.dumps(value).decode()

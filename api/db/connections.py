"""Connections that stay open, with the settings of readers and of writers."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from time import monotonic
from typing import Any

import asyncpg
import orjson

from api.db.failures import LOST_CONNECTION, PrimaryNeededError, all_busy, unanswered
from api.db.observed import CountedPlaces
from api.db.opening import OpenedConnection, PooledConnection, connect
from api.db.outages import ACQUIRE_SECONDS, CLOSE_SECONDS, DEADLINE_SECONDS, ROLLBACK_SECONDS, Outage
from api.db.sessions import SHARE_EVALUATING, Connection
from api.telemetry.sampled import PoolUse
from api.traffic.deadline import uninterrupted_commit

logger = logging.getLogger("accord.db")

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
    "plan_cache_mode": "force_generic_plan",
}

# A unit of work waits for a lock only this long, so that a writer that is stuck does not hold up the others. It has to
# be longer than PostgreSQL's deadlock_timeout (by default a second): at the same instant a deadlock, which can be
# started again, is reported as a lock that was not had in time.
LOCK_TIMEOUT_MS = 1_200
# How long the connection of a cancelled statement may take to close; then it is dropped.
CANCEL_SECONDS = 5
WRITER_SETTINGS = {
    "default_transaction_isolation": "read committed",
    "lock_timeout": str(LOCK_TIMEOUT_MS),
    "plan_cache_mode": "force_generic_plan",  # as for readers: a write has many small statements, most by primary key
}


@dataclass(frozen=True, slots=True)
class WaitLimits:
    """How long a statement may take, and how long a read may wait for a lock (0: as long as it may take)."""

    statement_ms: int = STATEMENT_TIMEOUT_MS
    lock_ms: int = 0

    @property
    def settings(self) -> dict[str, str]:
        """The limits of reads, as settings of a connection."""
        return {"statement_timeout": str(self.statement_ms), "lock_timeout": str(self.lock_ms)}

    @property
    def longest_wait_seconds(self) -> float:
        """How long this process waits for a statement, should PostgreSQL not end it."""
        return self.statement_ms / 1_000 + DEADLINE_SECONDS


class Connections:
    """A pool of connections that stay open and are never reset.

    asyncpg's pool creates a task, a timeout and a proxy for each release, and resets the connection, which takes a
    third of the time of a small read.
    """

    def __init__(
        self,
        connect: Callable[[], Awaitable[Connection]],
        size: int,
        outage: Outage,
        *,
        begin: str = "begin",
        is_pooled: bool = False,
    ) -> None:
        self.connect = connect
        self._begin = begin
        self._is_pooled = is_pooled
        self._places = CountedPlaces(size)
        self._idle: list[Connection] = []
        self.outage = outage
        self._closing: set[asyncio.Task[None]] = set()

    async def value(
        self, text: str, values: Sequence[object], require: Callable[[Connection], Awaitable[None]] | None = None
    ) -> Any:  # noqa: ANN401 - a value of any SQL type
        """Execute a statement and return its value; waits for a connection if all are busy. Errors: BUSY.

        `require` checks the connection before, and raises PrimaryNeededError.
        """
        if self._is_pooled:  # the settings of a read are those of its transaction
            async with self.transaction() as connection:
                if require is not None:
                    await require(connection)
                return await connection.fetchval(text, *values)
        if not self._places.take():
            await self._wait()
        try:
            connection = self._sound() or await self._opened()
            self.outage.busy[connection] = monotonic()
            try:
                if require is not None:
                    await require(connection)
                found = await connection.fetchval(text, *values)
            except (asyncpg.PostgresError, PrimaryNeededError):
                self._idle.append(connection)  # the server rejected the statement; the connection is usable
                raise
            except TimeoutError as error:
                self._abandon(connection)
                raise unanswered() from error
            except BaseException:
                self._abandon(connection)  # cancelled halfway: the state of the protocol is unknown
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
        if not self._places.take():
            await self._wait()
        try:
            connection = self._sound() or await self._opened()
            self.outage.busy[connection] = monotonic()
            try:
                await connection.execute(self._begin)
                yield connection
                with uninterrupted_commit():
                    await connection.execute("commit")
            except BaseException as error:
                if await _rolled_back(connection, error):
                    self._idle.append(connection)
                    raise
                self._abandon(connection)
                if isinstance(error, TimeoutError):
                    raise unanswered() from error
                raise
            finally:
                del self.outage.busy[connection]
            self._idle.append(connection)
        finally:
            self._places.release()

    async def close(self) -> None:
        """Wait a little for the connections of cancelled statements. Those that are idle are closed by the outage."""
        if self._closing:
            await asyncio.wait(self._closing, timeout=CLOSE_SECONDS)

    async def _wait(self) -> None:
        """Wait for a place, ACQUIRE_SECONDS at most."""
        try:
            async with asyncio.timeout(ACQUIRE_SECONDS):
                await self._places.acquire()
        except TimeoutError as error:
            raise all_busy() from error

    async def _opened(self) -> Connection:
        connection = await self.outage.opened(self.connect)
        self.outage.register(connection)
        return connection

    def _abandon(self, connection: Connection) -> None:
        """Close a connection whose statement may still run, without waiting for it.

        asyncpg has begun to cancel the statement on a connection of its own. `terminate` would stop that, and
        PostgreSQL would notice only when it sends rows; `close` waits until the statement has ended.
        """
        task = asyncio.create_task(_close(connection, self.outage))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

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
    # A pooler gives the statements of one transaction the same connection.
    async with connection.transaction() if isinstance(connection, PooledConnection) else nullcontext():
        for kind in ("json", "jsonb"):
            await connection.set_type_codec(kind, encoder=_dump, decoder=orjson.loads, schema="pg_catalog")


def reader_settings(limits: WaitLimits) -> dict[str, str]:
    """The settings of a connection for single reads."""
    return SERVER_SETTINGS | READER_SETTINGS | limits.settings


def writer_settings(limits: WaitLimits) -> dict[str, str]:
    """The settings of a connection for units of work."""
    return SERVER_SETTINGS | WRITER_SETTINGS | {"statement_timeout": str(limits.statement_ms)}


def begin_unit_of_work(settings: str) -> str:
    """The statements that begin a unit of work, given those that set what a pooler does not keep."""
    return f"begin; {settings}{SHARE_EVALUATING}"


async def open_reader(dsn: str, limits: WaitLimits) -> OpenedConnection:
    """Connect for single read statements."""
    return await connect(
        dsn,
        reader_settings(limits),
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=LONGEST_PREPARED_READ,
        command_timeout=limits.longest_wait_seconds,
    )


async def open_writer(dsn: str, limits: WaitLimits) -> OpenedConnection:
    """Connect for units of work."""
    connection = await connect(
        dsn,
        writer_settings(limits),
        max_cached_statement_lifetime=0,
        max_cacheable_statement_size=LONGEST_PREPARED,
        command_timeout=limits.longest_wait_seconds,
    )
    await prepare(connection)
    return connection


async def _close(connection: Connection, outage: Outage) -> None:
    try:
        await connection.close(timeout=CANCEL_SECONDS)
    except LOST_CONNECTION as error:
        if not outage.is_on:  # which is logged once
            logger.warning("A cancelled statement may run on: %s", str(error) or type(error).__name__)


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

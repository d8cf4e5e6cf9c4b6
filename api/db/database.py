"""The database: a pool for snapshots and units of work, and the only place that commits."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, Self

import asyncpg

from api.db.connections import (
    LONGEST_PREPARED,
    SERVER_SETTINGS,
    STATEMENT_TIMEOUT_MS,
    Connections,
    open_reader,
    open_writer,
    prepare,
)
from api.db.failures import connecting, reconnecting
from api.db.observed import TimedConnection
from api.db.sessions import AdvisoryLock, ReadSession, ScratchSession, Session, WriteSession
from api.settings import KeptLimits
from api.telemetry.sampled import SAMPLED, PoolUse

DEFAULT_KEPT_LIMITS = KeptLimits()


class Database:
    """One database: a pool for snapshots and units of work, and a second pool for single read statements."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        readers: Connections,
        writers: Connections,
        kept_limits: KeptLimits = DEFAULT_KEPT_LIMITS,
    ) -> None:
        self._pool = pool
        self._readers = readers
        self._writers = writers
        self._acquiring = 0
        # What reads have found out about the data. A hint saves a statement, and never changes a result.
        self.hints: set[str] = set()
        self.kept_limits = kept_limits

    @classmethod
    @asynccontextmanager
    async def open(
        cls, dsn: str, *, size: int = 10, kept_limits: KeptLimits = DEFAULT_KEPT_LIMITS
    ) -> AsyncIterator[Self]:
        """Connect to a database. Errors: DATABASE_UNREACHABLE if the server cannot be reached or rejects the login."""
        with connecting():
            # No minimum: asyncpg would log a traceback in each outage, when it cannot restore the minimum.
            pool = await asyncpg.create_pool(
                dsn,
                min_size=0,
                max_size=size,
                server_settings=SERVER_SETTINGS,
                init=prepare,
                timeout=10,
                max_cacheable_statement_size=LONGEST_PREPARED,
                connection_class=TimedConnection,
            )
            await pool.release(await pool.acquire())
        readers, writers = Connections(partial(open_reader, dsn), size), Connections(partial(open_writer, dsn), size)
        database = cls(pool, readers, writers, kept_limits)
        try:
            with SAMPLED.pools(database.pool_uses):
                yield database
        finally:
            await readers.close()
            await writers.close()
            await pool.close()

    def value(self, text: str, values: Sequence[object]) -> Awaitable[Any]:
        """Execute a single read statement and return its value.

        It runs outside a transaction: one statement reads one snapshot anyway.
        """
        return self._readers.value(text, values)

    @asynccontextmanager
    async def read(self, *, timeout_ms: int = STATEMENT_TIMEOUT_MS) -> AsyncIterator[ReadSession]:
        """Open a snapshot: all statements in the block read the same state of the database."""
        async with (
            self._connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            await connection.execute(f"set local statement_timeout = {int(timeout_ms)}")
            yield ReadSession(connection)

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[ScratchSession]:
        """A snapshot with temporary tables: rolled back when the block ends, however it ends."""
        async with self._connection() as connection:
            transaction = connection.transaction(isolation="repeatable_read")
            await transaction.start()
            try:
                yield ScratchSession(connection)
            finally:
                await transaction.rollback()

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """Open a unit of work: it commits at the end of the block, and rolls back if the block raises."""
        async with self._connection() as connection, connection.transaction():
            yield WriteSession(connection)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[WriteSession]:
        """Open a unit of work as `write`, whose statements all read the same state of the database."""
        async with self._connection() as connection, connection.transaction(isolation="repeatable_read"):
            yield WriteSession(connection)

    @asynccontextmanager
    async def try_lock(self, what: AdvisoryLock) -> AsyncIterator[Session | None]:
        """Hold an advisory lock on a connection of its own, outside a transaction; None if it is not free.

        The lock is lost with the connection: whoever holds it for long uses the session now and then to notice.
        """
        async with self._connection() as connection:
            # Released with the connection: the pool resets it.
            is_free = await connection.fetchval("select pg_try_advisory_lock($1)", what.value)
            yield Session(connection) if is_free else None

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[WriteSession]:
        """Open the unit of work of a mutation: as `write`, but it waits `LOCK_TIMEOUT_MS` at most for a lock."""
        async with self._writers.transaction() as connection:
            yield WriteSession(connection)

    def pool_uses(self) -> Sequence[PoolUse]:
        """How the pools are used at the moment."""
        pool = self._pool
        idle = pool.get_idle_size()
        sessions = PoolUse("sessions", pool.get_size() - idle, idle, self._acquiring, pool.get_max_size())
        return sessions, self._readers.use("reads"), self._writers.use("units_of_work")

    @asynccontextmanager
    async def _connection(self) -> "AsyncIterator[asyncpg.pool.PoolConnectionProxy[asyncpg.Record]]":
        self._acquiring += 1
        try:
            with reconnecting():
                connection = await self._pool.acquire()
        finally:
            self._acquiring -= 1
        try:
            yield connection
        finally:
            await self._pool.release(connection)

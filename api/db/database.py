"""The database: a pool for snapshots and units of work, and the only place that commits."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import Any, Literal, Self

import asyncpg

from api.db.connections import (
    LONGEST_PREPARED,
    SERVER_SETTINGS,
    Connections,
    WaitLimits,
    begin_unit_of_work,
    open_reader,
    open_writer,
    prepare,
    reader_settings,
    writer_settings,
)
from api.db.failures import LOST_CONNECTION, all_busy, connecting
from api.db.opening import OpenedConnection, connect, connect_anywhere, longest_wait, transaction_settings
from api.db.outages import ACQUIRE_SECONDS, CLOSE_SECONDS, ROLLBACK_SECONDS, Outage, is_gone
from api.db.sessions import AdvisoryLock, Connection, ReadSession, ScratchSession, Session, WriteSession
from api.settings import KeptLimits
from api.telemetry.sampled import SAMPLED, PoolUse


@dataclass(frozen=True, slots=True)
class Pooling:
    """What a pooler between changes: the settings of each transaction, and the address without it, if there is one."""

    transaction_settings: str = ""
    direct: str | None = None

    @property
    def is_on(self) -> bool:
        """Whether each transaction may have another connection to PostgreSQL."""
        return bool(self.transaction_settings)


DEFAULT_KEPT_LIMITS, DEFAULT_WAIT_LIMITS, DEFAULT_POOLING = KeptLimits(), WaitLimits(), Pooling()


class Database:
    """One database: a pool for snapshots and units of work, and a second pool for single read statements."""

    def __init__(
        self,
        pool: "asyncpg.Pool[asyncpg.Record]",
        readers: Connections,
        writers: Connections,
        kept_limits: KeptLimits = DEFAULT_KEPT_LIMITS,
        wait_limits: WaitLimits = DEFAULT_WAIT_LIMITS,
        pooling: Pooling = DEFAULT_POOLING,
    ) -> None:
        self._pool = pool
        self._pooling = pooling
        self._wait_limits = wait_limits
        self._readers = readers
        self._writers = writers
        self._acquiring = 0
        # What reads have found out about the data. A hint saves a statement, and never changes a result.
        self.hints: set[str] = set()
        self.kept_limits = kept_limits
        self.outage = readers.outage
        # The same database with a connection of its own, for health checks: they wait for no request.
        self.spare: Database = self

    @classmethod
    @asynccontextmanager
    async def open(
        cls,
        dsn: str,
        *,
        size: int = 10,
        kept_limits: KeptLimits = DEFAULT_KEPT_LIMITS,
        wait_limits: WaitLimits = DEFAULT_WAIT_LIMITS,
        outage: Outage | None = None,
        pool_prefix: str = "",
        direct: str | None = None,
        is_replica: bool = False,
    ) -> AsyncIterator[Self]:
        """Connect to a database; each of the three pools has so many connections at most.

        `direct` is an address of the same database without a pooler between, for what lasts longer than a transaction.

        With the `outage` of another database on the same server both share one state, and that one closes all
        connections and has the spare one. The metrics name the pools with `pool_prefix`: two databases of a process
        need two.

        Errors: DATABASE_UNREACHABLE if the server cannot be reached or rejects the login. A read replica may be away.
        """
        name = "read replica" if is_replica else "database"
        shared, outage = outage, outage or Outage(partial(connect_anywhere, dsn, SERVER_SETTINGS), name)
        pooling = Pooling(transaction_settings(dsn, SERVER_SETTINGS), direct)
        with connecting():
            async with asyncio.timeout(2 * longest_wait(dsn)):
                pool = await _open_pool(dsn, size, outage)
                if not is_replica:
                    await pool.release(await pool.acquire())
                spare = await _open_pool(dsn, 1, outage) if shared is None else pool
        begin_read = f"begin; {transaction_settings(dsn, reader_settings(wait_limits))}"
        begin_work = begin_unit_of_work(transaction_settings(dsn, writer_settings(wait_limits)))
        readers = Connections(
            partial(open_reader, dsn, wait_limits), size, outage, begin=begin_read, is_pooled=pooling.is_on
        )
        writers = Connections(partial(open_writer, dsn, wait_limits), size, outage, begin=begin_work)
        try:
            database = cls(pool, readers, writers, kept_limits, wait_limits, pooling)
            database.spare = cls(spare, readers, writers, kept_limits, wait_limits, pooling)
            watched = outage.watching() if shared is None else nullcontext()
            async with watched:
                with SAMPLED.pools(partial(database.pool_uses, pool_prefix)):
                    yield database
        finally:
            await readers.close()
            await writers.close()
            if shared is None:
                await outage.close()
            await _close_pool(pool)
            await _close_pool(spare)

    def value(self, text: str, values: Sequence[object]) -> Awaitable[Any]:
        """Execute a single read statement and return its value.

        It runs outside a transaction: one statement reads one snapshot anyway.
        """
        return self._readers.value(text, values)

    @asynccontextmanager
    async def read(self, *, timeout_ms: int | None = None) -> AsyncIterator[ReadSession]:
        """Open a snapshot: all statements in the block read the same state of the database."""
        limits = self._wait_limits
        statement_ms = limits.statement_ms if timeout_ms is None else int(timeout_ms)
        async with self._transaction("repeatable_read", readonly=True) as connection:
            await connection.execute(
                f"set local statement_timeout = {statement_ms}; set local lock_timeout = {limits.lock_ms}"
            )
            yield ReadSession(connection)

    @asynccontextmanager
    async def scratch(self) -> AsyncIterator[ScratchSession]:
        """A snapshot with temporary tables: rolled back when the block ends, however it ends."""
        async with self._transaction("repeatable_read", commits=False) as connection:
            yield ScratchSession(connection)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[WriteSession]:
        """Open a unit of work: it commits at the end of the block, and rolls back if the block raises."""
        async with self._transaction() as connection:
            session = WriteSession(connection)
            yield session
        session.committed()

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[WriteSession]:
        """Open a unit of work as `write`, whose statements all read the same state of the database."""
        async with self._transaction("repeatable_read") as connection:
            session = WriteSession(connection)
            yield session
        session.committed()

    @property
    def has_sessions(self) -> bool:
        """Whether a connection can hold locks and listen between transactions: not behind a pooler alone."""
        return not self._pooling.is_on or self._pooling.direct is not None

    @asynccontextmanager
    async def try_lock(self, what: AdvisoryLock) -> AsyncIterator[Session | None]:
        """Hold an advisory lock on a connection of its own, outside a transaction; None if it is not free.

        The lock is lost with the connection: whoever holds it for long uses the session now and then to notice, and
        sets a deadline. Where no connection lasts (`has_sessions`), a transaction holds the lock, and with it one of
        the few connections of the pooler.
        """
        self.require_primary()
        holding: AbstractAsyncContextManager[asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | Connection]
        if self._pooling.direct is not None:
            holding = self.apart()
        elif self._pooling.is_on:
            holding = self._transaction(commits=False, is_watched=False)
        else:
            holding = self._connection(is_watched=False)
        scope = "" if self.has_sessions else "xact_"
        async with holding as connection:
            # Released with the connection: the pool resets it.
            is_free = await connection.fetchval(
                f"select pg_try_advisory_{scope}lock($1)", what.value, timeout=self._wait_limits.longest_wait_seconds
            )
            if not self.has_sessions:
                await connection.execute("set local idle_in_transaction_session_timeout = 0")
            yield Session(connection) if is_free else None

    @asynccontextmanager
    async def apart(self) -> AsyncIterator[Connection]:
        """Open a connection beside the pools, and end it with the block. Its statements need deadlines of their own."""
        direct = self._pooling.direct
        opening = self._readers.connect if direct is None else partial(connect, direct, SERVER_SETTINGS)
        connection = await self.outage.opened(opening)
        try:
            yield connection
        finally:
            connection.terminate()

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[WriteSession]:
        """Open the unit of work of a mutation: as `write`, but it waits `LOCK_TIMEOUT_MS` at most for a lock."""
        self.require_primary()
        async with self._writers.transaction() as connection:
            session = WriteSession(connection)
            yield session
        session.committed()

    def require_primary(self) -> None:
        """Require a database that can be written, before a read that may write. Errors: PrimaryNeededError."""

    def pool_uses(self, prefix: str = "") -> Sequence[PoolUse]:
        """How the pools are used at the moment; their names begin with the prefix."""
        pool = self._pool
        idle = pool.get_idle_size()
        sessions = PoolUse(f"{prefix}sessions", pool.get_size() - idle, idle, self._acquiring, pool.get_max_size())
        return sessions, self._readers.use(f"{prefix}reads"), self._writers.use(f"{prefix}units_of_work")

    @asynccontextmanager
    async def _transaction(
        self,
        isolation: Literal["read_committed", "repeatable_read"] | None = None,
        *,
        readonly: bool = False,
        commits: bool = True,
        is_watched: bool = True,
    ) -> "AsyncIterator[asyncpg.pool.PoolConnectionProxy[asyncpg.Record]]":
        if not readonly:
            self.require_primary()
        async with self._connection(is_watched=is_watched) as connection:
            transaction = connection.transaction(isolation=isolation, readonly=readonly)
            try:
                await transaction.start()
                if self._pooling.is_on:
                    await connection.execute(self._pooling.transaction_settings)
                yield connection
            except BaseException:
                await _roll_back(transaction, connection)
                raise
            if commits:
                await transaction.commit()
            else:
                await _roll_back(transaction, connection)

    @asynccontextmanager
    async def _connection(
        self, *, is_watched: bool = True
    ) -> "AsyncIterator[asyncpg.pool.PoolConnectionProxy[asyncpg.Record]]":
        self._acquiring += 1
        try:
            connection = await self._acquired()
        finally:
            self._acquiring -= 1
        if is_watched:
            self.outage.busy[connection] = monotonic()
        try:
            yield connection
        finally:
            self.outage.busy.pop(connection, None)
            await self._release(connection)

    async def _acquired(self) -> "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]":
        """Wait for a connection, ACQUIRE_SECONDS at most. Errors: BUSY; ConnectionError if none can be opened."""
        if self.outage.is_on and not self._pool.get_idle_size():
            raise self.outage.refusal()
        waiting = asyncio.timeout(ACQUIRE_SECONDS)
        try:
            async with waiting:
                return await self._pool.acquire()
        except LOST_CONNECTION as error:
            if waiting.expired():
                raise all_busy() from error
            self.outage.begin(error)
            raise self.outage.refusal() from error

    async def _release(self, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]") -> None:
        try:
            await self._pool.release(connection, timeout=ROLLBACK_SECONDS)
        except LOST_CONNECTION:
            # The pool has closed it: it was lost, or could not be reset in time. What was done on it is over.
            return


async def _open_pool(dsn: str, size: int, outage: Outage) -> "asyncpg.Pool[asyncpg.Record]":
    async def init(connection: Connection) -> None:
        outage.register(connection)
        await prepare(connection)

    async def opened(*_: object, **__: object) -> OpenedConnection:
        return await connect(dsn, SERVER_SETTINGS, max_cacheable_statement_size=LONGEST_PREPARED)

    # No minimum: asyncpg would log a traceback in each outage, when it cannot restore the minimum.
    return await asyncpg.create_pool(
        min_size=0, max_size=size, connect=opened, init=init, connection_class=OpenedConnection
    )


async def _close_pool(pool: "asyncpg.Pool[asyncpg.Record]") -> None:
    """Close a pool whose connections are closed: it waits for whoever uses one."""
    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            await pool.close()
    except TimeoutError:
        pool.terminate()


async def _roll_back(
    transaction: asyncpg.transaction.Transaction, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record]"
) -> None:
    """Roll back. A connection that is lost, or does not roll back in time, is closed, which rolls back as well.

    So is one of which nobody knows whether its transaction has begun.
    """
    try:
        if not is_gone(connection):
            async with asyncio.timeout(ROLLBACK_SECONDS):
                await transaction.rollback()
    except LOST_CONNECTION:
        if not is_gone(connection):
            connection.terminate()

"""The database: connection pools, read, scratch and write sessions, and the only place that commits.

A `ReadSession` is one snapshot in a read-only transaction. A `WriteSession` is one unit of work: it commits at the end
of its block, and rolls back if the block raises. The two are distinct types, so that mypy rejects a write session on a
read path. A `ScratchSession` is a snapshot that may use temporary tables, and never commits.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from enum import IntEnum
from functools import partial
from io import BytesIO
from typing import Any, Self, TypeAlias

import asyncpg
import orjson

from api.errors import AccordError, ErrorCode
from api.settings import KeptLimits
from api.sql import Sql, Statement, bound_values

logger = logging.getLogger("accord.db")

SERVER_SETTINGS = {"jit": "off", "timezone": "UTC", "application_name": "accord"}
STATEMENT_TIMEOUT_MS = 30_000  # the default for reads; a job that takes longer passes its own
# The longest statement that a connection keeps prepared, in characters: that of a re-evaluation has 20,000.
LONGEST_PREPARED = 200_000
# The same for reads: a page with many nested lists has 20,000, and costs 14 ms instead of 3 if it is planned each time.
# Cost: a backend keeps a hundred statements, of 120 bytes of memory for a character.
LONGEST_PREPARED_READ = 40_000
# What connecting and executing can raise; a timeout is an OSError, too.
DATABASE_FAILURES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
DEFAULT_KEPT_LIMITS = KeptLimits()
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"

# A statement is prepared once and executed with many values. Planning every execution takes longer than a small read (a
# page with nested lists: 2.0 ms instead of 1.3). The cost of a generic plan: a rare value may be searched with the plan
# for a common one, which takes up to ten times as long. In `auto` mode PostgreSQL chose the same plans.
READER_SETTINGS = {
    "default_transaction_read_only": "on",
    "statement_timeout": str(STATEMENT_TIMEOUT_MS),
    "plan_cache_mode": "force_generic_plan",
}


@dataclass(frozen=True, slots=True)
class Session:
    """What read and write sessions have in common: executing a statement and fetching rows."""

    connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | asyncpg.Connection[asyncpg.Record]"

    async def rows(
        self, statement: Sql | Statement, parameters: Mapping[str, object] | None = None
    ) -> list[asyncpg.Record]:
        """Return every row of a statement; `parameters` has the value of every `Parameter`."""
        text, values = statement.render()
        return await self.connection.fetch(text, *bound_values(values, parameters or {}))

    async def row(
        self, statement: Sql | Statement, parameters: Mapping[str, object] | None = None
    ) -> asyncpg.Record | None:
        """Return the first row, or None; `parameters` has the value of every `Parameter`."""
        text, values = statement.render()
        return await self.connection.fetchrow(text, *bound_values(values, parameters or {}))

    async def value(self, statement: Sql, parameters: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - a value of any SQL type
        """Return the first column of the first row, or None; `parameters` has the value of every `Parameter`."""
        text, values = statement.render()
        return await self.connection.fetchval(text, *bound_values(values, parameters or {}))


class ReadSession(Session):
    """One snapshot of the database; cannot write."""


class ScratchSession(Session):
    """One snapshot that may also create and fill temporary tables.

    `Database.scratch` opens it and always rolls it back, so nothing done in it survives the block: not the temporary
    tables, and not a change to a permanent table either.

    A function that takes a `ScratchSession` writes to temporary tables only, and does not rely on the rollback.
    Therefore a `WriteSession` is one: the evaluation runs in a scratch session when it is only compared, and in the
    caller's write session when its result is stored. The reverse does not hold. A workflow takes a `WriteSession`, so
    it cannot be handed a session whose changes are lost; a read path takes a `ReadSession`, so it can be handed
    neither.
    """

    async def run(self, statement: Sql) -> str:
        """Execute a statement and return its command tag, such as `UPDATE 3`."""
        text, values = statement.render()
        return await self.connection.execute(text, *values)

    async def script(self, text: str) -> None:
        """Execute several statements without parameters."""
        await self.connection.execute(text)

    async def copy(self, table: str, columns: Sequence[str], records: Iterable[Sequence[object]]) -> None:
        """Insert rows with COPY."""
        await self.connection.copy_records_to_table(table, columns=list(columns), records=records)


class AdvisoryLock(IntEnum):
    """Work that only one transaction, or one process, at a time may do in a database."""

    LOADING = int.from_bytes(b"accord")  # load or migrate a database
    WORKING = int.from_bytes(b"jobs")  # run the background jobs; held by a connection, not a transaction
    READING = int.from_bytes(b"reading")  # evaluate another reading than the one in force
    SUMMING = int.from_bytes(b"daysums")  # store day sums
    EVALUATING = int.from_bytes(b"funnel")  # evaluate the funnel while units of work, which share it, go on


# A unit of work shares `EVALUATING` from its beginning, or knows that an evaluation runs: see IS_EVALUATING. This takes
# no round trip of its own.
_BEGIN = (
    "begin; select set_config('accord.is_evaluating',"
    f" (not pg_try_advisory_xact_lock_shared({AdvisoryLock.EVALUATING.value}))::text, true)"
)
IS_EVALUATING = Sql("coalesce(current_setting('accord.is_evaluating', true) = 'true', false)")


class WriteSession(ScratchSession):
    """One unit of work."""

    async def lock(self, what: AdvisoryLock) -> None:
        """Wait for an advisory lock and hold it until the transaction ends."""
        await self.run(Sql("select pg_advisory_xact_lock({})", what.value))

    async def copy_binary(self, table: str, columns: Sequence[str], sent: bytes) -> None:
        """Insert rows in PostgreSQL's binary COPY format, frozen.

        The same transaction has to create or truncate the table first: PostgreSQL requires it for frozen rows.
        """
        await self.connection.copy_to_table(
            table, columns=list(columns), source=BytesIO(sent), format="binary", freeze=True
        )


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
        self._places = asyncio.Semaphore(size)
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
                await connection.execute(_BEGIN)
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

    def _sound(self) -> "Connection | None":
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed():
                return connection
        return None


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
                init=_prepare,
                timeout=10,
                max_cacheable_statement_size=LONGEST_PREPARED,
            )
            await pool.release(await pool.acquire())
        readers, writers = Connections(partial(_reader, dsn), size), Connections(partial(_writer, dsn), size)
        try:
            yield cls(pool, readers, writers, kept_limits)
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

    @asynccontextmanager
    async def _connection(self) -> "AsyncIterator[asyncpg.pool.PoolConnectionProxy[asyncpg.Record]]":
        with _reconnecting():
            connection = await self._pool.acquire()
        try:
            yield connection
        finally:
            await self._pool.release(connection)


@contextmanager
def connecting() -> Iterator[None]:
    """Convert errors of connecting into an AccordError with a remedy."""
    try:
        yield
    except asyncpg.InvalidPasswordError as error:
        raise _unreachable("The database refuses the user name or password.") from error
    except asyncpg.InvalidCatalogNameError as error:
        raise _unreachable(f"The server does not have this database: {error}.") from error
    except (*DATABASE_FAILURES, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise _unreachable(f"The database cannot be reached: {reason}.") from error


@contextmanager
def _reconnecting() -> Iterator[None]:
    """Convert errors of reconnecting into a ConnectionError. The cause is only logged: it may name hosts and users."""
    try:
        yield
    except DATABASE_FAILURES as error:
        logger.warning("The database cannot be reached: %s", str(error) or type(error).__name__)
        raise ConnectionError("the database cannot be reached") from error


def _unreachable(message: str) -> AccordError:
    return AccordError(
        ErrorCode.DATABASE_UNREACHABLE,
        message,
        "Check DATABASE_URL (postgresql://user:password@host:5432/database), or unset it to use Accord's own server.",
    )


async def _prepare(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Convert JSON columns from and to Python values."""
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, encoder=_dump, decoder=orjson.loads, schema="pg_catalog")


async def _reader(dsn: str) -> Connection:
    with _reconnecting():
        return await asyncpg.connect(
            dsn,
            server_settings=SERVER_SETTINGS | READER_SETTINGS,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=LONGEST_PREPARED_READ,
            timeout=10,
        )


async def _writer(dsn: str) -> Connection:
    with _reconnecting():
        connection = await asyncpg.connect(
            dsn,
            server_settings=SERVER_SETTINGS | WRITER_SETTINGS,
            max_cached_statement_lifetime=0,
            max_cacheable_statement_size=LONGEST_PREPARED,
            timeout=10,
        )
    await _prepare(connection)
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

"""Sessions: one snapshot, or one unit of work. They are distinct types, so that mypy keeps writes off the read path."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from io import BytesIO
from typing import Any, TypeAlias

import asyncpg

from api.sql import Sql, Statement, bound_values

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


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
SHARE_EVALUATING = (
    "select set_config('accord.is_evaluating',"
    f" (not pg_try_advisory_xact_lock_shared({AdvisoryLock.EVALUATING.value}))::text, true)"
)
IS_EVALUATING = Sql("coalesce(current_setting('accord.is_evaluating', true) = 'true', false)")


@dataclass(frozen=True, slots=True)
class WriteSession(ScratchSession):
    """One unit of work."""

    _after_commit: list[Callable[[], None]] = field(default_factory=list, init=False)

    def after_commit(self, call: Callable[[], None]) -> None:
        """Have something called once the unit of work is committed, such as a metric counted; not if it rolls back."""
        self._after_commit.append(call)

    def committed(self) -> None:
        """Call what `after_commit` was given. `Database` does this."""
        for call in self._after_commit:
            call()

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

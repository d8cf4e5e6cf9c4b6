"""A read replica as a database that is only read, and never older than a position where one is required."""

import copy
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Any, NoReturn, Self

import asyncpg

from api.db.database import Database
from api.db.failures import PrimaryNeededError
from api.db.sessions import Connection, Session
from api.db.wal_positions import REPLAYED_POSITION, WalPosition, read_position


class ReplicaDatabase(Database):
    """A streaming standby with pools and an outage state of its own. Whoever would write gets PrimaryNeededError.

    A connection stays on one server, which only ever goes forward. So the position is required on the connection that
    reads, before its snapshot: a standby that was started again can be further back than it was, and an address can
    stand for several standbys.
    """

    _least: WalPosition | None = None

    def at_least(self, position: WalPosition) -> Self:
        """The same replica for a read that must not be older than a position. Its reads raise PrimaryNeededError."""
        made = copy.copy(self)
        made._least = position  # noqa: SLF001 - its own copy
        return made

    def value(self, text: str, values: Sequence[object]) -> Awaitable[Any]:
        """Execute a single read statement and return its value."""
        if self._least is None:
            return super().value(text, values)
        return self._readers.value(text, values, self._require_position)

    def require_primary(self) -> NoReturn:
        """Refuse: a replica cannot be written, and processes agree by the locks of the primary."""
        raise PrimaryNeededError("writes")

    @asynccontextmanager
    async def _connection(
        self, *, is_watched: bool = True
    ) -> "AsyncIterator[asyncpg.pool.PoolConnectionProxy[asyncpg.Record]]":
        async with super()._connection(is_watched=is_watched) as connection:
            if self._least is not None:
                await self._require_position(connection)
            yield connection

    async def _require_position(
        self, connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | Connection"
    ) -> None:
        replayed = await read_position(Session(connection), REPLAYED_POSITION)
        if replayed is None or self._least is None or replayed < self._least:
            raise PrimaryNeededError("behind")

"""A database whose reads take long, and what PostgreSQL does at the moment."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from time import monotonic

from api.db import Database, ReadSession
from api.sql import Sql

SLEEP = "pg_sleep"


class SlowDatabase(Database):
    """The same pools as another database. Single reads and snapshots first sleep in PostgreSQL.

    `sleeps` says for how many seconds each of the next reads does; after them, none does.
    """

    def __init__(self, database: Database, *sleeps: float) -> None:
        super().__init__(
            database._pool, database._readers, database._writers, database.kept_limits, database._wait_limits
        )
        self.sleeps = list(sleeps)

    async def value(self, text: str, values: Sequence[object]) -> object:
        if self.sleeps:
            await super().value(f"select {SLEEP}($1)::text", [self.sleeps.pop(0)])
        return await super().value(text, values)

    @asynccontextmanager
    async def read(self, *, timeout_ms: int | None = None) -> AsyncIterator[ReadSession]:
        async with super().read(timeout_ms=timeout_ms) as session:
            if self.sleeps and timeout_ms is None:  # statistics are read with a limit of their own
                await session.value(Sql("select pg_sleep({})::text", self.sleeps.pop(0)))
            yield session


async def sleeping(database: Database) -> int:
    """Return how many statements sleep in PostgreSQL."""
    async with database.write() as session:
        found: int = await session.value(
            Sql(
                "select count(*) from pg_stat_activity where state = 'active' and wait_event = 'PgSleep'"
                " and datname = current_database()"
            )
        )
    return found


async def until_sleeping(database: Database, number: int, *, within: float = 5.0) -> float:
    """Wait until so many statements sleep. Return how long that took; the test fails if it takes longer."""
    began = monotonic()
    while (found := await sleeping(database)) != number:
        assert monotonic() - began < within, f"{found} statements sleep, not {number}"
        await asyncio.sleep(0.02)
    return monotonic() - began

"""What the metrics and the logs know of connections: the time of statements, and who has a connection or waits."""

import asyncio
from typing import Any

import asyncpg

from api.telemetry.statements import timed_statement


class TimedConnection(asyncpg.Connection):
    """A connection that times its statements."""

    async def execute(self, query: str, *args: Any, timeout: float | None = None) -> str:  # noqa: ANN401, ASYNC109 - as asyncpg's
        """Execute one statement or several, and return the last command tag."""
        with timed_statement(query, args):
            tag: str = await super().execute(query, *args, timeout=timeout)
        return tag

    async def fetch(self, query: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as asyncpg's
        """Return all rows."""
        with timed_statement(query, args):
            return await super().fetch(query, *args, **options)

    async def fetchrow(self, query: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as asyncpg's
        """Return the first row."""
        with timed_statement(query, args):
            return await super().fetchrow(query, *args, **options)

    async def fetchval(self, query: str, *args: Any, **options: Any) -> Any:  # noqa: ANN401 - as asyncpg's
        """Return a column of the first row."""
        with timed_statement(query, args):
            return await super().fetchval(query, *args, **options)


class CountedPlaces(asyncio.Semaphore):
    """A semaphore that counts who has a place or waits for one."""

    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.size = size
        self._asked = 0

    @property
    def in_use(self) -> int:
        """The number of places that are taken."""
        return min(self._asked, self.size)

    @property
    def waiting(self) -> int:
        """The number of those who wait."""
        return self._asked - self.in_use

    def take(self) -> bool:
        """Take a place if one is free, in a tenth of the time that `acquire` takes. Return whether there was one."""
        if self._asked >= self.size:
            return False
        self._asked += 1
        self._value -= 1  # nobody waits, since all who wait have asked
        return True

    async def acquire(self) -> bool:  # type: ignore[override]
        """Take a place, as soon as one is free."""
        self._asked += 1
        try:
            return await super().acquire()
        except BaseException:
            self._asked -= 1
            raise

    def release(self) -> None:
        """Give a place back."""
        self._asked -= 1
        super().release()

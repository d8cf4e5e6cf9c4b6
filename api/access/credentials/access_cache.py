"""What requests look up of credentials, kept in memory until somebody's access changes.

Every change of access sends a notification with its commit (`announce_access_change`). Each server process listens on a
connection of its own, and forgets everything when one comes: so a revoked key ends on every process within
milliseconds, while a request costs no look-up. While the process does not listen, each request looks up anew.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Hashable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Any, TypeVar

from cachetools import TTLCache

from api.db import LOST_CONNECTION, Connection, Database, WriteSession
from api.sql import Sql

logger = logging.getLogger("accord.access")

CHANNEL = "accord_access"
MOST_KEPT = 10_000
KEPT_SECONDS = 60.0
"""How long anything is kept: until then a change that nobody announced, such as one by hand in SQL, is not seen."""
PING_SECONDS = 2.0
"""How often the listening connection is tried, and how long a try and a pause after a failure may take."""
TRUSTED_SECONDS = 5.0
"""How long what is kept is trusted without a successful try, so that a cut network cannot hide a revocation."""

Found = TypeVar("Found")


async def announce_access_change(session: WriteSession) -> None:
    """Have every process forget what it knows of credentials, at the commit of this session.

    Whatever changes keys, sessions or the access of members calls it in the same unit of work.
    """
    await session.run(Sql("select pg_notify({}, '')", CHANNEL))


class AccessCache:
    """Keeps what was found for credentials, as long as the process is sure to hear of changes."""

    def __init__(self) -> None:
        self._kept: TTLCache[Hashable, Any] = TTLCache(MOST_KEPT, KEPT_SECONDS, timer=monotonic)
        self._generation = 0
        self._trusted_until = 0.0

    @property
    def is_listening(self) -> bool:
        """Whether the process is sure to hear of changes, so that what it keeps is true."""
        return monotonic() < self._trusted_until

    async def get(self, key: Hashable, look_up: Callable[[], Awaitable[Found | None]]) -> Found | None:
        """Return what is kept under a key, or look it up. What is not found (None) is not kept.

        Forged keys therefore cost one look-up each, and never displace real ones.
        """
        if not self.is_listening:
            return await look_up()
        kept: Found | None = self._kept.get(key)
        if kept is not None:
            return kept
        generation = self._generation
        found = await look_up()
        # A change during the look-up may have come after its snapshot: then it is returned, and not kept.
        if found is not None and generation == self._generation:
            self._kept[key] = found
        return found

    def forget(self) -> None:
        """Forget everything. Look-ups that are under way are not kept."""
        self._generation += 1
        self._kept.clear()

    @asynccontextmanager
    async def listening(self, database: Database) -> AsyncIterator[None]:
        """Listen for changes in a task, as long as the block runs.

        Behind a pooler nothing can be heard: then each request looks up anew.
        """
        if not database.has_sessions:
            yield
            return
        task = asyncio.create_task(self._listen_always(database))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def _listen_always(self, database: Database) -> None:
        """Listen, and connect again after each failure. An outage has log lines of its own."""
        failures = 0
        while True:
            began = monotonic()
            try:
                async with database.apart() as connection:
                    await self._listen(connection)
            except LOST_CONNECTION as error:
                failures = 1 if monotonic() - began > TRUSTED_SECONDS else failures + 1
                reason = str(error) or type(error).__name__
                if failures == 2 and not database.outage.is_on:
                    logger.warning("Changes of access are not heard, so each request looks its key up: %s", reason)
            finally:
                self._trusted_until = 0.0
                self.forget()
            await database.outage.wait_until_over()
            await asyncio.sleep(PING_SECONDS)

    async def _listen(self, connection: Connection) -> None:
        """Listen on a connection until it fails. PostgreSQL sends pending notifications before the reply to a try."""
        is_heard = asyncio.Event()

        def hear(*_: object) -> None:
            is_heard.set()
            self.forget()

        async with asyncio.timeout(PING_SECONDS):
            await connection.add_listener(CHANNEL, hear)
        # A pooler between may pass on statements and no notifications: trust only what was heard once.
        await connection.execute("select pg_notify($1, '')", CHANNEL, timeout=PING_SECONDS)
        await asyncio.wait_for(is_heard.wait(), PING_SECONDS)
        while True:
            tried_at = monotonic()
            await connection.execute("select 1", timeout=PING_SECONDS)
            self._trusted_until = tried_at + TRUSTED_SECONDS
            await asyncio.sleep(PING_SECONDS)

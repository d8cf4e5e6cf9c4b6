"""When API keys were last used: written at most once a minute, apart from requests."""

import asyncio
import logging
from collections.abc import Callable
from time import monotonic
from uuid import UUID

from cachetools import TTLCache

from api.db import LOST_CONNECTION, Database
from api.errors import AccordError
from api.sql import Sql

logger = logging.getLogger("accord.access")

SECONDS_BETWEEN = 60
MOST_KEYS = 10_000


class KeyUses:
    """Notes that keys are used, and writes it in tasks of its own.

    A use that cannot be written, such as on a read-only database, is only logged.
    """

    def __init__(self, database_of: Callable[[], Database]) -> None:
        self._database_of = database_of
        self._written: TTLCache[UUID, bool] = TTLCache(MOST_KEYS, SECONDS_BETWEEN, timer=monotonic)
        self._writing: set[asyncio.Task[None]] = set()
        self._is_logged = False

    def note(self, id_: UUID) -> None:
        """Note that a key is used now. Returns at once."""
        if id_ in self._written:
            return
        self._written[id_] = True
        task = asyncio.create_task(self._write(id_))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)

    async def finish(self) -> None:
        """Wait until the uses that were noted are written."""
        await asyncio.gather(*self._writing)

    async def _write(self, id_: UUID) -> None:
        try:
            async with self._database_of().write() as session:
                # Other processes write, too. Whoever comes second does not wait for the first.
                await session.run(
                    Sql(
                        "update api_key set last_used_at = now() where id = (select id from api_key where id = {}"
                        " and (last_used_at is null or last_used_at < now() - interval '1 minute')"
                        " for no key update skip locked)",
                        id_,
                    )
                )
        except (AccordError, *LOST_CONNECTION) as error:
            if self._database_of().outage.is_on:
                return  # an outage has log lines of its own
            if not self._is_logged:
                logger.warning("The last use of API keys cannot be written: %s", error)
            self._is_logged = True

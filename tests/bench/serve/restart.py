"""Restarts PostgreSQL under load, and measures how long the server takes to answer again."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

import asyncpg

from api.embedded.server import EmbeddedServer, start, stop
from tests.bench.serve.arrivals import StreamResult

BEFORE_SECONDS, DOWN_SECONDS, AFTER_SECONDS = 5.0, 3.0, 15.0
_CONNECT_EVERY_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Restart:
    """A restart: PostgreSQL as it runs afterwards, and the instants of its end and of the first connection after it."""

    postgresql: EmbeddedServer
    stopped_at: float
    returned_at: float

    def seconds_to_answer(self, light: StreamResult) -> float:
        """Return how long after its return the first right answer came."""
        ends = (
            arrived + latency
            for arrived, latency, outcome in zip(light.arrivals, light.latencies, light.outcomes, strict=True)
            if outcome == "200" and arrived + latency > self.returned_at
        )
        return min(ends, default=float("inf")) - self.returned_at


async def restart_postgresql(folder: Path, dsn: str) -> Restart:
    """Stop PostgreSQL, start it again after a while, and note when it accepts the first connection."""
    await asyncio.sleep(BEFORE_SECONDS)
    await asyncio.to_thread(stop, folder)
    stopped_at = monotonic()
    await asyncio.sleep(DOWN_SECONDS)
    connected = asyncio.create_task(_first_connection(dsn))
    postgresql = await asyncio.to_thread(start, folder)
    return Restart(postgresql, stopped_at, await connected)


async def _first_connection(dsn: str) -> float:
    while True:
        try:
            connection = await asyncpg.connect(dsn, timeout=1)
        except (OSError, asyncpg.PostgresError, TimeoutError):
            await asyncio.sleep(_CONNECT_EVERY_SECONDS)
        else:
            returned_at = monotonic()
            await connection.close()
            return returned_at

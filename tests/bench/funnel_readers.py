"""How long readers wait while everybody is evaluated and the result comes into force, as an activation does it."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from api.access.evaluation import is_current
from api.db import Connection, WriteSession
from api.funnel.evaluate import evaluate

_LOCK_WAITS = "select count(*) from pg_stat_activity where pid = $1 and wait_event_type = 'Lock'"


@dataclass(frozen=True, slots=True)
class Waits:
    """What readers met: seconds of their longest read, at rest and meanwhile, of the commit, and of the evaluation.

    `lock_waits` is how often a reader was seen waiting for a lock.
    """

    at_rest: float
    meanwhile: float
    commit: float
    evaluation: float
    reads: int
    lock_waits: int


async def measure_readers(connection: Connection, dsn: str, as_of: datetime) -> Waits:
    """Read the number of people in a stage over and over, from a second connection, while everybody is evaluated.

    The evaluation is committed. A third connection looks every few milliseconds whether the reader waits for a lock.
    """
    reader, watcher = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    lock_waits = 0

    async def watch() -> None:
        nonlocal lock_waits
        while True:
            lock_waits += await watcher.fetchval(_LOCK_WAITS, reader.get_server_pid())
            await asyncio.sleep(0.005)

    async def rest() -> None:
        await asyncio.sleep(3)

    took: dict[str, float] = {}

    async def activate() -> None:
        started = time.perf_counter()
        transaction = connection.transaction()
        await transaction.start()
        await evaluate(WriteSession(connection), as_of=as_of)
        evaluated = time.perf_counter()
        await transaction.commit()
        took["evaluation"], took["commit"] = evaluated - started, time.perf_counter() - evaluated

    try:
        at_rest, _ = await _longest_read(reader, rest)
        watching = asyncio.create_task(watch())
        meanwhile, reads = await _longest_read(reader, activate)
        watching.cancel()
        return Waits(at_rest, meanwhile, took["commit"], took["evaluation"], reads, lock_waits)
    finally:
        watcher.terminate()
        reader.terminate()


async def _longest_read(reader: Connection, work: Callable[[], Awaitable[None]]) -> tuple[float, int]:
    """The longest read while the work runs, in seconds, and the number of reads."""
    statement = (
        "select count(*) from (select from stage_entry e join evaluation v on v.id = e.evaluation_id"
        f" where {is_current('v')} and e.stage = 'mql' and e.present_at is not null limit 100) present"
    )
    await reader.fetchval(statement)
    longest, reads = 0.0, 0
    running = asyncio.ensure_future(work())
    while not running.done():
        started = time.perf_counter()
        await reader.fetchval(statement)
        longest, reads = max(longest, time.perf_counter() - started), reads + 1
        await asyncio.sleep(0.005)
    await running
    return longest, reads

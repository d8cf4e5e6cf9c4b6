"""Preparing the readings that requests name: whoever asks first has them evaluated, and the others wait for that."""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from weakref import WeakKeyDictionary

from api.access.evaluation import RequestedReading
from api.db import AdvisoryLock, Database
from api.errors import AccordError
from api.funnel.evaluate import discard_former_entries
from api.funnel.readings.applied_reading import AppliedReading, ReadingKey, apply_key, apply_reading
from api.funnel.readings.evaluate_reading import evaluate_reading
from api.funnel.readings.kept_evaluations import find_kept, give_up, keep, kept_keys, mark_read

logger = logging.getLogger("accord.readings")

WAIT = timedelta(seconds=20)  # in a request, for the evaluation of a reading; the statements after it need time, too
QUICK = timedelta(seconds=3)  # an evaluation that took less is made again in the request, if the facts have changed
_POLL_SECONDS = 0.1

_Running = dict[ReadingKey, "asyncio.Task[None]"]
_running: WeakKeyDictionary[Database, _Running] = WeakKeyDictionary()


async def prepare_readings(
    database: Database, requested: Iterable[RequestedReading], *, wait: timedelta | None
) -> None:
    """Have the readings evaluated that are not kept, or whose facts have changed since.

    A reading that took long to evaluate is left as it is, if facts have changed since: the background job makes it
    again. An evaluation that takes longer than `wait` goes on after it; None waits for its end. Requests that name an
    invalid reading are refused where they are computed, not here.

    Shapes: readings -> nothing. Reads one snapshot. Writes what `keep` and `evaluate_reading` write.
    """
    wanted = [reading for reading in dict.fromkeys(requested) if not reading.is_current]
    if wanted:
        database.require_primary()
    waiting: set[asyncio.Task[None]] = set()
    for reading in wanted:
        async with database.read() as session:
            try:
                applied = await apply_reading(session, reading, datetime.now(UTC))
            except AccordError:
                continue
            if applied.key is None:
                continue
            found = await find_kept(session, applied.key)
        if found is None or (not found.is_fresh and found.took <= QUICK):
            waiting.add(_start(database, applied, applied.key))
        if found is not None:
            async with database.write() as writing:
                await mark_read(writing, found.id)
    if waiting:
        done, _ = await asyncio.wait(waiting, timeout=None if wait is None else wait.total_seconds())
        for task in done:
            task.result()


@dataclass(frozen=True, slots=True)
class EvaluatedReading:
    """A reading whose entries a list returns: when they were evaluated, and whether facts have changed since.

    `evaluated_at` is None for entries that follow every write, as they do while one version alone was ever in force.
    """

    requested: RequestedReading
    evaluated_at: datetime | None
    is_outdated: bool


async def require_readings(database: Database, requested: Iterable[RequestedReading]) -> tuple[EvaluatedReading, ...]:
    """Have the readings evaluated that lists name, as `prepare_readings`, and return them once each.

    One whose evaluation goes on is left out: the statement that reads its entries fails.

    Errors: those of `apply_reading`.
    """
    wanted = tuple(dict.fromkeys(requested))
    if not wanted:
        return ()
    database.require_primary()
    async with database.read() as session:
        for reading in wanted:
            await apply_reading(session, reading, datetime.now(UTC))
    await prepare_readings(database, wanted, wait=WAIT)
    evaluated = []
    async with database.read() as session:
        for reading in wanted:
            applied = await apply_reading(session, reading, datetime.now(UTC))
            kept = None if applied.key is None else await find_kept(session, applied.key)
            if kept is not None:
                evaluated.append(EvaluatedReading(reading, kept.made_at, not kept.is_fresh))
            elif applied.key is None:
                evaluated.append(EvaluatedReading(reading, None, is_outdated=False))
    return tuple(evaluated)


async def renew_readings(database: Database) -> int:
    """Give up kept evaluations that nobody asks for, and make those again whose facts have changed. Return how many.

    One that takes long is made again only after ten times as long, so that it never keeps the server busy.
    """
    async with database.write() as session:
        given_up = await give_up(session, database.kept_limits)
    async with database.read() as session:
        due = await kept_keys(session)
        applied = [(key, await apply_key(session, key)) for key in due]
    for key, found in applied:
        if found is not None:
            await _start(database, found, key)
    return given_up + len(applied)


def _start(database: Database, applied: AppliedReading, key: ReadingKey) -> "asyncio.Task[None]":
    """Start to evaluate a reading, unless this process does so already. It goes on when the request has ended."""
    running = _running.setdefault(database, {})
    task = running.get(key)
    if task is None:
        task = running[key] = asyncio.create_task(_evaluate(database, applied, key))
        task.add_done_callback(lambda done: _finished(running, key, done))
    return task


def _finished(running: _Running, key: ReadingKey, done: "asyncio.Task[None]") -> None:
    running.pop(key, None)
    if not done.cancelled() and (error := done.exception()) is not None:
        logger.error("The evaluation of a reading failed", exc_info=error)


async def _evaluate(database: Database, applied: AppliedReading, key: ReadingKey) -> None:
    """Evaluate a reading when no other process evaluates any. Two at once would share the processors and the disk."""
    while True:
        async with database.try_lock(AdvisoryLock.READING) as held:
            if held is not None:
                await _evaluate_alone(database, applied, key)
                return
        await asyncio.sleep(_POLL_SECONDS)


async def _evaluate_alone(database: Database, applied: AppliedReading, key: ReadingKey) -> None:
    async with database.read() as session:
        found = await find_kept(session, key)
    if found is not None and found.is_fresh:
        return  # another process was first
    async with database.write() as session:
        await session.script("set transaction isolation level repeatable read")
        evaluation_id = await evaluate_reading(session, applied, key)
    # A transaction of its own: marking evaluations as read meanwhile would make the one above fail.
    async with database.write() as session:
        await keep(session, key, evaluation_id, database.kept_limits)
        await session.script("analyze stage_entry")
    async with database.write() as session:
        await discard_former_entries(session)

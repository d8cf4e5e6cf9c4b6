"""Runs the periodic jobs in one process, whichever has the lock; the others wait to take over."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from api.db import LOST_CONNECTION, AdvisoryLock, Database, Session, is_gone
from api.errors import AccordError
from api.jobs.all_jobs import JOBS
from api.jobs.periodic import PeriodicJob
from api.sql import Sql
from api.telemetry.instruments import TimedJob
from api.telemetry.sampled import SAMPLED, JobsUse
from schema.base import now

logger = logging.getLogger("accord.jobs")

TAKEOVER_SECONDS = 15.0  # how often a process that waits looks whether the lock is free
DEADLINE_SECONDS = 5.0  # for the statements that see whether this process still has the lock
STOP_SECONDS = 3.0  # how long a stop waits for what a job is doing to be rolled back
POLL_SECONDS = 2.0  # how often a job that would be notified runs where nothing can be heard
SHORTEST_PAUSE_SECONDS = 1.0  # a job that cannot do its work yet is not tried again at once


@asynccontextmanager
async def running_jobs(database: Database, jobs: Sequence[PeriodicJob] = JOBS) -> AsyncIterator[None]:
    """Run the jobs beside the block; what a job is doing when the block ends is rolled back."""
    task = asyncio.create_task(run_jobs(database, jobs))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait([task], timeout=STOP_SECONDS)


async def run_jobs(database: Database, jobs: Sequence[PeriodicJob] = JOBS) -> None:
    """Run the jobs until cancelled, whenever no other process does."""
    failures = 0
    while True:
        began = time.monotonic()
        try:
            if not database.has_sessions:
                logger.info("This process runs the background jobs beside others: there is no direct connection")
                await _repeat(database, None, jobs)
            async with database.try_lock(AdvisoryLock.WORKING) as held:
                if held is not None:
                    logger.info("This process runs the background jobs")
                    await _repeat(database, held, jobs)
                failures = 0
        except (AccordError, *LOST_CONNECTION) as error:
            _end_if_cancelled(error)
            failures = 1 if time.monotonic() - began > TAKEOVER_SECONDS else failures + 1
            # An outage has log lines of its own. Otherwise the first failure is a lost connection: it is opened again.
            if failures == 2 and not database.outage.is_on:
                logger.warning("The background jobs wait for the database: %s", str(error) or type(error).__name__)
            if failures == 1:
                await asyncio.sleep(SHORTEST_PAUSE_SECONDS)
                continue
        except Exception as error:  # the outermost edge: a bug is logged, and the jobs start again
            _end_if_cancelled(error)
            logger.exception("The background jobs failed")
        await _takeover(database)


def _end_if_cancelled(error: Exception) -> None:
    """Go on with a stop: what is released after a cancellation may raise an error in place of it."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError from error


async def _takeover(database: Database) -> None:
    """Wait until the lock may be free: after an outage no process has it."""
    if database.outage.is_on:
        await database.outage.wait_until_over()
        return
    await asyncio.sleep(TAKEOVER_SECONDS)


async def _repeat(database: Database, held: Session | None, jobs: Sequence[PeriodicJob]) -> None:
    """Repeat the jobs as long as the connection with the lock stays. Errors: DATABASE_FAILURES when it is gone.

    Behind a pooler (None) no connection keeps a lock or hears notifications: then every process runs the jobs, which
    each of them stands, and those with a channel run often.
    """
    due = {job.name: time.monotonic() for job in jobs}

    async with _notified(held, jobs) as notified, _beside() as running:
        with SAMPLED.jobs(lambda: JobsUse(1, sum(at <= time.monotonic() for at in due.values()))):
            while True:
                if held is not None:
                    async with asyncio.timeout(DEADLINE_SECONDS):
                        await held.value(Sql("select 1"))
                for job in jobs:
                    if time.monotonic() >= due[job.name] or job.channel in notified.channels:
                        notified.channels.discard(job.channel)
                        await (_start(database, job, running) if job.is_long else _run(database, job))
                        pause = await _pause(database, job)
                        is_deaf = held is None and job.channel is not None
                        due[job.name] = time.monotonic() + (min(pause, POLL_SECONDS) if is_deaf else pause)
                await notified.wait(max(min(due.values()) - time.monotonic(), 0))


@asynccontextmanager
async def _beside() -> AsyncIterator[dict[str, "asyncio.Task[None]"]]:
    """The tasks of the long jobs that run, by their names; those that still run at the end are cancelled."""
    running: dict[str, asyncio.Task[None]] = {}
    try:
        yield running
    finally:
        for task in running.values():
            task.cancel()
        await asyncio.gather(*running.values(), return_exceptions=True)


@dataclass(frozen=True, slots=True)
class _Notified:
    """The channels that were notified since their job ran last."""

    channels: set[str | None] = field(default_factory=set)
    event: asyncio.Event = field(default_factory=asyncio.Event)

    def note(self, _connection: object, _pid: int, channel: str, _payload: object) -> None:
        """Note a notification: what asyncpg calls."""
        self.channels.add(channel)
        self.event.set()

    async def wait(self, seconds: float) -> None:
        """Wait so long, or until a channel is notified."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self.event.wait()
        self.event.clear()


@asynccontextmanager
async def _notified(held: Session | None, jobs: Sequence[PeriodicJob]) -> AsyncIterator[_Notified]:
    """Listen on the connection that holds the lock, if there is one, for the channels of the jobs.

    It is closed with the block, and the lock ends with it, so that a stop waits for no answer of the database.
    """
    notified = _Notified()
    if held is None:
        yield notified
        return
    for channel in sorted({job.channel for job in jobs if job.channel is not None}):
        await held.connection.add_listener(channel, notified.note)
    try:
        yield notified
    finally:
        if not is_gone(held.connection):
            held.connection.terminate()


async def _start(database: Database, job: PeriodicJob, running: dict[str, "asyncio.Task[None]"]) -> None:
    """Start a long job unless it still runs. Errors: those of the run before."""
    task = running.get(job.name)
    if task is not None:
        if not task.done():
            return
        await task
    running[job.name] = asyncio.create_task(_run(database, job))


async def _run(database: Database, job: PeriodicJob) -> None:
    """Run a job once. Its failure is logged, and keeps no other job from running."""
    try:
        with TimedJob(job.name):
            done = await job.run(database)
    except LOST_CONNECTION:
        raise
    except AccordError as error:
        logger.warning("The job '%s' is tried again later: %s", job.name, error)
        return
    except Exception:  # the outermost edge: a bug is logged, and the job is tried again at its next time
        logger.exception("The job '%s' failed", job.name)
        return
    if done and job.is_logged:
        logger.info("The job '%s' did %d", job.name, done)


async def _pause(database: Database, job: PeriodicJob) -> float:
    """The seconds until a job runs again."""
    longest = job.every.total_seconds()
    at = await job.next_at(database) if job.next_at is not None else None
    if at is None:
        return longest
    return min(max((at - now()).total_seconds(), SHORTEST_PAUSE_SECONDS), longest)

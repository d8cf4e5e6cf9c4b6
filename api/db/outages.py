"""Outages: one state that all connections of a process share, and the deadlines of waiting for the database.

An outage begins when a connection cannot be opened, or when statements wait and the database answers nobody. It is
logged once when it begins and once when it ends. Meanwhile nobody tries to connect but a probe, so that callers get
their error at once.

Every wait has a deadline on our side:

    to connect                      CONNECT_SECONDS
    for a free connection           ACQUIRE_SECONDS
    for a statement or a commit     DEADLINE_SECONDS more than the time limit that PostgreSQL itself keeps
    for any of them, if the database answers nobody
                                    LATE_SECONDS and two probes of PROBE_SECONDS
    to roll back or to release      ROLLBACK_SECONDS
    to close                        CLOSE_SECONDS
"""

import asyncio
import contextvars
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from time import monotonic
from typing import TypeVar

import asyncpg

from api.db.failures import LOST_CONNECTION, NoRoomError, UnreachableError, unreachable
from api.db.sessions import Connection

logger = logging.getLogger("accord.db")

ACQUIRE_SECONDS = 10.0
DEADLINE_SECONDS = 5.0
LATE_SECONDS = 3.0
PROBE_SECONDS = 2.5
ROLLBACK_SECONDS = 2.0
CLOSE_SECONDS = 3.0

WATCH_SECONDS = 1.0  # how often a process looks whether somebody waits for long
REST_SECONDS = 5.0  # until it looks again if the database answered the probe: the statement is only slow
RETRY_SECONDS = 0.25  # between two probes during an outage
_TICK_SECONDS = 0.1

Opened = TypeVar("Opened")


class Outage:
    """Whether the database cannot be reached. `probe` connects and disconnects; the log names the database `name`."""

    def __init__(self, probe: Callable[[], Awaitable[None]], name: str = "database") -> None:
        self._probe = probe
        self._name = name
        self._began: float | None = None
        self._cause: BaseException | None = None
        self._is_over = asyncio.Event()
        self._is_over.set()
        self._healing: asyncio.Task[None] | None = None
        self._connections: set[Connection] = set()
        # Who uses a connection, and since when.
        self.busy: dict[object, float] = {}

    @property
    def is_on(self) -> bool:
        """Whether there is an outage now."""
        return self._began is not None

    @property
    def seconds(self) -> float:
        """How long the outage has lasted; 0 if there is none."""
        return 0.0 if self._began is None else monotonic() - self._began

    @property
    def is_of_full_disk(self) -> bool:
        """Whether there is an outage now because the disk of the database is full."""
        return self.is_on and isinstance(self.refusal(), NoRoomError)

    def refusal(self) -> UnreachableError:
        """The error for whoever needs a connection during the outage."""
        return unreachable(self._cause)

    async def wait_until_over(self) -> None:
        """Wait until there is no outage."""
        await self._is_over.wait()

    async def opened(self, opening: Callable[[], Awaitable[Opened]]) -> Opened:
        """Open a connection, at once an error during an outage. Errors: ConnectionError without hosts and users."""
        if self.is_on:
            raise self.refusal()
        try:
            return await opening()
        except LOST_CONNECTION as error:
            self.begin(error)
            raise self.refusal() from error

    def register(self, connection: Connection) -> None:
        """Remember an open connection, to close it when the database answers nobody."""
        self._connections.add(connection)
        connection.add_termination_listener(self._connections.discard)

    def begin(self, error: BaseException) -> None:
        """Note that the database cannot be reached. The reason is only logged: it may name hosts and users."""
        if self.is_on:
            return
        self._began, self._cause = monotonic(), error
        self._is_over.clear()
        logger.warning("The %s cannot be reached: %s", self._name, str(error) or type(error).__name__)
        # In a context of its own: what the log says of the outage belongs to no request.
        self._healing = asyncio.create_task(self._heal(), context=contextvars.Context())

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look whether statements wait for a database that answers nobody, as long as the block runs."""
        watch = asyncio.create_task(self._watch())
        try:
            yield
        finally:
            tasks = [watch] if self._healing is None else [watch, self._healing]
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    async def close(self) -> None:
        """Close every connection: in order if the database answers in time, else at once."""
        closing = [asyncio.create_task(connection.close()) for connection in self._connections]
        if closing and not self.is_on:
            await asyncio.wait(closing, timeout=CLOSE_SECONDS)
        self.abandon()
        for task in closing:
            task.cancel()
        # What a lost connection raises when it is closed does not matter any more.
        await asyncio.gather(*closing, return_exceptions=True)

    def abandon(self) -> None:
        """End every connection without a word to the database. Whoever waits for a statement gets an error."""
        for connection in list(self._connections):
            connection.terminate()
        self._connections.clear()

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            if self.is_on or not self._is_late():
                continue
            if await self._silence() is None:
                await asyncio.sleep(REST_SECONDS)
            # Twice: a machine that is busy may be late once.
            elif (silence := await self._silence()) is not None:
                self.begin(silence)
                self.abandon()

    def _is_late(self) -> bool:
        return bool(self.busy) and monotonic() - min(self.busy.values()) > LATE_SECONDS

    async def _heal(self) -> None:
        while self._began is not None:
            await asyncio.sleep(RETRY_SECONDS)
            if await self._failure() is None:
                logger.warning("The %s can be reached again, after %.1f seconds", self._name, self.seconds)
                self._began = None
                self._is_over.set()

    async def _silence(self) -> BaseException | None:
        """Why the database answers nobody; None if it answers, be it with an error."""
        failure = await self._failure()
        return failure if isinstance(failure, OSError) else None

    async def _failure(self) -> BaseException | None:
        """Why a probe fails; None if it does not.

        Its time counts while the event loop runs: work that holds the loop up is not the database's delay.
        """
        probe = asyncio.ensure_future(self._probe())
        try:
            for _ in range(round(PROBE_SECONDS / _TICK_SECONDS)):
                if (await asyncio.wait({probe}, timeout=_TICK_SECONDS))[0]:
                    return probe.exception()
            return TimeoutError("it does not answer")
        finally:
            probe.cancel()


def is_gone(connection: "asyncpg.pool.PoolConnectionProxy[asyncpg.Record] | Connection") -> bool:
    """Whether a connection is closed. A pool takes one that was lost away from whoever uses it."""
    try:
        return connection.is_closed()
    except asyncpg.InterfaceError:
        return True

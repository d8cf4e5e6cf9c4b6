"""The deadline of a request, however many statements it has. A client that leaves ends its request as well.

Either cancels the task of the request. Whatever it waits for ends: its turn in a lane, a connection, or a statement,
which `api/db/connections.py` cancels in PostgreSQL. A commit that has begun is never interrupted.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import Enum, auto
from types import TracebackType
from typing import Any, Self

from api.errors import AccordError, ErrorCode

# Most requests end before anybody listens whether their client leaves: listening takes a task.
UNWATCHED_SECONDS = 0.1

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class _Ending(Enum):
    TIMED_OUT = auto()
    CLIENT_LEFT = auto()


class ClientLeft(Exception):  # noqa: N818 - no error: nobody waits for the response
    """The client closed the connection before the response."""


class RunningRequest:
    """A request while it runs, as a context manager in the task of the request.

    `receive` is that of ASGI, after the body was read. At the end of the block: TIMED_OUT at the deadline, ClientLeft.
    """

    __slots__ = (
        "_ending",
        "_ends_at",
        "_is_cancelled",
        "_is_committing",
        "_listener",
        "_loop",
        "_receive",
        "_seconds",
        "_task",
        "_timer",
        "_token",
    )

    def __init__(self, seconds: float, receive: Receive) -> None:
        self._seconds = seconds
        self._receive = receive
        self._ending: _Ending | None = None
        self._is_committing = self._is_cancelled = False
        self._listener: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._task = asyncio.current_task(self._loop)
        self._ends_at = self._loop.time() + self._seconds
        self._timer = self._loop.call_later(min(self._seconds, UNWATCHED_SECONDS), self._watch)
        self._token = _running.set(self)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        _running.reset(self._token)
        self._timer.cancel()
        if self._listener is not None:
            self._listener.cancel()
        # Rolling back after the cancellation may have raised another error.
        if error is None or self._ending is None or not isinstance(error, Exception | asyncio.CancelledError):
            return
        self._uncancel()
        if self._ending is _Ending.CLIENT_LEFT:
            raise ClientLeft from error
        raise timed_out(self._seconds, "Nothing was executed to its end. Request less at once.") from error

    def require_time(self, remedy: str) -> None:
        """Continue a request with several parts. Errors: TIMED_OUT; cancelled if the client has left."""
        if self._ending is _Ending.CLIENT_LEFT:
            raise asyncio.CancelledError
        if self._ending is _Ending.TIMED_OUT:
            raise timed_out(self._seconds, remedy)

    @contextmanager
    def part(self, remedy: str) -> Iterator[None]:
        """Report the deadline as an error of this part. Errors: TIMED_OUT; cancelled if the client has left."""
        self.require_time(remedy)
        try:
            yield
        except asyncio.CancelledError:
            if self._ending is not _Ending.TIMED_OUT:
                raise
            self._uncancel()
            raise timed_out(self._seconds, remedy) from None

    @contextmanager
    def commit(self) -> Iterator[None]:
        """Hold an interruption back until the end of the block; `part` reports it afterwards."""
        if asyncio.current_task() is not self._task:  # a task that outlives the request
            yield
            return
        self._is_committing = True
        try:
            yield
        finally:
            self._is_committing = False

    def _watch(self) -> None:
        self._timer = self._loop.call_at(self._ends_at, self._interrupt, _Ending.TIMED_OUT)
        self._listener = self._loop.create_task(self._listen())

    async def _listen(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._interrupt(_Ending.CLIENT_LEFT)

    def _interrupt(self, ending: _Ending) -> None:
        if self._ending is not None:
            return
        self._ending = ending
        if self._task is not None and not self._is_committing:
            self._is_cancelled = True
            self._task.cancel()

    def _uncancel(self) -> None:
        if self._task is not None and self._is_cancelled:
            self._is_cancelled = False
            self._task.uncancel()


_running: ContextVar[RunningRequest | None] = ContextVar("running_request", default=None)


@contextmanager
def part_of_request(remedy: str) -> Iterator[None]:
    """Run a part of a request whose other parts have results of their own, such as a mutation among several.

    Outside a request, nothing limits it. Errors: TIMED_OUT with this remedy; cancelled if the client has left.
    """
    running = _running.get()
    if running is None:
        yield
        return
    with running.part(remedy):
        yield


@contextmanager
def uninterrupted_commit() -> Iterator[None]:
    """Let neither the deadline nor the client's leaving interrupt the block: what is written stays known."""
    running = _running.get()
    if running is None:
        yield
        return
    with running.commit():
        yield


def timed_out(seconds: float, remedy: str) -> AccordError:
    """Return the error for a request that has reached its deadline."""
    return AccordError(ErrorCode.TIMED_OUT, f"The request took longer than {seconds:g} seconds.", remedy)

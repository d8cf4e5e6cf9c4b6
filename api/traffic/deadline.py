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

# How often running requests are looked at. Most end before anybody listens whether their client leaves: listening takes
# a task, and a timer for each request would take longer than all other rules together.
TICK_SECONDS = 0.1

Receive = Callable[[], Awaitable[Mapping[str, Any]]]


class _Ending(Enum):
    TIMED_OUT = auto()
    CLIENT_LEFT = auto()


class ClientLeft(Exception):  # noqa: N818 - no error: nobody waits for the response
    """The client closed the connection before the response."""


class RequestWatch:
    """Looks at the running requests of a server as long as there are any."""

    def __init__(self) -> None:
        self._requests: set[RunningRequest] = set()
        self._is_ticking = False

    def add(self, request: "RunningRequest") -> None:
        """Watch a request that begins."""
        self._requests.add(request)
        if not self._is_ticking:
            self._is_ticking = True
            loop = asyncio.get_running_loop()
            loop.call_later(TICK_SECONDS, self._tick, loop)

    def discard(self, request: "RunningRequest") -> None:
        """Forget a request that has ended."""
        self._requests.discard(request)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        for request in tuple(self._requests):
            request.tick(loop)
        self._is_ticking = bool(self._requests)
        if self._is_ticking:
            loop.call_later(TICK_SECONDS, self._tick, loop)


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
        "_receive",
        "_seconds",
        "_task",
        "_token",
        "_watch",
    )

    def __init__(self, watch: RequestWatch, seconds: float, receive: Receive) -> None:
        self._watch = watch
        self._seconds = seconds
        self._receive = receive
        self._ending: _Ending | None = None
        self._ends_at: float | None = None  # until the first tick
        self._is_committing = self._is_cancelled = False
        self._listener: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._task = asyncio.current_task()
        self._watch.add(self)
        self._token = _running.set(self)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        _running.reset(self._token)
        self._watch.discard(self)
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

    def tick(self, loop: asyncio.AbstractEventLoop) -> None:
        """End the request if its time is over, and listen whether its client leaves."""
        if self._ends_at is None:
            self._ends_at = loop.time() + self._seconds
            self._listener = loop.create_task(self._listen())
        elif loop.time() >= self._ends_at:
            self._interrupt(_Ending.TIMED_OUT)

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

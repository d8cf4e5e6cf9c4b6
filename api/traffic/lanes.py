"""Lanes: requests of one kind run side by side up to a number, and others wait in a queue, first come, first served."""

import asyncio
import math
from collections import deque
from types import TracebackType
from typing import NamedTuple

from api.errors import ErrorCode, RetryLaterError
from api.settings import LaneSizes
from api.telemetry.sampled import LaneUse


class _Waiting(NamedTuple):
    """A request in a queue: its turn has the result whether it got a place, and waits until an instant of the loop."""

    turn: "asyncio.Future[bool]"
    until: float


class Lane:
    """A bounded number of places, and a bounded queue, as an asynchronous context manager for one request.

    Errors: OVERLOADED if the queue is full, or if no place was free in the longest wait.
    """

    def __init__(self, name: str, places: int, longest_queue: int, longest_wait: float) -> None:
        self.name = name
        self.places = places
        self._free = places
        self._longest_queue = longest_queue
        self._longest_wait = longest_wait
        self._queue: deque[_Waiting] = deque()
        self._has_timer = False

    @property
    def running(self) -> int:
        """The number of requests that have a place."""
        return self.places - self._free

    @property
    def waiting(self) -> int:
        """The number of requests in the queue."""
        return len(self._queue)

    async def __aenter__(self) -> None:
        if self._free:
            self._free -= 1
        else:
            await self._wait()

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._leave()

    async def _wait(self) -> None:
        if len(self._queue) >= self._longest_queue:
            raise self._overloaded(f"{len(self._queue)} other {self.name} wait already")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(loop.create_future(), loop.time() + self._longest_wait)
        self._queue.append(waiting)
        if not self._has_timer:
            self._has_timer = True
            loop.call_at(waiting.until, self._refuse_late, loop)
        try:
            has_place = await waiting.turn
        except BaseException:
            if waiting in self._queue:
                self._queue.remove(waiting)
            elif not waiting.turn.cancelled() and waiting.turn.result():
                self._leave()  # the place came at the same instant
            raise
        if not has_place:
            raise self._overloaded(f"No place for {self.name} was free for {self._longest_wait:g} s")

    def _refuse_late(self, loop: asyncio.AbstractEventLoop) -> None:
        """Refuse who has waited too long. They are in their order, so that one timer serves the whole queue."""
        while self._queue and self._queue[0].until <= loop.time():
            turn = self._queue.popleft().turn
            if not turn.done():
                turn.set_result(False)
        self._has_timer = bool(self._queue)
        if self._has_timer:
            loop.call_at(self._queue[0].until, self._refuse_late, loop)

    def _leave(self) -> None:
        """Hand the place to who waits longest."""
        while self._queue:
            turn = self._queue.popleft().turn
            if not turn.done():  # cancelled, and its task has not run since
                turn.set_result(True)
                return
        self._free += 1

    def _overloaded(self, reason: str) -> RetryLaterError:
        seconds = max(1, math.ceil(self._longest_wait))
        return RetryLaterError(
            ErrorCode.OVERLOADED,
            f"The server has too much to do: {reason}. Nothing was executed.",
            f"Send the request again in {seconds} second{'s' if seconds > 1 else ''}.",
            retry_after=seconds,
        )


class Lanes:
    """The lanes of a process. Neither health checks, nor sign-in, nor files of pages wait for one."""

    def __init__(self, sizes: LaneSizes) -> None:
        self._heavy_cost = sizes.heavy_cost
        self.light = Lane("light requests", sizes.light, sizes.queue, sizes.wait_seconds)
        self.heavy = Lane("heavy requests", sizes.heavy, sizes.queue, sizes.wait_seconds)
        self.mutations = Lane("mutations", sizes.mutations, sizes.queue, sizes.wait_seconds)

    def uses(self) -> tuple[LaneUse, ...]:
        """How the lanes are used at the moment."""
        lanes = (("light", self.light), ("heavy", self.heavy), ("mutations", self.mutations))
        return tuple(LaneUse(name, lane.running, lane.waiting, lane.places) for name, lane in lanes)

    def of_request(self, cost: int, *, is_mutation: bool) -> Lane:
        """Return the lane of a request, by the cost that it states before anything is executed."""
        if is_mutation:
            return self.mutations
        return self.heavy if cost >= self._heavy_cost else self.light

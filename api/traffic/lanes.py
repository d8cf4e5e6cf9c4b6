"""Lanes: requests of one kind run side by side up to a number, and others wait in a queue, first come, first served."""

import asyncio
import math
from collections import deque
from types import TracebackType

from api.errors import ErrorCode, RetryLaterError
from api.settings import LaneSizes
from api.telemetry.sampled import LaneUse


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
        self._queue: deque[asyncio.Future[None]] = deque()

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
        turn = asyncio.get_running_loop().create_future()
        self._queue.append(turn)
        try:
            async with asyncio.timeout(self._longest_wait):
                await turn
        except BaseException as error:
            if turn in self._queue:
                self._queue.remove(turn)
            elif not turn.cancelled():
                self._leave()  # the place came at the same instant
            if isinstance(error, TimeoutError):
                raise self._overloaded(f"No place for {self.name} was free for {self._longest_wait:g} s") from error
            raise

    def _leave(self) -> None:
        """Hand the place to who waits longest. Who has just been cancelled is in the queue until its task runs."""
        while self._queue:
            turn = self._queue.popleft()
            if not turn.cancelled():
                turn.set_result(None)
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
        self._medium_cost, self._heavy_cost = sizes.medium_cost, sizes.heavy_cost
        self.light = Lane("light requests", sizes.light, sizes.queue, sizes.wait_seconds)
        self.medium = Lane("requests of medium cost", sizes.medium, sizes.queue, sizes.wait_seconds)
        self.heavy = Lane("heavy requests", sizes.heavy, sizes.queue, sizes.wait_seconds)
        self.mutations = Lane("mutations", sizes.mutations, sizes.queue, sizes.wait_seconds)

    def uses(self) -> tuple[LaneUse, ...]:
        """How the lanes are used at the moment."""
        lanes = (
            ("light", self.light),
            ("medium", self.medium),
            ("heavy", self.heavy),
            ("mutations", self.mutations),
        )
        return tuple(LaneUse(name, lane.running, lane.waiting, lane.places) for name, lane in lanes)

    def of_request(self, cost: int, *, is_mutation: bool) -> Lane:
        """Return the lane of a request, by the cost that it states before anything is executed."""
        if is_mutation:
            return self.mutations
        if cost >= self._heavy_cost:
            return self.heavy
        return self.medium if cost >= self._medium_cost else self.light

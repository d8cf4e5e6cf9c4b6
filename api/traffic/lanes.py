"""Lanes: requests of one kind run side by side up to a number, and others wait in a queue, first come, first served."""

import asyncio
import math
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
        self.running = 0
        self.waiting = 0
        self._turns = asyncio.Semaphore(places)
        self._longest_queue = longest_queue
        self._longest_wait = longest_wait

    async def __aenter__(self) -> None:
        if self._turns.locked():
            await self._wait()
        else:
            await self._turns.acquire()
        self.running += 1

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.running -= 1
        self._turns.release()

    async def _wait(self) -> None:
        if self.waiting >= self._longest_queue:
            raise self._overloaded(f"{self.waiting} other {self.name} wait already")
        self.waiting += 1
        try:
            async with asyncio.timeout(self._longest_wait):
                await self._turns.acquire()
        except TimeoutError as error:
            raise self._overloaded(f"No place for {self.name} was free for {self._longest_wait:g} s") from error
        finally:
            self.waiting -= 1

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

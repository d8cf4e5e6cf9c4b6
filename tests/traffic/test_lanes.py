"""Lanes: so many at once, so many in the queue, so long; first come, first served."""

import asyncio

import pytest

from api.errors import ErrorCode, RetryLaterError
from api.settings import LaneSizes
from api.traffic.lanes import Lane, Lanes


class Crowd:
    """Requests in a lane: which of them have a place, in the order in which they got it."""

    def __init__(self, lane: Lane) -> None:
        self.lane = lane
        self.inside: list[str] = []
        self._ends: dict[str, asyncio.Event] = {}
        self.tasks: dict[str, asyncio.Task[None]] = {}

    async def arrive(self, *names: str) -> None:
        for name in names:
            self._ends[name] = asyncio.Event()
            self.tasks[name] = asyncio.create_task(self._pass(name))
            await asyncio.sleep(0)

    async def leave(self, name: str) -> None:
        self._ends[name].set()
        await self.tasks[name]
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    async def leave_all(self) -> None:
        for event in self._ends.values():
            event.set()
        await asyncio.gather(*self.tasks.values(), return_exceptions=True)

    async def _pass(self, name: str) -> None:
        async with self.lane:
            self.inside.append(name)
            await self._ends[name].wait()


def lane(places: int = 2, queue: int = 2, wait: float = 60) -> Lane:
    return Lane("requests", places, queue, wait)


async def test_so_many_run_at_once_and_the_others_follow_in_their_order() -> None:
    crowd = Crowd(lane())
    await crowd.arrive("a", "b", "c", "d")
    assert (crowd.inside, crowd.lane.running, crowd.lane.waiting) == (["a", "b"], 2, 2)
    await crowd.leave("b")
    assert crowd.inside == ["a", "b", "c"]
    await crowd.leave("a")
    assert crowd.inside == ["a", "b", "c", "d"]
    await crowd.leave_all()
    assert (crowd.lane.running, crowd.lane.waiting) == (0, 0)


async def test_who_meets_a_full_queue_is_refused_at_once_and_told_when_to_come_back() -> None:
    crowd = Crowd(lane(wait=2.5))
    await crowd.arrive("a", "b", "c", "d")
    with pytest.raises(RetryLaterError, match="2 other requests wait already") as refused:
        async with asyncio.timeout(5), crowd.lane:
            pass
    assert (refused.value.code, refused.value.retry_after) == (ErrorCode.OVERLOADED, 3)
    await crowd.leave_all()


async def test_who_waits_too_long_is_refused_and_leaves_the_queue() -> None:
    crowd = Crowd(lane(places=1, wait=0.01))
    await crowd.arrive("a")
    with pytest.raises(RetryLaterError, match="was free for") as refused:
        async with asyncio.timeout(5), crowd.lane:
            pass
    assert refused.value.code is ErrorCode.OVERLOADED
    assert crowd.lane.waiting == 0
    await crowd.leave("a")
    assert crowd.lane.running == 0


async def test_a_cancelled_request_frees_its_turn_or_its_place() -> None:
    crowd = Crowd(lane(places=1))
    await crowd.arrive("a", "b", "c")
    crowd.tasks["b"].cancel()
    await asyncio.wait([crowd.tasks["b"]])
    assert crowd.lane.waiting == 1
    crowd.tasks["a"].cancel()
    await asyncio.wait([crowd.tasks["a"]])
    await asyncio.sleep(0)
    assert crowd.inside == ["a", "c"]
    await crowd.leave_all()
    assert crowd.lane.running == 0


async def test_a_request_cancelled_at_the_instant_of_its_turn_hands_the_place_on() -> None:
    crowd = Crowd(lane(places=1))
    await crowd.arrive("a", "b", "c")
    crowd._ends["a"].set()
    await asyncio.sleep(0)  # a goes on, and gives its place to b, which does not run yet
    assert crowd.lane.running == 0
    crowd.tasks["b"].cancel()
    await asyncio.wait([crowd.tasks["a"], crowd.tasks["b"]])
    await asyncio.sleep(0)
    assert crowd.inside == ["a", "c"]
    await crowd.leave_all()
    assert crowd.lane.running == 0


async def test_a_place_that_is_free_at_the_instant_of_a_cancellation_goes_to_the_next() -> None:
    crowd = Crowd(lane(places=1))
    await crowd.arrive("a", "b", "c")
    crowd._ends["a"].set()
    crowd.tasks["b"].cancel()  # before a goes on: b does not run yet, and still stands in the queue
    await asyncio.wait([crowd.tasks["a"], crowd.tasks["b"]])
    await asyncio.sleep(0)
    assert (crowd.tasks["a"].exception(), crowd.tasks["b"].cancelled(), crowd.inside) == (None, True, ["a", "c"])
    await crowd.leave_all()
    assert (crowd.lane.running, crowd.lane.waiting) == (0, 0)


async def test_each_that_waits_is_refused_after_its_own_wait() -> None:
    crowd = Crowd(lane(places=1, wait=0.2))
    await crowd.arrive("a", "first")
    await asyncio.sleep(0.1)
    await crowd.arrive("second")
    await asyncio.wait([crowd.tasks["first"]])
    assert isinstance(crowd.tasks["first"].exception(), RetryLaterError)
    assert not crowd.tasks["second"].done()
    await asyncio.wait([crowd.tasks["second"]])
    assert isinstance(crowd.tasks["second"].exception(), RetryLaterError)
    await crowd.leave_all()
    assert (crowd.lane.running, crowd.lane.waiting) == (0, 0)


def test_the_cost_decides_the_lane() -> None:
    lanes = Lanes(LaneSizes(medium_cost=10, heavy_cost=100))
    assert lanes.of_request(9, is_mutation=False) is lanes.light
    assert lanes.of_request(10, is_mutation=False) is lanes.medium
    assert lanes.of_request(99, is_mutation=False) is lanes.medium
    assert lanes.of_request(100, is_mutation=False) is lanes.heavy
    assert lanes.of_request(1_000, is_mutation=True) is lanes.mutations

"""What a side of a comparison costs: wall time, the backend's CPU time, its own memory; and medians of rounds."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLED_EVERY = 0.02


@dataclass(slots=True)
class Cost:
    """What one run cost; memory is the most that the backend had for itself, shared buffers not counted."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Beside:
    """Accord's cost and the rival's: medians, and the median of the rounds' ratios."""

    title: str
    ours: Cost
    rival: Cost
    cpu_ratio: float
    wall_ratio: float


Side = Callable[[], Awaitable[Cost]]


@asynccontextmanager
async def metered(backend: int) -> AsyncIterator[Cost]:
    """Measure what a backend does while the block runs."""
    process, cost = psutil.Process(backend), Cost()
    watching = asyncio.create_task(_watch(process, cost))
    began, before = time.perf_counter(), _cpu_seconds(process)
    try:
        yield cost
    finally:
        cost.wall, cost.cpu = time.perf_counter() - began, _cpu_seconds(process) - before
        watching.cancel()


async def beside(title: str, ours: Side, rival: Side, rounds: int) -> Beside:
    """Run both sides by turns, each first in every other round; one round before that is not counted."""
    await ours()
    await rival()
    pairs: list[tuple[Cost, Cost]] = []
    for number in range(rounds):
        if number % 2:
            theirs, own = await rival(), await ours()
        else:
            own, theirs = await ours(), await rival()
        pairs.append((own, theirs))
    return Beside(
        title,
        _median([own for own, _ in pairs]),
        _median([theirs for _, theirs in pairs]),
        statistics.median(own.cpu / theirs.cpu for own, theirs in pairs),
        statistics.median(own.wall / theirs.wall for own, theirs in pairs),
    )


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(each.wall for each in costs),
        statistics.median(each.cpu for each in costs),
        max(each.memory for each in costs),
    )


async def _watch(process: psutil.Process, cost: Cost) -> None:
    while True:
        seen = process.memory_info()
        cost.memory = max(cost.memory, seen.rss - getattr(seen, "shared", 0))
        await asyncio.sleep(SAMPLED_EVERY)


def _cpu_seconds(process: psutil.Process) -> float:
    """CPU time of a process: from Linux's scheduler to the nanosecond, elsewhere in clock ticks."""
    precise = Path(f"/proc/{process.pid}/schedstat")
    if precise.exists():
        return int(precise.read_text().split()[0]) / 1e9
    times = process.cpu_times()
    return times.user + times.system

"""The cost of each side of a comparison: wall time, the backend's CPU time and its own memory, over several rounds."""

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

SAMPLING_INTERVAL = 0.02  # seconds


@dataclass(slots=True)
class Cost:
    """The cost of one run. Memory is the peak of the backend's private memory, shared buffers not counted."""

    wall: float = 0.0
    cpu: float = 0.0
    memory: int = 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """The costs of Accord and of its rival: medians, and the medians of the ratios of each round."""

    title: str
    ours: Cost
    rival: Cost
    cpu_ratio: float
    wall_ratio: float


Side = Callable[[], Awaitable[Cost]]


@asynccontextmanager
async def metered(backend: int) -> AsyncIterator[Cost]:
    """Measure the cost of a backend process while the block runs."""
    process, cost = psutil.Process(backend), Cost()
    sampling = asyncio.create_task(_sample_memory(process, cost))
    started, before = time.perf_counter(), cpu_seconds(process)
    try:
        yield cost
    finally:
        cost.wall, cost.cpu = time.perf_counter() - started, cpu_seconds(process) - before
        sampling.cancel()


async def compare(title: str, ours: Side, rival: Side, rounds: int) -> Comparison:
    """Run both sides in turn, after one round to warm up; the side that runs first alternates."""
    await ours()
    await rival()
    pairs: list[tuple[Cost, Cost]] = []
    for number in range(rounds):
        if number % 2:
            theirs, own = await rival(), await ours()
        else:
            own, theirs = await ours(), await rival()
        pairs.append((own, theirs))
    return Comparison(
        title,
        _median([own for own, _ in pairs]),
        _median([theirs for _, theirs in pairs]),
        statistics.median(own.cpu / theirs.cpu for own, theirs in pairs),
        statistics.median(own.wall / theirs.wall for own, theirs in pairs),
    )


def _median(costs: Sequence[Cost]) -> Cost:
    return Cost(
        statistics.median(cost.wall for cost in costs),
        statistics.median(cost.cpu for cost in costs),
        max(cost.memory for cost in costs),
    )


async def _sample_memory(process: psutil.Process, cost: Cost) -> None:
    while True:
        usage = process.memory_info()
        cost.memory = max(cost.memory, usage.rss - getattr(usage, "shared", 0))
        await asyncio.sleep(SAMPLING_INTERVAL)


def cpu_seconds(process: psutil.Process) -> float:
    """Return the CPU time of a process: on Linux in nanoseconds from the scheduler, elsewhere in clock ticks."""
    precise = Path(f"/proc/{process.pid}/schedstat")
    if precise.exists():
        return int(precise.read_text().split()[0]) / 1e9
    times = process.cpu_times()
    return times.user + times.system

"""Watches the server and PostgreSQL while they are under load: readiness, and memory by time."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
import psutil

READY_EVERY_SECONDS = 0.25
MEMORY_SAMPLES, LEAST_PAUSE_SECONDS = 40, 3.0  # PSS takes the kernel some ten milliseconds a backend
_MEGABYTE = 2**20


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory in bytes: of each process of the server, and of all backends of PostgreSQL.

    The backends share a cache, so each counts with its share of what several use (PSS).
    """

    at: float
    processes: Sequence[int]
    backends: int
    number: int

    @property
    def server(self) -> int:
        """Memory of the server."""
        return sum(self.processes)


@dataclass(slots=True)
class Observed:
    """What was observed. `ready` counts the statuses of `/readyz`; `slowest` is that of its answers in seconds."""

    ready: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    memory: list[Memory] = field(default_factory=list)


class Observer:
    """Observes one server and the PostgreSQL server whose main process this is."""

    def __init__(self, port: int, server: psutil.Process, postmaster: psutil.Process) -> None:
        self._address = f"http://127.0.0.1:{port}/readyz"
        self._server = server
        self._postmaster = postmaster

    async def observe(self, seconds: float) -> Observed:
        """Observe for this long."""
        observed, until = Observed(), time.monotonic() + seconds
        pause = max(LEAST_PAUSE_SECONDS, seconds / MEMORY_SAMPLES)
        await asyncio.gather(self._poll(observed, until), self._weigh(observed, until, pause))
        return observed

    async def _poll(self, observed: Observed, until: float) -> None:
        async with httpx.AsyncClient(timeout=10) as client:
            while (began := time.monotonic()) < until:
                try:
                    status = str((await client.get(self._address)).status_code)
                except httpx.TransportError as error:
                    status = type(error).__name__
                took = time.monotonic() - began
                observed.ready[status] += 1
                observed.slowest = max(observed.slowest, took)
                await asyncio.sleep(max(0.0, READY_EVERY_SECONDS - took))

    async def _weigh(self, observed: Observed, until: float, pause: float) -> None:
        while time.monotonic() < until:
            observed.memory.append(await asyncio.to_thread(self.memory))
            await asyncio.sleep(pause)

    def memory(self) -> Memory:
        """Return the memory of all processes at this instant."""
        processes = [self._server, *self._server.children(recursive=True)]
        backends = [size for process in self._postmaster.children() if (size := _backend_size(process)) is not None]
        return Memory(
            time.monotonic(), [process.memory_info().rss for process in processes], sum(backends), len(backends)
        )


def _backend_size(process: psutil.Process) -> int | None:
    """Return the PSS of a process that serves a connection; None if it is another one, or has just ended."""
    try:
        if "[local]" not in " ".join(process.cmdline()):
            return None
        return int(process.memory_full_info().pss)
    except psutil.NoSuchProcess:
        return None


def megabytes_per_minute(samples: Sequence[Memory], size: str) -> float:
    """Return by how much a size grew in the second half of the samples: the slope of the line of least squares."""
    second_half = samples[len(samples) // 2 :]
    if len(second_half) < 3:
        return 0.0
    times = [(sample.at - second_half[0].at) / 60 for sample in second_half]
    sizes: list[float] = [getattr(sample, size) / _MEGABYTE for sample in second_half]
    mean_time, mean_size = sum(times) / len(times), sum(sizes) / len(sizes)
    covariance = sum((at - mean_time) * (held - mean_size) for at, held in zip(times, sizes, strict=True))
    return covariance / sum((at - mean_time) ** 2 for at in times)

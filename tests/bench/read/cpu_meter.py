"""What a burst costs: the CPU time of the server's process and of PostgreSQL's, per request."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
import psutil

from tests.bench.read.load_generator import LoadResult

_PAUSE_SECONDS = 0.1
_IDLE_SECONDS = 0.015  # of CPU time in a pause, which is told in hundredths
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class MeasuredLoad:
    """One burst and its CPU time, in microseconds per request."""

    burst: LoadResult
    server_cpu: float
    postgresql_cpu: float


class CpuMeter:
    """Reads CPU times. Nobody else works on the PostgreSQL, so all its processes count."""

    def __init__(self, postmaster: psutil.Process) -> None:
        self._postmaster = postmaster

    @classmethod
    async def of(cls, dsn: str) -> "CpuMeter":
        """The meter of a PostgreSQL on this machine."""
        connection = await asyncpg.connect(dsn)
        try:
            postmaster = psutil.Process(await connection.fetchval("select pg_backend_pid()")).parent()
        finally:
            await connection.close()
        if postmaster is None:
            raise RuntimeError("the PostgreSQL runs where its processes cannot be seen")
        return cls(postmaster)

    def measure(self, server: psutil.Process, run: Callable[[], LoadResult]) -> MeasuredLoad:
        """Run a burst at a server, and wait until it has no more to do: what is under way would slow the next."""
        before = _cpu_seconds(server), self._postgresql()
        burst = run()
        served, queried = _cpu_seconds(server) - before[0], self._postgresql() - before[1]
        _settle(server)
        each = 1e6 / max(1, burst.requests)
        return MeasuredLoad(burst, served * each, queried * each)

    def _postgresql(self) -> float:
        return sum(_cpu_seconds(each) for each in self._postmaster.children())


def _settle(server: psutil.Process) -> None:
    """Wait until a server rests. Errors: RuntimeError if it never does."""
    deadline, used = time.monotonic() + _PATIENCE_SECONDS, _cpu_seconds(server)
    while time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
        before, used = used, _cpu_seconds(server)
        if used - before < _IDLE_SECONDS:
            return
    raise RuntimeError(f"a server works on for {_PATIENCE_SECONDS} s after the last question: {server}")


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0  # a worker of PostgreSQL that has just ended
    return times.user + times.system

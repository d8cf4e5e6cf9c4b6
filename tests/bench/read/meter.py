"""What a burst costs: the CPU time of the server's process and of PostgreSQL's, per request."""

from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
import psutil

from tests.bench.read.generator import Burst


@dataclass(frozen=True, slots=True)
class Measured:
    """One burst and its CPU time, in microseconds per request."""

    burst: Burst
    server_cpu: float
    postgresql_cpu: float


class Meter:
    """Reads CPU times. Nobody else works on the PostgreSQL, so all its processes count."""

    def __init__(self, postmaster: psutil.Process) -> None:
        self._postmaster = postmaster

    @classmethod
    async def of(cls, dsn: str) -> "Meter":
        """The meter of a PostgreSQL on this machine."""
        connection = await asyncpg.connect(dsn)
        try:
            postmaster = psutil.Process(await connection.fetchval("select pg_backend_pid()")).parent()
        finally:
            await connection.close()
        if postmaster is None:
            raise RuntimeError("the PostgreSQL runs where its processes cannot be seen")
        return cls(postmaster)

    def measure(self, server: psutil.Process, run: Callable[[], Burst]) -> Measured:
        """Run a burst at a server."""
        before = _cpu_seconds(server), self._postgresql()
        burst = run()
        served, queried = _cpu_seconds(server) - before[0], self._postgresql() - before[1]
        each = 1e6 / max(1, burst.requests)
        return Measured(burst, served * each, queried * each)

    def _postgresql(self) -> float:
        return sum(_cpu_seconds(each) for each in self._postmaster.children())


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0  # a worker of PostgreSQL that has just ended
    return times.user + times.system

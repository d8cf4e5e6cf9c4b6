"""Measures the CPU time of the server's process and of PostgreSQL's processes, per request."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import asyncpg
import psutil

from tests.bench.read.load_generator import LoadResult

_PAUSE_SECONDS = 0.1
_IDLE_SECONDS = 0.015  # of CPU time during a pause; the kernel counts in hundredths
_IDLE_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class MeasuredLoad:
    """The result of one load run, with CPU times in microseconds per request."""

    load: LoadResult
    server_cpu: float
    postgresql_cpu: float


class CpuMeter:
    """Reads CPU times. It counts all processes of the PostgreSQL server, which nothing else may use meanwhile."""

    def __init__(self, postmaster: psutil.Process) -> None:
        self._postmaster = postmaster

    @classmethod
    async def connect(cls, dsn: str) -> "CpuMeter":
        """Return the meter of a PostgreSQL server on this machine. Errors: RuntimeError if it runs elsewhere."""
        connection = await asyncpg.connect(dsn)
        try:
            postmaster = psutil.Process(await connection.fetchval("select pg_backend_pid()")).parent()
        finally:
            await connection.close()
        if postmaster is None:
            raise RuntimeError("The processes of PostgreSQL are not visible. Use a PostgreSQL server on this machine.")
        return cls(postmaster)

    def measure(self, server: psutil.Process, run: Callable[[], LoadResult]) -> MeasuredLoad:
        """Run a load and wait until the server is idle, because unfinished requests would slow the next run."""
        server_before, postgresql_before = _cpu_seconds(server), self._postgresql_seconds()
        load = run()
        server_used = _cpu_seconds(server) - server_before
        postgresql_used = self._postgresql_seconds() - postgresql_before
        _wait_until_idle(server)
        per_request = 1e6 / max(1, load.requests)
        return MeasuredLoad(load, server_used * per_request, postgresql_used * per_request)

    def _postgresql_seconds(self) -> float:
        return sum(_cpu_seconds(process) for process in self._postmaster.children())


def _wait_until_idle(server: psutil.Process) -> None:
    """Wait until a server is idle. Errors: RuntimeError on a timeout."""
    deadline, used = time.monotonic() + _IDLE_TIMEOUT_SECONDS, _cpu_seconds(server)
    while time.monotonic() < deadline:
        time.sleep(_PAUSE_SECONDS)
        before, used = used, _cpu_seconds(server)
        if used - before < _IDLE_SECONDS:
            return
    raise RuntimeError(f"A server is still busy {_IDLE_TIMEOUT_SECONDS} s after the last request: {server}")


def _cpu_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0  # a PostgreSQL worker that has just ended
    return times.user + times.system

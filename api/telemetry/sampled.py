"""What is read when the metrics are: pools, lanes and jobs of this process, and how far the data are behind."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import TypeVar

from prometheus_client import generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from api.telemetry.instruments import REGISTRY

_Supplier = TypeVar("_Supplier")


@dataclass(frozen=True, slots=True)
class PoolUse:
    """The use of a pool of connections: those that work, those that are open and idle, who waits, and the most."""

    pool: str
    in_use: int
    idle: int
    waiting: int
    size: int


@dataclass(frozen=True, slots=True)
class LaneUse:
    """The use of a lane: requests that run, requests that wait, and the most that run."""

    lane: str
    running: int
    waiting: int
    size: int


@dataclass(frozen=True, slots=True)
class JobsUse:
    """Whether this process runs the background jobs (1, else 0), and how many of them are due and run, or wait."""

    leading: int
    due: int


@dataclass(frozen=True, slots=True)
class ReplicaUse:
    """Whether reads go to the read replica (1, else 0), and the most seconds that it is behind; None if not known."""

    is_read: int
    lag_seconds: float | None


@dataclass(frozen=True, slots=True)
class Backlog:
    """How far the data are behind. What is not known is None.

    `data_age_seconds` since the newest fact was recorded; `outbox_waiting` events without a position and
    `outbox_lag_seconds` since the oldest of them was written; `wake_ups_due` contacts whose evaluation is overdue;
    `clock_skew_seconds` by which the database's clock is ahead of the server's.
    """

    data_age_seconds: float | None = None
    outbox_waiting: int | None = None
    outbox_lag_seconds: float | None = None
    wake_ups_due: int | None = None
    clock_skew_seconds: float | None = None


class Sampled(Collector):
    """A collector of figures that others supply while they run."""

    def __init__(self) -> None:
        self._pools: list[Callable[[], Iterable[PoolUse]]] = []
        self._lanes: list[Callable[[], Iterable[LaneUse]]] = []
        self._jobs: list[Callable[[], JobsUse]] = []
        self._replicas: list[Callable[[], ReplicaUse]] = []
        self.backlog: Backlog | None = None
        """None while the database cannot be reached."""

    @contextmanager
    def pools(self, use: Callable[[], Iterable[PoolUse]]) -> Iterator[None]:
        """Report the use of pools while the block runs."""
        with _listed(self._pools, use):
            yield

    @contextmanager
    def lanes(self, use: Callable[[], Iterable[LaneUse]]) -> Iterator[None]:
        """Report the use of lanes while the block runs."""
        with _listed(self._lanes, use):
            yield

    @contextmanager
    def jobs(self, use: Callable[[], JobsUse]) -> Iterator[None]:
        """Report the background jobs while the block runs."""
        with _listed(self._jobs, use):
            yield

    @contextmanager
    def replica(self, use: Callable[[], ReplicaUse]) -> Iterator[None]:
        """Report the read replica while the block runs."""
        with _listed(self._replicas, use):
            yield

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Return all figures; what prometheus_client calls."""
        yield from self._pool_families()
        yield from self._lane_families()
        jobs = [use() for use in self._jobs]
        yield _gauge("accord_jobs_leading", "Whether this process runs the background jobs.", _most(jobs, "leading"))
        yield _gauge("accord_jobs_due", "Background jobs that are due: they run, or wait.", _most(jobs, "due"))
        for use in self._replicas:
            replica = use()
            yield _gauge("accord_replica_up", "Whether reads go to the read replica.", replica.is_read)
            yield _gauge("accord_replica_lag_seconds", _REPLICA_LAG, replica.lag_seconds)
        yield _gauge("accord_database_up", "Whether the database answered.", 0 if self.backlog is None else 1)
        backlog = self.backlog or Backlog()
        for name, text in _BACKLOG.items():
            yield _gauge(f"accord_{name}", text, getattr(backlog, name))

    def _pool_families(self) -> Iterator[GaugeMetricFamily]:
        connections = GaugeMetricFamily(
            "accord_pool_connections", "Open connections by pool and state: in_use or idle.", labels=("pool", "state")
        )
        waiting = GaugeMetricFamily("accord_pool_waiting", "Who waits for a connection, by pool.", labels=("pool",))
        size = GaugeMetricFamily("accord_pool_size", "The most connections of a pool.", labels=("pool",))
        for use in [use for supply in self._pools for use in supply()]:
            connections.add_metric((use.pool, "in_use"), use.in_use)
            connections.add_metric((use.pool, "idle"), use.idle)
            waiting.add_metric((use.pool,), use.waiting)
            size.add_metric((use.pool,), use.size)
        yield from (connections, waiting, size)

    def _lane_families(self) -> Iterator[GaugeMetricFamily]:
        texts = {
            "running": "Requests that run in a lane.",
            "waiting": "Requests that wait for a lane.",
            "size": "The most requests that run in a lane.",
        }
        found = [use for supply in self._lanes for use in supply()]
        for field, text in texts.items():
            family = GaugeMetricFamily(f"accord_lane_{field}", text, labels=("lane",))
            for use in found:
                family.add_metric((use.lane,), getattr(use, field))
            yield family


_REPLICA_LAG = "Seconds that the read replica is behind the primary at most."
_BACKLOG = {
    "data_age_seconds": "Seconds since the newest fact was recorded.",
    "outbox_waiting": "Committed events that readers of changes cannot see yet.",
    "outbox_lag_seconds": "Seconds since the oldest of these events was written.",
    "wake_ups_due": "Contacts whose evaluation by time alone is due.",
    "clock_skew_seconds": "Seconds by which the clock of the database is ahead of that of the server.",
}
if set(_BACKLOG) != {field.name for field in fields(Backlog)}:
    raise TypeError("a figure of the backlog has no text")

DATABASE_METRICS = frozenset({"accord_database_up", *(f"accord_{name}" for name in _BACKLOG)})
"""Metrics of the database, which are the same for all processes that use it."""

SAMPLED = Sampled()
REGISTRY.register(SAMPLED)


def metrics_text() -> bytes:
    """All metrics of this process in Prometheus's text format."""
    return generate_latest(REGISTRY)


def _gauge(name: str, text: str, value: float | None) -> GaugeMetricFamily:
    """A gauge; without a sample if its value is not known."""
    family = GaugeMetricFamily(name, text)
    if value is not None:
        family.add_metric((), value)
    return family


def _most(uses: Iterable[JobsUse], field: str) -> int:
    return max((getattr(use, field) for use in uses), default=0)


@contextmanager
def _listed(suppliers: list[_Supplier], supplier: _Supplier) -> Iterator[None]:
    suppliers.append(supplier)
    try:
        yield
    finally:
        suppliers.remove(supplier)

"""Counters and histograms of this process. Labels have few values: operations are bounded, and nothing is labelled by
a person, a record or a document.
"""

from functools import cache
from threading import Lock
from time import perf_counter
from types import TracebackType

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    Summary,
)

MOST_OPERATIONS = 100
"""Names of operations that have figures of their own; the first ones that come. The rest is `other`."""
LONGEST_NAME = 100
"""An operation whose name has more characters is `other`: the name could be as long as the document."""
OTHER, ANONYMOUS = "other", "anonymous"

_SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)
PlatformCollector(registry=REGISTRY)
GCCollector(registry=REGISTRY)

REQUESTS = Counter(
    "accord_requests", "Requests by operation of GraphQL or route, and status.", ("operation", "status"),
    registry=REGISTRY,
)  # fmt: skip
REQUEST_SECONDS = Histogram(
    "accord_request_seconds", "How long requests took.", ("operation",), buckets=_SECONDS, registry=REGISTRY
)
ERRORS = Counter("accord_errors", "Requests with an error in their answer, by its code.", ("code",), registry=REGISTRY)
SLOW_REQUESTS = Counter("accord_slow_requests", "Requests that took longer than ACCORD_SLOW_MS.", registry=REGISTRY)
STATEMENT_SECONDS = Histogram(
    "accord_statement_seconds", "How long statements took.", buckets=_SECONDS, registry=REGISTRY
)
JOB_RUNS = Counter(
    "accord_job_runs",
    "Runs of background jobs by outcome: done or failed.",
    ("job_name", "outcome"),
    registry=REGISTRY,
)
JOB_SECONDS = Summary("accord_job_seconds", "How long runs of background jobs took.", ("job_name",), registry=REGISTRY)
ENTRIES_WRITTEN = Counter(
    "accord_entries_written", "Stage entries that this process wrote, changed or removed.", registry=REGISTRY
)

READS = Counter(
    "accord_reads",
    "Queries where there is a read replica, by target: replica, or primary with the reason.",
    ("target", "reason"),
    registry=REGISTRY,
)


class BoundedNames:
    """The first names that come, up to a number; any other, and a very long one, is `other`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._names: set[str] = set()
        self._lock = Lock()

    def bounded(self, name: str) -> str:
        """The name as a label."""
        if name in self._names:
            return name
        if len(name) > LONGEST_NAME:
            return OTHER
        with self._lock:
            if len(self._names) >= self._most:
                return OTHER
            self._names.add(name)
        return name


_OPERATIONS = BoundedNames(MOST_OPERATIONS)


def count_request(route: str, operation: str | None, status: str, seconds: float, error: str | None) -> None:
    """Count a request. `operation` is the name of its operation of GraphQL, '' for one without a name."""
    label = route if operation is None else _OPERATIONS.bounded(operation) if operation else ANONYMOUS
    _requests(label, status).inc()
    _request_seconds(label).observe(seconds)
    if error is not None:
        ERRORS.labels(error).inc()


# To find a child takes prometheus_client longer than to count. There are few of them, see MOST_OPERATIONS.
@cache
def _requests(label: str, status: str) -> Counter:
    return REQUESTS.labels(label, status)


@cache
def _request_seconds(label: str) -> Histogram:
    return REQUEST_SECONDS.labels(label)


class TimedJob:
    """Counts one run of a background job, and how long it took."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._started = 0.0

    def __enter__(self) -> None:
        self._started = perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None:
        if kind is not None and not issubclass(kind, Exception):
            return  # the process stops, and runs the job at its next start
        JOB_RUNS.labels(self._name, "done" if kind is None else "failed").inc()
        JOB_SECONDS.labels(self._name).observe(perf_counter() - self._started)

"""Compares the results of all peers, then measures them in rounds in which they take turns, and takes medians."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path

from tests.bench.peer_results import PeerResult, peer_result
from tests.bench.read.cpu_meter import CpuMeter, MeasuredLoad
from tests.bench.read.load_generator import LoadResult, Target, generate_load
from tests.bench.read.peers import RunningPeer
from tests.bench.read.queries import BenchmarkQuery

_COMPARED = 25  # sets of variables of each query whose results are compared
_LEAST_SIZE_SHARE = 0.8  # of the expected response size; smaller responses are errors
# A run should have at least this many responses on each connection. Requests that are unfinished at its end use CPU
# time but are not counted: half a request on each connection, so at most about an eighth of the rate and CPU time.
_RESPONSES_PER_CONNECTION = 4
_LONGEST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class LoadRun:
    """One load on a peer: the query, the connections, the seconds, and the expected size of its responses in bytes."""

    server: RunningPeer
    query: BenchmarkQuery
    target: Target
    connections: int
    size: float
    seconds: float


def require_equal_results(query: BenchmarkQuery, servers: Sequence[RunningPeer]) -> None:
    """Check that all peers return the results of the first. Errors: ValueError with the first difference."""
    for server in servers:
        server.peer.adapter.prepare(server.post, query)
    for number in _sampled(query):
        expected = servers[0].result(query, number)
        for server in servers[1:]:
            result = server.result(query, number)
            if result != expected:
                variables = dict(query.variables[number])
                difference = _difference(expected, result)
                raise ValueError(
                    f"{query.key} {variables}: {server.peer.name} differs from {servers[0].peer.name}: {difference}"
                )


class Benchmark:
    """Measures running peers. The first one is the baseline."""

    def __init__(self, servers: list[RunningPeer], meter: CpuMeter, folder: Path, seconds: float) -> None:
        self._servers = servers
        self._meter = meter
        self._folder = folder
        self._seconds = seconds

    def measure(self, query: BenchmarkQuery, connections: int, rounds: int) -> list[PeerResult]:
        """Measure all peers in turns, after a warm-up that is not counted. Each round starts with another peer."""
        runs = [self._warmed_up(server, query, connections) for server in self._servers]
        measured: list[Mapping[str, MeasuredLoad]] = []
        for number in range(rounds):
            first = number % len(runs)
            measured.append({run.server.peer.name: self._measure_valid(run) for run in runs[first:] + runs[:first]})
        baseline = self._servers[0].peer.name
        return [peer_result(server.peer.name, baseline, measured) for server in self._servers]

    def _warmed_up(self, server: RunningPeer, query: BenchmarkQuery, connections: int) -> LoadRun:
        """Warm a peer up and return its run, which is long enough for the required responses at the observed rate."""
        target, size = self._target(server, query), server.response_size(query, _sampled(query))
        run = LoadRun(server, query, target, connections, size, self._seconds)
        load = self._measure(run).load
        while not load.errors and load.requests < connections and run.seconds < _LONGEST_SECONDS:
            run = replace(run, seconds=2 * run.seconds)
            load = self._measure(run).load
        _require_valid(run, load)
        return replace(run, seconds=max(self._seconds, ceil(_RESPONSES_PER_CONNECTION * connections / load.rate)))

    def _measure_valid(self, run: LoadRun) -> MeasuredLoad:
        """Measure a run. Errors: ValueError as `_require_valid`."""
        measured = self._measure(run)
        _require_valid(run, measured.load)
        return measured

    def _measure(self, run: LoadRun) -> MeasuredLoad:
        load = partial(generate_load, run.target, run.connections, run.seconds)
        return self._meter.measure(run.server.process, load)

    def _target(self, server: RunningPeer, query: BenchmarkQuery) -> Target:
        """Write the bodies of a query's requests to a file."""
        adapter = server.peer.adapter
        bodies = self._folder / f"{server.peer.name}.{query.key}.jsonl"
        bodies.write_bytes(b"\n".join(adapter.body(query, variables) for variables in query.variables) + b"\n")
        return Target(server.port, adapter.path(query), bodies)


def _sampled(query: BenchmarkQuery) -> range:
    """Return the numbers of about 25 sets of variables, evenly distributed."""
    return range(0, len(query.variables), max(1, len(query.variables) // _COMPARED))


def _require_valid(run: LoadRun, load: LoadResult) -> None:
    """Check that a run has no errors, a response on each connection, and responses of the expected size.

    Error responses are fast, so a run with errors would look good. Errors: ValueError.
    """
    size = load.received / max(1, load.requests)
    if load.errors or load.requests < run.connections or size < _LEAST_SIZE_SHARE * run.size:
        raise ValueError(
            f"{run.query.key}: {run.server.peer.name} completed {load.requests} requests in {run.seconds:.0f} s"
            f" with {size:,.0f} bytes a response ({run.size:,.0f} expected), and {load.errors} failed"
        )


def _difference(expected: object, result: object, path: str = "") -> str:
    """Return the path and the values of the first difference between two results."""
    if isinstance(expected, dict) and isinstance(result, dict) and expected.keys() == result.keys():
        for name, value in expected.items():
            if value != result[name]:
                return _difference(value, result[name], f"{path}.{name}")
    if isinstance(expected, list) and isinstance(result, list) and len(expected) == len(result):
        for number, value in enumerate(expected):
            if value != result[number]:
                return _difference(value, result[number], f"{path}[{number}]")
    return f"{path.lstrip('.')} is {result!r:.200} instead of {expected!r:.200}"

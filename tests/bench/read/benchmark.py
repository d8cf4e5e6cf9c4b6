"""Equal answers first; then rounds in which all peers take turns; then medians."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from pathlib import Path

from tests.bench.read.cpu_meter import CpuMeter, MeasuredLoad
from tests.bench.read.load_generator import LoadResult, Target, burst
from tests.bench.read.peers import RunningPeer
from tests.bench.read.queries import BenchmarkQuery

_COMPARED = 25  # values of each question whose answers are compared
_LEAST_SHARE = 0.8  # of the bytes that answers have: less means that errors were sent
# A turn should have so many answers on each connection, or more. What is under way at its end is not counted, though it
# was worked on: half an answer on each connection, so about an eighth of the rate and of the CPU time at the most.
_ANSWERS_EACH = 4
_LONGEST_SECONDS = 60


@dataclass(frozen=True, slots=True)
class LoadRun:
    """What a peer does when it is its turn, and how many bytes its answers should have."""

    server: RunningPeer
    question: BenchmarkQuery
    target: Target
    connections: int
    size: float
    seconds: float


@dataclass(frozen=True, slots=True)
class PeerResult:
    """A peer in one table: medians over the rounds; the ratio is that of each round to the limit's in it."""

    peer: str
    of_limit: float
    rate: float
    server_cpu: float
    postgresql_cpu: float
    p50: float
    p99: float


def require_equal(question: BenchmarkQuery, servers: Sequence[RunningPeer]) -> None:
    """Every peer must answer as the first does. Errors: ValueError that shows the first difference."""
    for server in servers:
        server.peer.dialect.learn(server.ask, question)
    step = max(1, len(question.asked) // _COMPARED)
    for number in range(0, len(question.asked), step):
        expected = servers[0].answer(question, number)
        for server in servers[1:]:
            found = server.answer(question, number)
            if found != expected:
                values = dict(question.asked[number])
                where = _difference(expected, found)
                raise ValueError(
                    f"{question.key} {values}: {server.peer.name} differs from {servers[0].peer.name}: {where}"
                )


class Benchmark:
    """Measures running peers, the first of which is the limit."""

    def __init__(self, servers: list[RunningPeer], meter: CpuMeter, folder: Path, seconds: float) -> None:
        self._servers = servers
        self._meter = meter
        self._folder = folder
        self._seconds = seconds

    def lines(self, question: BenchmarkQuery, connections: int, rounds: int) -> list[PeerResult]:
        """Let all peers answer a question by turns, after a warm-up that does not count."""
        turns = [self._warmed_up(server, question, connections) for server in self._servers]
        found: list[Mapping[str, MeasuredLoad]] = []
        for number in range(rounds):
            first = number % len(turns)
            found.append({each.server.peer.name: self._sound(each) for each in turns[first:] + turns[:first]})
        limit = self._servers[0].peer.name
        return [_line(server.peer.name, limit, found) for server in self._servers]

    def _warmed_up(self, server: RunningPeer, question: BenchmarkQuery, connections: int) -> LoadRun:
        """The turns of a peer: as long as is asked for, or as long as enough answers take by what a warm-up shows."""
        target, size = self._target(server, question), self._size(server, question)
        turn = LoadRun(server, question, target, connections, size, self._seconds)
        seen = self._taken(turn).burst
        while not seen.errors and seen.requests < connections and turn.seconds < _LONGEST_SECONDS:
            turn = replace(turn, seconds=2 * turn.seconds)
            seen = self._taken(turn).burst
        _require_sound(turn, seen)
        return replace(turn, seconds=max(self._seconds, ceil(_ANSWERS_EACH * connections / seen.rate)))

    def _sound(self, turn: LoadRun) -> MeasuredLoad:
        """What a turn measures. Errors: ValueError if it was answered with errors, or not on each connection."""
        taken = self._taken(turn)
        _require_sound(turn, taken.burst)
        return taken

    def _taken(self, turn: LoadRun) -> MeasuredLoad:
        return self._meter.measure(turn.server.process, partial(burst, turn.target, turn.connections, turn.seconds))

    def _target(self, server: RunningPeer, question: BenchmarkQuery) -> Target:
        dialect = server.peer.dialect
        bodies = self._folder / f"{server.peer.name}.{question.key}.jsonl"
        bodies.write_bytes(b"\n".join(dialect.body(question, values) for values in question.asked) + b"\n")
        return Target(server.port, dialect.path(question), bodies)

    def _size(self, server: RunningPeer, question: BenchmarkQuery) -> float:
        """How many bytes its answers have."""
        return server.size(question, range(0, len(question.asked), max(1, len(question.asked) // _COMPARED)))


def _require_sound(turn: LoadRun, seen: LoadResult) -> None:
    """An error is answered fast: a burst with errors, too few answers or too short ones measures nothing."""
    each = seen.received / max(1, seen.requests)
    if seen.errors or seen.requests < turn.connections or each < _LEAST_SHARE * turn.size:
        raise ValueError(
            f"{turn.question.key}: {turn.server.peer.name} answered {seen.requests} requests in {turn.seconds:.0f} s"
            f" with {each:,.0f} bytes each, {turn.size:,.0f} expected, and {seen.errors} failed"
        )


def _line(name: str, limit: str, found: Sequence[Mapping[str, MeasuredLoad]]) -> PeerResult:
    own = [each[name] for each in found]
    return PeerResult(
        name,
        statistics.median(each[name].burst.rate / each[limit].burst.rate for each in found),
        statistics.median(each.burst.rate for each in own),
        statistics.median(each.server_cpu for each in own),
        statistics.median(each.postgresql_cpu for each in own),
        statistics.median(each.burst.p50 for each in own) / 1000,
        statistics.median(each.burst.p99 for each in own) / 1000,
    )


def _difference(expected: object, found: object, path: str = "") -> str:
    """Where two answers differ first."""
    if isinstance(expected, dict) and isinstance(found, dict) and expected.keys() == found.keys():
        for name, value in expected.items():
            if value != found[name]:
                return _difference(value, found[name], f"{path}.{name}")
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        for number, value in enumerate(expected):
            if value != found[number]:
                return _difference(value, found[number], f"{path}[{number}]")
    return f"{path.lstrip('.')} is {found!r:.200} instead of {expected!r:.200}"

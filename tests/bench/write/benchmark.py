"""Measures the peers in rounds in which they take turns, and checks that every response stands for a written row."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import ceil
from pathlib import Path

from tests.bench.peer_results import PeerResult, peer_result
from tests.bench.read.cpu_meter import CpuMeter, MeasuredLoad
from tests.bench.read.load_generator import LoadResult, Target, generate_load
from tests.bench.read.peers import RunningPeer
from tests.bench.write.write_peers import BASELINE, WritePeer
from tests.bench.write.writes import Write, changes, written_rows

# As in the benchmark of reads: requests that are unfinished at the end use CPU time, but are not counted.
_RESPONSES_PER_CONNECTION = 4
_LONGEST_SECONDS = 60
_MOST_SECONDS = 6  # only slow peers have longer runs, and need no more requests than these seconds of a fast one


@dataclass(frozen=True, slots=True)
class WriteServer:
    """A peer that accepts requests, and the address of its database."""

    peer: WritePeer
    running: RunningPeer
    dsn: str


class TooSlowError(Exception):
    """A peer completes no request in the longest run, as 64 documents of 500 mutations at once."""


class WriteBenchmark:
    """Measures running peers."""

    def __init__(self, servers: Sequence[WriteServer], meter: CpuMeter, folder: Path, seconds: int) -> None:
        self._servers = list(servers)
        self._meter = meter
        self._folder = folder
        self._seconds = seconds

    def measure(self, write: Write, connections: int, rounds: int) -> list[PeerResult]:
        """Measure all peers in turns, after a warm-up that is not counted. Each round starts with another peer.

        A peer that completes no request is left out.

        Errors: ValueError if a peer's requests fail, or do not write.
        """
        seconds: dict[str, int] = {}
        for server in self._servers:
            try:
                seconds[server.peer.name] = self._warmed_up(server, write, connections)
            except TooSlowError as error:
                print(f"Left out: {error}", flush=True)
        servers = [server for server in self._servers if server.peer.name in seconds]
        if not servers:
            raise ValueError(f"{write.key}: no peer completed a request")
        measured: list[Mapping[str, MeasuredLoad]] = []
        for number in range(rounds):
            first = number % len(servers)
            turn = servers[first:] + servers[:first]
            measured.append(
                {it.peer.name: self._run(it, write, connections, seconds[it.peer.name]) for it in turn},
            )
        return [peer_result(server.peer.name, BASELINE, measured) for server in servers]

    def _warmed_up(self, server: WriteServer, write: Write, connections: int) -> int:
        """Warm a peer up; return the seconds that it needs for the required responses at the observed rate.

        Errors: TooSlowError; those of `_run`.
        """
        seconds = self._seconds
        while True:
            load = self._run(server, write, connections, seconds).load
            if not load.requests and seconds >= _LONGEST_SECONDS:
                raise TooSlowError(f"{write.key}: {server.peer.name} completed no request in {seconds} s")
            if load.requests >= connections or seconds >= _LONGEST_SECONDS:
                return max(seconds, min(_LONGEST_SECONDS, ceil(_RESPONSES_PER_CONNECTION * connections / load.rate)))
            seconds = min(2 * seconds, _LONGEST_SECONDS)

    def _run(self, server: WriteServer, write: Write, connections: int, seconds: int) -> MeasuredLoad:
        """Measure one run, and check that it wrote what it responded."""
        bodies = self._folder / f"{server.peer.name}.{write.key}.jsonl"
        count = write.most * min(seconds, _MOST_SECONDS)
        writer = server.peer.writer
        given = asyncio.run(changes(server.dsn, write, count))
        bodies.write_bytes(b"\n".join(writer.body(write, change) for change in given) + b"\n")
        target = Target(server.running.port, writer.path(write), bodies)
        before = asyncio.run(written_rows(server.dsn, write))
        run = partial(generate_load, target, connections, seconds)
        measured = self._meter.measure(server.running.process, run)
        bodies.unlink()
        written = asyncio.run(written_rows(server.dsn, write)) - before
        _require_written(server.peer.name, write, measured.load, written, connections, count)
        return measured


def _require_written(name: str, write: Write, load: LoadResult, written: int, connections: int, bodies: int) -> None:
    """Check that a run has no errors, and wrote the rows of all responses, and of unfinished requests at most.

    A response that says what is wrong with the input is fast, so a run with them would look good. Errors: ValueError.
    """
    # wrk counts the responses of its last hundredth of a second on some connections, and not on others.
    least, most = load.requests * write.rows, (load.requests + 2 * connections) * write.rows
    if load.errors or not least <= written <= most or load.requests + connections > bodies:
        raise ValueError(
            f"{write.key}: {name} completed {load.requests} of at most {bodies} requests of {write.rows} rows,"
            f" wrote {written} rows, and {load.errors} requests failed"
        )

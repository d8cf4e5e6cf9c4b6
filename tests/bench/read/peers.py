"""The servers that are compared: how to start, call and stop them. Each is one process with one worker."""

import os
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import orjson
import psutil

from tests.bench.read.adapters import AccordAdapter, DocumentAdapter, EndpointAdapter, PostGraphileAdapter
from tests.bench.read.queries import BenchmarkQuery

ROOT = Path(__file__).resolve().parents[3]
_NODE = Path(__file__).with_name("node")
_START_TIMEOUT_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Peer:
    """A server under comparison. Its command takes the port as the last argument."""

    name: str
    command: Sequence[str]
    adapter: EndpointAdapter
    environment: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """A peer that accepts requests."""

    peer: Peer
    port: int
    process: psutil.Process

    def post(self, path: str, body: bytes) -> Any:  # noqa: ANN401 - JSON
        """Send one request and return the parsed response. Errors: ValueError if its status is not 200."""
        return orjson.loads(self._post(path, body))

    def result(self, query: BenchmarkQuery, number: int) -> object:
        """Return the result of a query with its variables of that number, in a form that all peers share."""
        adapter = self.peer.adapter
        return adapter.comparable(self.post(adapter.path(query), adapter.body(query, query.variables[number])))

    def response_size(self, query: BenchmarkQuery, numbers: Iterable[int]) -> float:
        """Return the average size of a query's responses in bytes, over its variables of these numbers."""
        adapter = self.peer.adapter
        path, bodies = adapter.path(query), [adapter.body(query, query.variables[number]) for number in numbers]
        return statistics.fmean(len(self._post(path, body)) for body in bodies)

    def _post(self, path: str, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        response = httpx.post(f"http://127.0.0.1:{self.port}{path}", content=body, headers=headers, timeout=60)
        if response.status_code != 200:
            raise ValueError(f"{self.peer.name} responds with status {response.status_code}: {response.text[:500]}")
        return response.content


def peers() -> list[Peer]:
    """Return all peers. The first one is the baseline."""
    raw = [sys.executable, "-m", "tests.bench.read.raw_server"]
    accord = [str(Path(sys.executable).with_name("accord")), "serve", "--port"]
    return [
        Peer("raw", raw, EndpointAdapter()),
        Peer("observed", raw, EndpointAdapter(), {"OBSERVED": "1"}),
        Peer("accord", accord, AccordAdapter()),
        Peer("unlogged", accord, AccordAdapter(), {"ACCORD_LOG_LEVEL": "warning"}),
        Peer(
            "postgraphile",
            ["node", str(_NODE / "postgraphile.mjs")],
            PostGraphileAdapter(),
            {"NODE_ENV": "production", "GRAPHILE_ENV": "production"},
        ),
        Peer("mercurius", ["node", str(_NODE / "mercurius.mjs")], DocumentAdapter(), {"NODE_ENV": "production"}),
        Peer("strawberry", [sys.executable, "-m", "tests.bench.read.strawberry_server"], DocumentAdapter()),
    ]


def command_of(peer: Peer) -> Sequence[str]:
    """Return the peer's command, with the path of Node's binary. Errors: RuntimeError if the peer is not installed.

    `node` on the path may be a wrapper script, whose process would be measured in place of the server's.
    """
    if peer.command[0] != "node":
        return peer.command
    if not (_NODE / "node_modules").exists():
        raise RuntimeError(f"{peer.name} is not installed (no npm registry was reachable). Leave it out with --peers.")
    node = subprocess.run(["node", "-p", "process.execPath"], capture_output=True, text=True, check=True).stdout
    return [node.strip(), *peer.command[1:]]


@contextmanager
def running(peer: Peer, port: int, dsn: str, folder: Path) -> Iterator[RunningPeer]:
    """Start a peer, wait until it accepts requests, and stop it when the block ends."""
    output = folder / f"{peer.name}.log"
    with output.open("w") as log:
        process = subprocess.Popen(
            [*command_of(peer), str(port)],
            cwd=ROOT,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **peer.environment, "DATABASE_URL": dsn, "ACCORD_DATA_DIR": str(folder)},
        )
    try:
        _wait_until_ready(peer, process, port, output)
        yield RunningPeer(peer, port, psutil.Process(process.pid))
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """Stop a peer and its child processes, which share a session."""
    for signal_number in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal_number)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)


def _wait_until_ready(peer: Peer, process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    """Wait until a peer accepts connections. Errors: RuntimeError with its output if it ends, or on a timeout."""
    deadline = time.monotonic() + _START_TIMEOUT_SECONDS
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/", timeout=5)
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{peer.name} does not start: {output.read_text()[-2000:]}") from None
            time.sleep(0.1)
        else:
            return

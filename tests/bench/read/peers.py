"""The peers: how each is started, on a port of its own, and ended. Each is one process with one worker."""

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
_PATIENCE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Peer:
    """A peer: what it is called, its program (the port is its last argument), how it is asked."""

    name: str
    program: Sequence[str]
    dialect: EndpointAdapter
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunningPeer:
    """A peer that answers."""

    peer: Peer
    port: int
    process: psutil.Process

    def ask(self, path: str, body: bytes) -> Any:  # noqa: ANN401 - JSON
        """Ask it one thing; ValueError for what is no answer."""
        return orjson.loads(self._said(path, body))

    def size(self, question: BenchmarkQuery, numbers: Iterable[int]) -> float:
        """How many bytes it answers to a question, on average over some of its values."""
        dialect = self.peer.dialect
        path = dialect.path(question)
        return statistics.fmean(len(self._said(path, dialect.body(question, question.asked[each]))) for each in numbers)

    def _said(self, path: str, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        said = httpx.post(f"http://127.0.0.1:{self.port}{path}", content=body, headers=headers, timeout=60)
        if said.status_code != 200:
            raise ValueError(f"{self.peer.name} answers {said.status_code}: {said.text[:500]}")
        return said.content

    def answer(self, question: BenchmarkQuery, number: int) -> object:
        """What it answers to a question with its number-th values, in words that all peers share."""
        dialect = self.peer.dialect
        return dialect.plain(self.ask(dialect.path(question), dialect.body(question, question.asked[number])))


def peers() -> list[Peer]:
    """Every peer; the first is the limit."""
    return [
        Peer("raw", [sys.executable, "-m", "tests.bench.read.raw_server"], EndpointAdapter()),
        Peer("accord", [str(Path(sys.executable).with_name("accord")), "serve", "--port"], AccordAdapter()),
        Peer(
            "postgraphile",
            ["node", str(_NODE / "postgraphile.mjs")],
            PostGraphileAdapter(),
            {"NODE_ENV": "production", "GRAPHILE_ENV": "production"},
        ),
        Peer("mercurius", ["node", str(_NODE / "mercurius.mjs")], DocumentAdapter(), {"NODE_ENV": "production"}),
        Peer("strawberry", [sys.executable, "-m", "tests.bench.read.strawberry_server"], DocumentAdapter()),
    ]


def program(peer: Peer) -> Sequence[str]:
    """The peer's program, Node's own binary in place of a script around it. Errors: RuntimeError if it is missing."""
    if peer.program[0] != "node":
        return peer.program
    if not (_NODE / "node_modules").exists():
        raise RuntimeError(f"{peer.name} is not installed (was an npm registry reached?): leave it out with --peers")
    said = subprocess.run(["node", "-p", "process.execPath"], capture_output=True, text=True, check=True).stdout
    return [said.strip(), *peer.program[1:]]


@contextmanager
def running(peer: Peer, port: int, dsn: str, folder: Path) -> Iterator[RunningPeer]:
    """Start a peer, wait until it answers, and end it when the block ends."""
    said = folder / f"{peer.name}.log"
    with said.open("w") as log:
        process = subprocess.Popen(
            [*program(peer), str(port)],
            cwd=ROOT,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**os.environ, **peer.settings, "DATABASE_URL": dsn, "ACCORD_DATA_DIR": str(folder)},
        )
    try:
        _wait(peer, process, port, said)
        yield RunningPeer(peer, port, psutil.Process(process.pid))
    finally:
        _end(process)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a peer and all that it started: it leads a session of its own."""
    for how in (signal.SIGTERM, signal.SIGKILL):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(10)


def _wait(peer: Peer, process: subprocess.Popen[bytes], port: int, said: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            httpx.get(f"http://127.0.0.1:{port}/", timeout=5)
        except httpx.TransportError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{peer.name} does not start: {said.read_text()[-2000:]}") from None
            time.sleep(0.1)
        else:
            return

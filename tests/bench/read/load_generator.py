"""What sends the requests: wrk, or where there is none a slower generator of ours; both say the same line of JSON.

As a program it is that generator: python -m tests.bench.read.load_generator CONNECTIONS SECONDS PORT PATH BODIES
"""

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

import httptools
import orjson

_SCRIPT = Path(__file__).with_name("requests.lua")
_TIMEOUT = "20s"


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What one run of the generator saw; latencies in microseconds."""

    requests: int
    seconds: float
    received: int
    errors: int
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests per second."""
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True)
class Target:
    """Where the requests go, and the file with a body in each line."""

    port: int
    path: str
    bodies: Path


def generator_name() -> str:
    """Which generator is used here."""
    return "wrk" if shutil.which("wrk") else "our own generator (no wrk here: apt-get install wrk)"


def burst(target: Target, connections: int, seconds: float) -> LoadResult:
    """Keep so many connections busy for so long, in a process of their own."""
    wrk = shutil.which("wrk")
    if wrk is None:
        command = [sys.executable, "-m", __name__, str(connections), str(seconds), str(target.port)]
        command += [target.path, str(target.bodies)]
    else:
        whole = max(1, round(seconds))
        command = [wrk, "-t1", f"-c{connections}", f"-d{whole}s", "--timeout", _TIMEOUT, "-s", str(_SCRIPT)]
        command += [f"http://127.0.0.1:{target.port}", "--", target.path, str(target.bodies)]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return LoadResult(**orjson.loads(said.strip().splitlines()[-1]))


class _Connection(asyncio.Protocol):
    """One connection that sends the next request as soon as it has the answer to the last."""

    def __init__(self, requests: Iterator[bytes], seen: list[float]) -> None:
        self._requests = requests
        self._seen = seen
        self.received = 0
        self.errors = 0
        self.is_done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream was expected")
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)
        self._ask()

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._seen.append(time.perf_counter() - self._asked)
        self.errors += self._parser.get_status_code() >= 400
        self._parser = httptools.HttpResponseParser(self)
        if not self.is_done:
            self._ask()

    def connection_lost(self, _error: Exception | None) -> None:
        self.errors += not self.is_done
        self.is_done = True

    def end(self) -> None:
        """Ask no more."""
        self.is_done = True
        self._transport.close()

    def _ask(self) -> None:
        self._asked = time.perf_counter()
        self._transport.write(next(self._requests))


async def generate(target: Target, connections: int, seconds: float) -> LoadResult:
    """As `burst`, in this process."""
    bodies = target.bodies.read_bytes().splitlines()
    requests = cycle([_request(target.path, body) for body in bodies])
    seen: list[float] = []
    loop = asyncio.get_running_loop()
    opened = [
        (await loop.create_connection(lambda: _Connection(requests, seen), "127.0.0.1", target.port))[1]
        for _ in range(connections)
    ]
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    took, times = time.perf_counter() - began, sorted(seen)
    for each in opened:
        each.end()
    received, errors = sum(each.received for each in opened), sum(each.errors for each in opened)
    return LoadResult(len(times), took, received, errors, _quantile(times, 0.5), _quantile(times, 0.99))


def _request(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _quantile(times: Sequence[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))] * 1e6 if times else 0.0


if __name__ == "__main__":
    busy, long, port, path, bodies = sys.argv[1:]
    outcome = asyncio.run(generate(Target(int(port), path, Path(bodies)), int(busy), float(long)))
    fields = {name: getattr(outcome, name) for name in LoadResult.__slots__}
    sys.stdout.buffer.write(orjson.dumps(fields) + b"\n")

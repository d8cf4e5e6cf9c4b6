"""Generates the load with wrk, or with a slower generator in Python. Both print their result as one line of JSON.

The program of the Python generator is this module:

    python -m tests.bench.read.load_generator CONNECTIONS SECONDS PORT PATH BODIES
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
    """The result of one run of the generator. Latencies are in microseconds."""

    requests: int
    seconds: float
    received: int
    errors: int
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True)
class Target:
    """The port and path that requests are sent to, and the file with their bodies, one a line."""

    port: int
    path: str
    bodies: Path


def generator_name() -> str:
    """Return the name of the generator that is used on this machine."""
    return "wrk" if shutil.which("wrk") else "the generator in Python (slower; apt-get install wrk)"


def generate_load(target: Target, connections: int, seconds: float) -> LoadResult:
    """Send requests on all connections for this time, from a process of its own."""
    wrk = shutil.which("wrk")
    if wrk is None:
        command = [sys.executable, "-m", __name__, str(connections), str(seconds), str(target.port)]
        command += [target.path, str(target.bodies)]
    else:
        whole = max(1, round(seconds))
        command = [wrk, "-t1", f"-c{connections}", f"-d{whole}s", "--timeout", _TIMEOUT, "-s", str(_SCRIPT)]
        command += [f"http://127.0.0.1:{target.port}", "--", target.path, str(target.bodies)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return LoadResult(**orjson.loads(output.strip().splitlines()[-1]))


class _Connection(asyncio.Protocol):
    """A connection that sends the next request as soon as the last response is complete."""

    def __init__(self, requests: Iterator[bytes], latencies: list[float]) -> None:
        self._requests = requests
        self._latencies = latencies
        self.received = 0
        self.errors = 0
        self.is_done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream was expected")
        self._transport = transport
        self._parser = httptools.HttpResponseParser(self)
        self._send()

    def data_received(self, data: bytes) -> None:
        self.received += len(data)
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        self._latencies.append(time.perf_counter() - self._sent_at)
        self.errors += self._parser.get_status_code() >= 400
        self._parser = httptools.HttpResponseParser(self)
        if not self.is_done:
            self._send()

    def connection_lost(self, _error: Exception | None) -> None:
        self.errors += not self.is_done
        self.is_done = True

    def end(self) -> None:
        """Send no more requests."""
        self.is_done = True
        self._transport.close()

    def _send(self) -> None:
        self._sent_at = time.perf_counter()
        self._transport.write(next(self._requests))


async def generate_in_python(target: Target, connections: int, seconds: float) -> LoadResult:
    """Send requests as `generate_load` does, from this process."""
    bodies = target.bodies.read_bytes().splitlines()
    requests = cycle([_request(target.path, body) for body in bodies])
    latencies: list[float] = []
    loop = asyncio.get_running_loop()
    open_connections = [
        (await loop.create_connection(lambda: _Connection(requests, latencies), "127.0.0.1", target.port))[1]
        for _ in range(connections)
    ]
    began = time.perf_counter()
    await asyncio.sleep(seconds)
    took, times = time.perf_counter() - began, sorted(latencies)
    for connection in open_connections:
        connection.end()
    received = sum(connection.received for connection in open_connections)
    errors = sum(connection.errors for connection in open_connections)
    return LoadResult(len(times), took, received, errors, _quantile(times, 0.5), _quantile(times, 0.99))


def _request(path: str, body: bytes) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nAccept: application/json\r\n"
    return head.encode() + b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _quantile(times: Sequence[float], share: float) -> float:
    return times[min(len(times) - 1, int(len(times) * share))] * 1e6 if times else 0.0


if __name__ == "__main__":
    connections, seconds, port, path, bodies = sys.argv[1:]
    target = Target(int(port), path, Path(bodies))
    result = asyncio.run(generate_in_python(target, int(connections), float(seconds)))
    fields = {name: getattr(result, name) for name in LoadResult.__slots__}
    sys.stdout.buffer.write(orjson.dumps(fields) + b"\n")

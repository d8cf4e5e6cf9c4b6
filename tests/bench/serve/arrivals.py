"""Generates the load in a process of its own: requests that arrive whether or not the server keeps up (an open loop).

A client that sends its next request when the last one is answered sends less the slower the server is, and hides the
waiting of everybody else ("coordinated omission"). Here the instants of arrival are random and fixed beforehand, and a
latency counts from that instant, so that what the generator is late counts as well. With `connections`, a stream is
such a client after all, to find out how much the server can do.

    python -m tests.bench.serve.arrivals SECONDS STREAMS < streams

The program reads streams as JSON, and prints their results as JSON.
"""

import asyncio
import os
import random
import selectors
import subprocess
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from itertools import cycle
from time import monotonic, process_time

import httptools
import orjson

# Longer than the longest queue and the longest request of the server together.
PATIENCE_SECONDS = 60.0
# The server closes connections that are idle for longer, possibly at the instant at which a request is sent.
_IDLE_SECONDS = 2.0
# Of a stream; then arrivals wait for one. The queue of a lane is shorter, and `select` has room for 1,024 files.
_MOST_CONNECTIONS = 300
NO_ANSWER, WRONG, NO_RETRY_AFTER = "no answer", "wrong answer", "no Retry-After"


@dataclass(frozen=True, slots=True)
class Stream:
    """Requests of one kind. `rate` is the number of arrivals a second; with `connections`, a closed loop sends them.

    `requests` are whole HTTP requests, sent in turn. `answers`, where there are any, is how the body of each answer has
    to begin.
    """

    name: str
    port: int
    requests: Sequence[str]
    answers: Sequence[str] = ()
    rate: float = 0.0
    connections: int = 0


@dataclass(slots=True)
class StreamResult:
    """The requests of a stream in the order of their ends. Instants are those of the monotonic clock, in seconds.

    `lags` is how long after its arrival a request was sent.
    """

    name: str
    arrivals: list[float] = field(default_factory=list)
    lags: list[float] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class LoadResult:
    """The results of all streams, and what the generator itself took."""

    streams: Sequence[StreamResult]
    seconds: float
    cpu_seconds: float

    def stream(self, name: str) -> StreamResult:
        """The result of one stream."""
        return next(stream for stream in self.streams if stream.name == name)


class RunningLoad:
    """A generator that runs."""

    def __init__(self, streams: Sequence[Stream], seconds: float) -> None:
        command = [sys.executable, "-m", __name__, str(seconds)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._streams = orjson.dumps([asdict(stream) for stream in streams])

    async def result(self) -> LoadResult:
        """Wait for its end. Errors: RuntimeError if the generator fails."""
        output, _ = await asyncio.to_thread(self._process.communicate, self._streams)
        if self._process.returncode:
            raise RuntimeError(f"The load generator ended with exit code {self._process.returncode}.")
        found = orjson.loads(output)
        return LoadResult([StreamResult(**stream) for stream in found.pop("streams")], **found)

    def close(self) -> None:
        """End it, if it still runs."""
        self._process.kill()
        self._process.wait()


class _Sent:
    """A request that waits for its answer."""

    __slots__ = ("arrived", "expected", "sent")

    def __init__(self, arrived: float, sent: float, expected: bytes | None) -> None:
        self.arrived = arrived
        self.sent = sent
        self.expected = expected


class _Connection(asyncio.Protocol):
    """A connection that carries one request at a time."""

    def __init__(self, sender: "_Sender") -> None:
        self._sender = sender
        self._waiting: _Sent | None = None
        self._body: list[bytes] = []
        self._retry_after = False
        self.idle_since = 0.0
        self.is_lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.Transport):
            raise TypeError("a stream was expected")
        self.transport = transport

    def send(self, request: bytes, sent: _Sent) -> None:
        """Send a request, and report its answer to the sender."""
        self._waiting, self._body, self._retry_after = sent, [], False
        self._parser = httptools.HttpResponseParser(self)
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_header(self, name: bytes, _value: bytes) -> None:
        self._retry_after = self._retry_after or name.lower() == b"retry-after"

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        sent, self._waiting = self._waiting, None
        if sent is not None:
            self._sender.ended(self, sent, self._outcome(sent))

    def connection_lost(self, _error: Exception | None) -> None:
        self.is_lost = True
        sent, self._waiting = self._waiting, None
        if sent is not None:
            self._sender.ended(self, sent, NO_ANSWER)

    def _outcome(self, sent: _Sent) -> str:
        status = self._parser.get_status_code()
        if status in (429, 503):
            return str(status) if self._retry_after else NO_RETRY_AFTER
        body = b"".join(self._body)
        if status != 200:
            return f"{status} {body[:200].decode(errors='replace')}"
        if sent.expected is not None:
            return "200" if body.startswith(sent.expected) else WRONG
        return "200" if body.startswith(b'{"data"') else f"200 {body[:200].decode(errors='replace')}"


class _Sender:
    """Sends the requests of one stream."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.result = StreamResult(stream.name)
        self._requests = cycle([request.encode() for request in stream.requests])
        self._answers: Iterator[bytes | None] = cycle([answer.encode() for answer in stream.answers] or [None])
        self._idle: deque[_Connection] = deque()
        self._open: set[_Connection] = set()
        self._pending: set[_Sent] = set()
        self._held: deque[float] = deque()  # arrivals without a connection
        self._tasks: set[asyncio.Task[None]] = set()
        self._until = 0.0
        self._random = random.Random(stream.name)

    async def run(self, until: float) -> None:
        """Send requests until this instant, and wait for their answers."""
        self._until = until
        if self._stream.connections:
            for _ in range(self._stream.connections):
                self._arrive(monotonic())
        else:
            await self._arrivals()
        await asyncio.sleep(until - monotonic())
        deadline = monotonic() + PATIENCE_SECONDS
        while (self._pending or self._held or self._connecting()) and monotonic() < deadline:  # noqa: ASYNC110 - seldom and late is enough
            await asyncio.sleep(0.05)
        for sent in [*self._pending, *(_Sent(arrival, monotonic(), None) for arrival in self._held)]:
            self._record(sent, NO_ANSWER)
        for connection in self._open:
            connection.transport.close()

    def _connecting(self) -> bool:
        """Whether connections are still to be made. Errors: those of connections that failed other than by the net."""
        for task in [task for task in self._tasks if task.done()]:
            self._tasks.discard(task)
            task.result()
        return bool(self._tasks)

    async def _arrivals(self) -> None:
        arrival = monotonic()
        while (arrival := arrival + self._random.expovariate(self._stream.rate)) < self._until:
            if (pause := arrival - monotonic()) > 0:
                await asyncio.sleep(pause)
            self._arrive(arrival)

    def _arrive(self, arrival: float) -> None:
        now = monotonic()
        if not self._idle and len(self._open) + len(self._tasks) >= _MOST_CONNECTIONS:
            self._held.append(arrival)
            return
        request, expected = next(self._requests), next(self._answers)
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_lost and now - connection.idle_since < _IDLE_SECONDS:
                self._send(connection, request, arrival, expected)
                return
            connection.transport.close()
            self._open.discard(connection)
        self._connecting()
        self._tasks.add(asyncio.create_task(self._connect(request, arrival, expected)))

    async def _connect(self, request: bytes, arrival: float, expected: bytes | None) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(lambda: _Connection(self), "127.0.0.1", self._stream.port)
        except OSError:
            self._record(_Sent(arrival, monotonic(), expected), NO_ANSWER)
            return
        self._open.add(connection)
        self._send(connection, request, arrival, expected)

    def _send(self, connection: _Connection, request: bytes, arrival: float, expected: bytes | None) -> None:
        sent = _Sent(arrival, monotonic(), expected)
        self._pending.add(sent)
        connection.send(request, sent)

    def ended(self, connection: _Connection, sent: _Sent, outcome: str) -> None:
        """Record an answer, and keep its connection for another request."""
        self._record(sent, outcome)
        if connection.is_lost:
            self._open.discard(connection)
        else:
            connection.idle_since = monotonic()
            self._idle.append(connection)
        # Not within the parser of the answer, which is still at work.
        if self._held:
            asyncio.get_running_loop().call_soon(self._arrive, self._held.popleft())
        elif self._stream.connections and (now := monotonic()) < self._until:
            asyncio.get_running_loop().call_soon(self._arrive, now)

    def _record(self, sent: _Sent, outcome: str) -> None:
        self._pending.discard(sent)
        result = self.result
        result.arrivals.append(sent.arrived)
        result.lags.append(sent.sent - sent.arrived)
        result.latencies.append(monotonic() - sent.arrived)
        result.outcomes.append(outcome)


async def _run(streams: Sequence[Stream], seconds: float) -> LoadResult:
    senders = [_Sender(stream) for stream in streams]
    began = monotonic()
    await asyncio.gather(*(sender.run(began + seconds) for sender in senders))
    return LoadResult([sender.result for sender in senders], seconds, process_time())


def main() -> None:
    """Send the streams that the standard input describes."""
    # Clients are elsewhere as a rule. Here, what the generator waits for a core would count as the server's.
    with suppress(PermissionError):
        os.nice(-10)
    streams = [Stream(**stream) for stream in orjson.loads(sys.stdin.buffer.read())]
    # `epoll` wakes up a millisecond late, `select` in time.
    loop = asyncio.SelectorEventLoop(selectors.SelectSelector())
    result = loop.run_until_complete(_run(streams, float(sys.argv[1])))
    sys.stdout.buffer.write(orjson.dumps(asdict(result)))


if __name__ == "__main__":
    main()

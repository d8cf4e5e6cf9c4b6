"""The generator of the load: what it counts as which outcome, and from when it counts."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.bench.serve.arrivals import NO_ANSWER, NO_RETRY_AFTER, WRONG, LoadResult, RunningLoad, Stream
from tests.bench.serve.report import quantile, unanswered

_ANSWERS = {
    "/right": (200, "", '{"data":{"a":1},"extensions":{}}'),
    "/wrong": (200, "", '{"data":{"a":2}}'),
    "/error": (200, "", '{"errors":[]}'),
    "/busy": (503, "Retry-After: 1\r\n", "{}"),
    "/limited": (429, "Retry-After: 1\r\n", "{}"),
    "/unsure": (503, "", "{}"),
    "/broken": (500, "", "{}"),
}


@asynccontextmanager
async def serving(pause: float = 0) -> AsyncIterator[int]:
    """Serve the answers by path, each after a pause; other paths close the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readline():
            while await reader.readline() != b"\r\n":
                pass
            found = _ANSWERS.get(head.split()[1].decode())
            if found is None:
                break
            await asyncio.sleep(pause)
            status, headers, body = found
            writer.write(f"HTTP/1.1 {status} -\r\n{headers}Content-Length: {len(body)}\r\n\r\n{body}".encode())
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def load(*streams: Stream, seconds: float = 1.0) -> LoadResult:
    running = RunningLoad(streams, seconds)
    try:
        return await running.result()
    finally:
        running.close()


def request(path: str) -> str:
    return f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"


async def test_only_right_answers_and_refusals_with_a_time_are_in_order() -> None:
    outcomes = {
        "/right": "200",
        "/wrong": WRONG,
        "/error": WRONG,
        "/busy": "503",
        "/limited": "429",
        "/unsure": NO_RETRY_AFTER,
        "/broken": "500 {}",
        "/closed": NO_ANSWER,
    }
    async with serving() as port:
        streams = [Stream(path, port, [request(path)], ['{"data":{"a":1}'], rate=20) for path in outcomes]
        found = await load(*streams)
    assert {stream.name: set(stream.outcomes) for stream in found.streams} == {
        path: {outcome} for path, outcome in outcomes.items()
    }
    failed = {problem.split(": ")[0].split(" of ")[1] for problem in unanswered(found)}
    assert failed == {"/wrong", "/error", "/unsure", "/broken", "/closed"}


async def test_requests_arrive_whether_or_not_others_are_answered() -> None:
    async with serving(pause=0.5) as port:
        open_loop = Stream("open", port, [request("/right")], rate=100)
        closed_loop = Stream("closed", port, [request("/right")], connections=2)
        found = await load(open_loop, closed_loop)
    assert len(found.stream("open").outcomes) > 60
    assert len(found.stream("closed").outcomes) <= 6
    assert Counter(found.stream("open").outcomes).keys() == {"200"}
    assert quantile(found.stream("open").latencies, 0.5) >= 0.5


async def test_latencies_count_from_the_arrival_where_no_connection_is_free() -> None:
    async with serving(pause=1) as port:
        found = await load(Stream("open", port, [request("/right")], rate=600))
    stream = found.stream("open")
    assert set(stream.outcomes) == {"200"}
    assert len(stream.outcomes) > 400
    assert max(stream.lags) > 0.3  # more than 300 waited for a connection
    assert max(stream.latencies) > max(stream.lags) + 0.9

"""Connections whose clients do not send their request, or do not read its response, are closed; all others stay."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from starlette.types import Receive, Scope, Send

from api.cli.serving import stopping
from api.cli.serving.listening import bound_listener
from api.cli.serving.stopping import StoppingServer
from api.web import http_protocol
from api.web.http_protocol import CoalescingProtocol

_TIMEOUT_SECONDS = 10
_LARGE = 64 * 1024 * 1024
HEAD = b"POST /slow HTTP/1.1\r\nhost: localhost\r\n"
BODY = b"content-length: 100\r\n\r\nabc"


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    """Read the whole body, but of /refused; then answer: /large with many bytes, /slow after a second and a half."""
    while scope["path"] != "/refused":
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        if not message.get("more_body"):
            break
    if scope["path"] == "/slow":
        await asyncio.sleep(1.5)
    body = bytes(_LARGE if scope["path"] == "/large" else 2)
    length = b"%d" % len(body)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving() -> AsyncIterator[tuple[StoppingServer, int]]:
    listener, started = bound_listener("127.0.0.1", 0), asyncio.Event()
    config = uvicorn.Config(site, http=CoalescingProtocol, ws="none", lifespan="off", log_level="warning")
    server = StoppingServer(config, grace_seconds=0, on_started=started.set, on_stopping=lambda: None)
    running = asyncio.create_task(server._serve([listener]))
    await asyncio.wait_for(started.wait(), _TIMEOUT_SECONDS)
    try:
        yield server, listener.getsockname()[1]
    finally:
        server.should_exit = server.force_exit = True
        await asyncio.wait_for(running, _TIMEOUT_SECONDS)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second is long in these tests, and the server looks every tenth of one."""
    monkeypatch.setattr(http_protocol, "RECEIVE_SECONDS", 0.5)
    monkeypatch.setattr(http_protocol, "SEND_SECONDS", 0.5)
    monkeypatch.setattr(stopping, "_TICKS_OF_CONNECTIONS", 1)


async def all_of(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.read(), _TIMEOUT_SECONDS)


async def until(is_so: Callable[[], bool]) -> None:
    while not is_so():  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.05)


async def send_on(writer: asyncio.StreamWriter) -> None:
    for _ in range(2_000):
        writer.write(bytes(64 * 1024))
        await writer.drain()
        await asyncio.sleep(0)


@pytest.mark.parametrize(
    ("sent", "answered"),
    [
        (b"", b""),
        (HEAD + b"x-half: a", b"HTTP/1.1 408 "),
        (HEAD + BODY, b"HTTP/1.1 408 "),
        (HEAD + b"content-length: 0\r\n\r\n", b"HTTP/1.1 200 "),  # slow to answer, and not late
    ],
)
async def test_who_does_not_send_a_whole_request_is_not_waited_for(sent: bytes, answered: bytes) -> None:
    async with serving() as (_server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        received = await all_of(reader)
        assert received.startswith(answered)
        assert bool(received) is bool(answered)
        writer.close()


@pytest.mark.parametrize("drop", [b"x-a: b\r\n", b"\r\n"])
async def test_who_sends_byte_by_byte_is_not_waited_for(drop: bytes) -> None:
    async with serving() as (_server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD if drop != b"\r\n" else b"")
        ended = asyncio.create_task(all_of(reader))
        for _ in range(50):
            if ended.done():
                break
            writer.write(drop)
            await asyncio.sleep(0.05)
        assert ended.done()
        writer.close()


async def test_a_second_request_has_its_own_time() -> None:
    async with serving() as (_server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(3):
            writer.write(b"POST / HTTP/1.1\r\nhost: localhost\r\ncontent-length: 2\r\n\r\na")
            await asyncio.sleep(0.3)
            writer.write(b"b")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
            await reader.readexactly(2)
        writer.close()


async def test_a_head_without_end_is_refused() -> None:
    async with serving() as (_server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(HEAD + b"x-long: " + b"a" * (http_protocol.HEAD_LIMIT_BYTES - 200))
        await asyncio.sleep(0.1)
        assert not reader.at_eof()
        writer.write(b"a" * 200)
        assert (await all_of(reader)).startswith(b"HTTP/1.1 431 ")
        writer.close()


async def test_a_body_that_was_refused_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "MESSAGE_LIMIT_BYTES", 1024 * 1024)
    monkeypatch.setattr(http_protocol, "RECEIVE_SECONDS", 60)
    async with serving() as (_server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"POST /refused HTTP/1.1\r\nhost: localhost\r\ncontent-length: 999999999\r\n\r\n")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 ")
        with pytest.raises(ConnectionError):
            await send_on(writer)
        writer.close()


async def test_who_does_not_read_a_response_is_not_waited_for() -> None:
    async with serving() as (server, port):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.connect(("127.0.0.1", port))
        client.sendall(b"GET /large HTTP/1.1\r\nhost: localhost\r\n\r\n")
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await until(lambda: bool(server.server_state.connections))
            await until(lambda: not server.server_state.connections and not server.server_state.tasks)
        client.close()


async def test_who_reads_slowly_but_steadily_gets_the_whole_response(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "SEND_BYTES", 1024)
    async with serving() as (_server, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1024)
        writer.write(b"GET /large HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        received = 0
        for _ in range(32):  # a second and a half in all
            received += len(await reader.readexactly(_LARGE // 32))
            await asyncio.sleep(0.05)
        assert received == _LARGE
        writer.close()

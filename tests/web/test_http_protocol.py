"""An answer leaves in one piece, and nothing that a client waits for is held back."""

import asyncio
import socket
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from api.web.http_protocol import Together
from api.web.website import build_site
from tests.web.small_schema import Mutation, Query, nobody, small_gateway

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
BODY = orjson.dumps({"query": "{ hello }"})
HEAD = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 21\r\n"
ANSWER = b'{"data":{"hello":"hello you"}}'
_PATIENCE_SECONDS = 10


HEAD_CAME = asyncio.Event()


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    """The small site, and an address that says no more before the head of its answer has come."""
    if scope["type"] != "http" or scope["path"] != "/slowly":
        await build_site(small_gateway(Query, Mutation), nobody)(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
    await HEAD_CAME.wait()
    await send({"type": "http.response.body", "body": b"abc", "more_body": True})
    await send({"type": "http.response.body", "body": b"def"})


class Server(uvicorn.Server):
    """A server that says when it answers."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.answers = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.answers.set()


@pytest.fixture
async def streams() -> AsyncIterator[Streams]:
    """A connection to a server."""
    config = uvicorn.Config(site, port=0, http=Together, ws="none", lifespan="off", log_level="warning")
    server = Server(config)
    serving = asyncio.create_task(server.serve())
    await asyncio.wait_for(server.answers.wait(), _PATIENCE_SECONDS)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    yield reader, writer
    writer.close()
    server.should_exit = server.force_exit = True
    await serving


async def head(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _PATIENCE_SECONDS)


class Recorder(asyncio.Transport):
    """A connection that keeps what is written, a piece for each write."""

    def __init__(self) -> None:
        super().__init__()
        self.pieces: list[bytes] = []

    def write(self, data: Any) -> None:  # noqa: ANN401 - bytes of any kind
        self.pieces.append(bytes(data))

    def is_closing(self) -> bool:
        return False


async def test_head_and_body_leave_together() -> None:
    config = uvicorn.Config(build_site(small_gateway(Query), nobody), lifespan="off", log_level="warning")
    wire, state = Recorder(), ServerState()
    protocol = Together(config, state, {})
    protocol.connection_made(wire)
    for _ in range(3):
        protocol.data_received(HEAD + b"\r\n" + BODY)
        await asyncio.gather(*state.tasks)
    assert [(piece[:15], piece[-30:]) for piece in wire.pieces] == [(b"HTTP/1.1 200 OK", ANSWER)] * 3


async def test_who_asks_whether_to_go_on_is_told_so(streams: Streams) -> None:
    reader, writer = streams
    writer.write(HEAD + b"Expect: 100-continue\r\n\r\n")
    assert await head(reader) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(BODY)
    assert (await head(reader)).startswith(b"HTTP/1.1 200 OK\r\n")
    assert await reader.readexactly(len(ANSWER)) == ANSWER


async def test_questions_sent_at_once_are_answered_one_after_another(streams: Streams) -> None:
    reader, writer = streams
    writer.write((HEAD + b"\r\n" + BODY) * 20)
    for _ in range(20):
        assert (await head(reader)).startswith(b"HTTP/1.1 200 OK\r\n")
        assert await reader.readexactly(len(ANSWER)) == ANSWER


async def test_the_last_answer_is_sent_before_the_connection_closes(streams: Streams) -> None:
    reader, writer = streams
    writer.write(HEAD + b"Connection: close\r\n\r\n" + BODY)
    assert (await asyncio.wait_for(reader.read(), _PATIENCE_SECONDS)).endswith(ANSWER)


async def test_what_comes_in_pieces_is_not_held_back(streams: Streams) -> None:
    reader, writer = streams
    writer.write(b"GET /slowly HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await head(reader)).startswith(b"HTTP/1.1 200 OK\r\n")
    HEAD_CAME.set()
    assert await reader.readexactly(6) == b"abcdef"


async def test_what_is_no_http_is_told_before_the_connection_closes(streams: Streams) -> None:
    reader, writer = streams
    writer.write(b"what?\r\n\r\n")
    assert (await asyncio.wait_for(reader.read(), _PATIENCE_SECONDS)).startswith(b"HTTP/1.1 400 ")

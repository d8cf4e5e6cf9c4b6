"""A response is sent with one write, and nothing that a client waits for is held back."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
import pytest
import uvicorn
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from api.web.http_protocol import CoalescingProtocol
from api.web.identification import identify_local_operator
from api.web.website import build_site
from tests.support.in_process_server import in_process_server
from tests.web.small_schema import Mutation, Query, no_database, small_gateway

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
BODY = orjson.dumps({"query": "{ hello }"})
HEAD = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 21\r\n"
RESPONSE = b'{"data":{"hello":"hello you"}}'
_TIMEOUT_SECONDS = 10


HEAD_RECEIVED = asyncio.Event()


async def site(scope: Scope, receive: Receive, send: Send) -> None:
    """The small site, and a path that sends no body before the head of its response is received."""
    if scope["type"] != "http" or scope["path"] != "/slowly":
        await build_site(small_gateway(Query, Mutation), no_database, identify_local_operator)(scope, receive, send)
        return
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"6")]})
    await HEAD_RECEIVED.wait()
    await send({"type": "http.response.body", "body": b"abc", "more_body": True})
    await send({"type": "http.response.body", "body": b"def"})


@pytest.fixture
async def streams() -> AsyncIterator[Streams]:
    """A connection to a server."""
    async with in_process_server(site) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        yield reader, writer
        writer.close()


async def head(reader: asyncio.StreamReader) -> bytes:
    return await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _TIMEOUT_SECONDS)


class Recorder(asyncio.Transport):
    """A transport that records every write."""

    def __init__(self) -> None:
        super().__init__()
        self.writes: list[bytes] = []

    def write(self, data: Any) -> None:  # noqa: ANN401 - any bytes-like object
        self.writes.append(bytes(data))

    def is_closing(self) -> bool:
        return False


async def test_head_and_body_are_sent_with_one_write() -> None:
    config = uvicorn.Config(
        build_site(small_gateway(Query), no_database, identify_local_operator), lifespan="off", log_level="warning"
    )
    transport, state = Recorder(), ServerState()
    protocol = CoalescingProtocol(config, state, {})
    protocol.connection_made(transport)
    for _ in range(3):
        protocol.data_received(HEAD + b"\r\n" + BODY)
        await asyncio.gather(*state.tasks)
    assert [(written[:15], written[-30:]) for written in transport.writes] == [(b"HTTP/1.1 200 OK", RESPONSE)] * 3


async def test_expect_100_continue_is_answered_before_the_body_is_sent(streams: Streams) -> None:
    reader, writer = streams
    writer.write(HEAD + b"Expect: 100-continue\r\n\r\n")
    assert await head(reader) == b"HTTP/1.1 100 Continue\r\n\r\n"
    writer.write(BODY)
    assert (await head(reader)).startswith(b"HTTP/1.1 200 OK\r\n")
    assert await reader.readexactly(len(RESPONSE)) == RESPONSE


async def test_pipelined_requests_are_answered_in_order(streams: Streams) -> None:
    reader, writer = streams
    writer.write((HEAD + b"\r\n" + BODY) * 20)
    for _ in range(20):
        assert (await head(reader)).startswith(b"HTTP/1.1 200 OK\r\n")
        assert await reader.readexactly(len(RESPONSE)) == RESPONSE


async def test_the_last_response_is_sent_before_the_connection_closes(streams: Streams) -> None:
    reader, writer = streams
    writer.write(HEAD + b"Connection: close\r\n\r\n" + BODY)
    assert (await asyncio.wait_for(reader.read(), _TIMEOUT_SECONDS)).endswith(RESPONSE)


async def test_a_streamed_response_is_not_held_back(streams: Streams) -> None:
    reader, writer = streams
    writer.write(b"GET /slowly HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert (await head(reader)).startswith(b"HTTP/1.1 200 OK\r\n")
    HEAD_RECEIVED.set()
    assert await reader.readexactly(6) == b"abcdef"


async def test_invalid_http_gets_a_400_before_the_connection_closes(streams: Streams) -> None:
    reader, writer = streams
    writer.write(b"what?\r\n\r\n")
    assert (await asyncio.wait_for(reader.read(), _TIMEOUT_SECONDS)).startswith(b"HTTP/1.1 400 ")

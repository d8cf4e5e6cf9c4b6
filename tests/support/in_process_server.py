"""A server in the process of the tests, as `accord serve` runs it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

import uvicorn
from starlette.types import ASGIApp

from api.web.http_protocol import CoalescingProtocol

_TIMEOUT_SECONDS = 10


class _Server(uvicorn.Server):
    """A server with an event that is set once it accepts connections."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_up = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_up.set()


@asynccontextmanager
async def in_process_server(site: ASGIApp, *, lifespan: Literal["on", "off"] = "off") -> AsyncIterator[int]:
    """Serve a site. Yield its port."""
    config = uvicorn.Config(site, port=0, http=CoalescingProtocol, ws="none", lifespan=lifespan, log_level="warning")
    server = _Server(config)
    serving = asyncio.create_task(server.serve())
    await asyncio.wait_for(server.is_up.wait(), _TIMEOUT_SECONDS)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        server.force_exit = lifespan == "off"  # the end of a lifespan is waited for
        await serving

"""A server that stops without resetting a connection, and is gone within a stated time.

When it is told to stop, `/readyz` says so, and every response carries `Connection: close`. It goes on accepting
connections until those that were open have been served, then serves all that wait to be accepted, and only then closes
the socket. A connection without a request is closed after IDLE_SECONDS, in which the request that may be on its way
arrives.
"""

import asyncio
import logging
import os
import select
import socket
import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import Any, cast

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ErrorCode
from api.web.http_protocol import end_stuck_connections
from api.web.responses import HttpError, http_error_response

logger = logging.getLogger("accord.serve")

IDLE_SECONDS = 0.5
CLOSE_SECONDS = 10.0
"""How long the application may take to close the database, after the requests have ended or were cancelled."""

_CLOSING = (b"connection", b"close")
_STOPPED = HttpError(
    503,
    "The server stopped before the request had ended.",
    "Send it again; a mutation with its `idempotencyKey`, because it may be written.",
    code=ErrorCode.TIMED_OUT,
    headers={"Retry-After": "1"},
)
_PAUSE_SECONDS = 0.02
_TICKS_OF_CONNECTIONS = 20
_QUIET = 5


class StoppingServer(uvicorn.Server):
    """uvicorn's server with an orderly stop. `on_started` and `on_stopping` are called once."""

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        grace_seconds: float,
        on_started: Callable[[], None],
        on_stopping: Callable[[], None],
    ) -> None:
        config.app = _answering_cancelled(cast("ASGIApp", config.app))
        super().__init__(config)
        self._grace_seconds = grace_seconds
        self._on_started = on_started
        self._on_stopping = on_stopping

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so once connections are accepted."""
        await super().startup(sockets)
        if self.started:
            self._on_started()

    async def on_tick(self, counter: int) -> bool:
        """Look at the connections every few seconds, as uvicorn does at its own state ten times a second."""
        if counter % _TICKS_OF_CONNECTIONS == 0:
            end_stuck_connections(self.server_state.connections, asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop as this module describes it."""
        self._on_stopping()
        began = monotonic()
        deadline = began + self._grace_seconds
        self._announce()
        await self._serve_until_idle(list(self.server_state.connections), began, deadline)
        await self._stop_accepting(sockets or [], deadline)
        self._announce()
        await self._serve_until_idle(self.server_state.connections, monotonic(), deadline)
        await self._cancel_requests()
        if not self.force_exit:
            await self._close_application()

    def _announce(self) -> None:
        """Let every response that begins from now on close its connection."""
        if _CLOSING not in self.server_state.default_headers:
            self.server_state.default_headers.append(_CLOSING)
        for connection in self.server_state.connections:
            cycle = getattr(connection, "cycle", None)
            if cycle is not None and not cycle.response_complete:
                cycle.keep_alive = False

    async def _serve_until_idle(self, connections: Collection[Any], began: float, deadline: float) -> None:
        """Wait until these connections are closed, and close those that nobody uses."""
        while not self.force_exit and monotonic() < deadline:
            left = [connection for connection in connections if connection in self.server_state.connections]
            if not left:
                return
            if monotonic() - began > IDLE_SECONDS:
                for connection in filter(_is_idle, left):
                    connection.shutdown()
            await asyncio.sleep(_PAUSE_SECONDS)

    async def _stop_accepting(self, sockets: list[socket.socket], deadline: float) -> None:
        """Accept what waits to be accepted, then close the sockets. What waits in a closed one would be reset."""
        quiet = 0  # iterations of the event loop in which nothing was accepted: it makes a connection over several
        while quiet < _QUIET and monotonic() < deadline and not self.force_exit:
            quiet = 0 if any(map(_is_readable, sockets)) else quiet + 1
            await asyncio.sleep(0)
        for server in self.servers:
            server.close()
        for listener in sockets:
            listener.close()
        await asyncio.sleep(0)

    async def _cancel_requests(self) -> None:
        tasks = list(self.server_state.tasks)
        if not tasks:
            return
        logger.warning("The grace period is over: %d requests are cancelled", len(tasks))
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=1)

    async def _close_application(self) -> None:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.lifespan.shutdown()
        except TimeoutError:
            logger.warning("The application did not close within %.0f seconds", CLOSE_SECONDS)


def _answering_cancelled(app: ASGIApp) -> ASGIApp:
    """Answer requests that are cancelled because the grace period is over. uvicorn takes them for bugs."""

    async def answering(scope: Scope, receive: Receive, send: Send) -> None:
        has_started = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await app(scope, receive, send_and_note if scope["type"] == "http" else send)
        except asyncio.CancelledError:
            if scope["type"] != "http":
                raise
            if not has_started:
                await http_error_response(_STOPPED)(scope, receive, send)

    return answering


class LastResort:
    """Ends the process if it does not stop in time, whatever it hangs in. Only `start` makes it wait."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._has_ended = threading.Event()

    def start(self) -> None:
        """Begin to count the seconds."""
        threading.Thread(target=self._wait, name="accord-last-resort", daemon=True).start()

    def end(self) -> None:
        """Note that everything has stopped."""
        self._has_ended.set()

    def _wait(self) -> None:
        if not self._has_ended.wait(self._seconds):
            logger.error("The server did not stop within %.0f seconds, and ends at once", self._seconds)
            os._exit(1)


@contextmanager
def last_resort(seconds: float) -> Iterator[LastResort]:
    """Yield what ends the process if the rest of the block does not end in time."""
    resort = LastResort(seconds)
    try:
        yield resort
    finally:
        resort.end()


def _is_idle(connection: Any) -> bool:  # noqa: ANN401 - a protocol of uvicorn
    """Whether a connection has no request, and none is waiting to be read."""
    if connection.cycle is not None and not connection.cycle.response_complete:
        return False
    open_socket = connection.transport.get_extra_info("socket")
    return open_socket is None or not _is_readable(open_socket)


def _is_readable(open_socket: Any) -> bool:  # noqa: ANN401 - a socket, or what uvloop shows of one
    number = open_socket.fileno()
    if number < 0:
        return False
    poll = select.poll()
    poll.register(number, select.POLLIN)
    return bool(poll.poll(0))

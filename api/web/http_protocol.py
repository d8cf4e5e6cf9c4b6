"""A uvicorn protocol that sends the head and the body of a response with one system call.

It also ends connections whose client does not send its request, or does not read its response: uvicorn itself only ends
those that are idle after a response.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

logger = logging.getLogger("accord.web")

RECEIVE_SECONDS = 60.0
"""How long a client has to send a whole request, from the opening of its connection on."""
SEND_SECONDS = 60.0
"""How long a client has to read a response, or the next SEND_BYTES of one."""
SEND_BYTES = 256 * 1024
HEAD_LIMIT_BYTES = 64 * 1024
MESSAGE_LIMIT_BYTES = 16 * 1024 * 1024
"""What is received of one request at most. A larger body was refused long before, and is read no further."""

_TOO_LARGE_HEAD = b"431 Request Header Fields Too Large"
_TOO_SLOW = b"408 Request Timeout"


@dataclass(slots=True)
class _Wait:
    """What a connection waits for, and since when: bytes of this request, or a client that has taken so many bytes."""

    of: object
    since: float
    taken: int = 0


class CoalescingProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol over a transport that joins two writes: half the system calls of a response."""

    transport: "_CoalescingTransport"
    _receiving: _Wait | None = None
    _sending: _Wait | None = None
    _received: tuple[object, int] = (None, 0)  # a request of which a part is missing, and the bytes that are there

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wrap the transport of a new connection."""
        super().connection_made(_CoalescingTransport(transport, self.loop))

    def data_received(self, data: bytes) -> None:
        """Parse a part of a request. One whose head is too large, or that does not end, is refused."""
        super().data_received(data)
        scope = self.scope
        is_head = scope is not None and "method" not in scope
        if not is_head and (self.cycle is None or not self.cycle.more_body):
            return
        known, size = self._received
        size = len(data) + (size if known is scope else 0)
        self._received = (scope, size)
        if size > (HEAD_LIMIT_BYTES if is_head else MESSAGE_LIMIT_BYTES):
            self._refuse(_TOO_LARGE_HEAD if is_head else None)

    def end_if_stuck(self, now: float) -> None:
        """End the connection if its client has taken too long. It is called every few seconds."""
        transport = self.transport
        left = transport.get_write_buffer_size()
        taken = transport.written - left
        if not left:
            self._sending = None
        elif self._sending is None or taken >= self._sending.taken + SEND_BYTES:
            self._sending = _Wait(transport, now, taken)
        elif now - self._sending.since > SEND_SECONDS:
            logger.info("A client did not read its response in time: its connection is closed")
            transport.abort()
            return
        if not self._awaits_bytes():
            self._receiving = None
        elif self._receiving is None or self._receiving.of is not self.scope:
            self._receiving = _Wait(self.scope, now)
        elif now - self._receiving.since > RECEIVE_SECONDS:
            self._refuse(None if self.scope is None else _TOO_SLOW)

    def _awaits_bytes(self) -> bool:
        """Whether a request, or the rest of one, is to come. uvicorn's own timer runs after a response."""
        cycle = self.cycle
        if cycle is None or "method" not in self.scope or cycle.more_body:
            return True
        return cycle.response_complete and self.timeout_keep_alive_task is None

    def _refuse(self, status: bytes | None) -> None:
        """Close the connection, with a response if none has begun."""
        cycle, transport = self.cycle, self.transport
        if transport.is_closing():
            return
        is_answered = cycle is not None and cycle.response_started and cycle.scope is self.scope
        if status is not None and not is_answered and (cycle is None or cycle.response_complete or cycle.more_body):
            transport.write(b"HTTP/1.1 %b\r\ncontent-length: 0\r\nconnection: close\r\n\r\n" % status)
        transport.close()


def end_stuck_connections(connections: Iterable[object], now: float) -> None:
    """End the connections of a server whose clients have taken too long. Times are those of the event loop."""
    for connection in tuple(connections):
        if isinstance(connection, CoalescingProtocol):
            connection.end_if_stuck(now)


class _CoalescingTransport(asyncio.Transport):
    """A transport that holds a write back until the next one, or until the event loop's next iteration."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._pending: bytes | None = None
        self.written = 0  # bytes, whether the client has taken them or not

    def write(self, data: Any) -> None:  # noqa: ANN401 - any bytes-like object
        """Send the pending bytes together with these; if none are pending, hold these back."""
        self.written += len(data)
        if self._pending is None:
            self._pending = data
            self._loop.call_soon(self._flush)
        else:
            pending, self._pending = self._pending, None
            self._transport.writelines((pending, data))

    def close(self) -> None:
        """Send the pending bytes, then close."""
        self._flush()
        self._transport.close()

    def abort(self) -> None:
        """Close at once, and drop what was not sent."""
        self._pending = None
        self._transport.abort()

    def get_write_buffer_size(self) -> int:
        """The number of bytes that were written and not sent."""
        return self._transport.get_write_buffer_size()

    def _flush(self) -> None:
        if self._pending is not None:
            pending, self._pending = self._pending, None
            self._transport.write(pending)

    def is_closing(self) -> bool:
        """Whether the transport is closing or closed."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as the transport's
        """Information about the connection, such as the peer's address."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Stop receiving data."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Receive data again."""
        self._transport.resume_reading()

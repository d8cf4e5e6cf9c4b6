"""A uvicorn protocol that sends the head and the body of a response with one system call."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class CoalescingProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol over a transport that joins two writes: half the system calls of a response."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Wrap the transport of a new connection."""
        super().connection_made(_CoalescingTransport(transport, self.loop))


class _CoalescingTransport(asyncio.Transport):
    """A transport that holds a write back until the next one, or until the event loop's next iteration."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._pending: bytes | None = None

    def write(self, data: Any) -> None:  # noqa: ANN401 - any bytes-like object
        """Send the pending bytes together with these; if none are pending, hold these back."""
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

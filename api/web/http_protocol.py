"""What goes over the wire: the head of an answer and its body together."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Together(HttpToolsProtocol):
    """uvicorn's protocol over a transport that writes once for its two writes: half the system calls of an answer."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Stand between the protocol and its connection."""
        super().connection_made(_Joining(transport, self.loop))


class _Joining(asyncio.Transport):
    """A transport whose write waits for the next one, until the end of the loop's round at the latest."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__()
        self._transport = transport
        self._loop = loop
        self._waiting: bytes | None = None

    def write(self, data: Any) -> None:  # noqa: ANN401 - bytes of any kind
        """Send these bytes behind those that wait, or let them wait."""
        if self._waiting is None:
            self._waiting = data
            self._loop.call_soon(self._flush)
        else:
            waited, self._waiting = self._waiting, None
            self._transport.writelines((waited, data))

    def close(self) -> None:
        """Close once everything is sent."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._waiting is not None:
            waited, self._waiting = self._waiting, None
            self._transport.write(waited)

    def is_closing(self) -> bool:
        """Whether nothing more is taken."""
        return self._transport.is_closing()

    def get_extra_info(self, name: str, default: Any = None) -> Any:  # noqa: ANN401 - as the transport's
        """What the transport knows of its connection."""
        return self._transport.get_extra_info(name, default)

    def pause_reading(self) -> None:
        """Take nothing more from the other side for now."""
        self._transport.pause_reading()

    def resume_reading(self) -> None:
        """Go on reading."""
        self._transport.resume_reading()

"""A proxy between Accord and PostgreSQL that cuts connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

SOCKET = ".s.PGSQL.5432"
# The message of the simple query protocol that commits a unit of work.
COMMIT = b"Q\0\0\0\x0bcommit\0"


@dataclass
class CuttingProxy:
    """Passes bytes on until it is to cut. The next `after_commits` commits get no reply, but a cut."""

    server: str
    folder: Path
    refuses: bool = False
    after_commits: int = 0
    cuts_after_commit: "asyncio.Queue[None]" = field(default_factory=asyncio.Queue)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    def cut(self) -> int:
        """Close every connection on both sides at once. Return their number."""
        writers = list(self._open)
        for writer in writers:
            writer.transport.abort()
        return len(writers) // 2

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection of Accord."""
        if self.refuses:
            writer.transport.abort()
            return
        to_reader, to_writer = await asyncio.open_unix_connection(f"{self.server}/{SOCKET}")
        pair = {writer, to_writer}
        self._open |= pair
        commits = asyncio.Event()
        try:
            await asyncio.wait(
                [
                    asyncio.create_task(self._send(reader, to_writer, commits)),
                    asyncio.create_task(self._answer(to_reader, writer, commits)),
                ],
                return_when=asyncio.FIRST_COMPLETED,
            )
        finally:
            for end in pair:
                end.transport.abort()
            self._open -= pair

    async def _send(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, commits: asyncio.Event) -> None:
        with suppress(ConnectionError):
            while sent := await reader.read(65536):
                if self.after_commits and sent.endswith(COMMIT):
                    self.after_commits -= 1
                    commits.set()
                writer.write(sent)
                await writer.drain()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, commits: asyncio.Event) -> None:
        with suppress(ConnectionError):
            while answered := await reader.read(65536):
                if commits.is_set():
                    self.cuts_after_commit.put_nowait(None)
                    return  # PostgreSQL has committed, and nobody hears of it
                writer.write(answered)
                await writer.drain()


@asynccontextmanager
async def cutting_proxy(server: str, folder: Path) -> AsyncIterator[CuttingProxy]:
    """Run a proxy to the PostgreSQL whose socket is in the folder `server`; its own socket is in `folder`."""
    folder.mkdir()
    proxy = CuttingProxy(server, folder)
    listener = await asyncio.start_unix_server(proxy.handle, folder / SOCKET)
    try:
        yield proxy
    finally:
        listener.close()
        proxy.cut()

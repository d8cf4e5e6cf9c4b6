"""A POST to a site, as a server passes it on: its client can leave before the response."""

import asyncio
from typing import Any

import orjson
from starlette.types import ASGIApp, Message


class AsgiRequest:
    """One request that runs as a task of its own. `status`, `headers` and `body` are those of its response."""

    def __init__(self, site: ASGIApp, document: str, **variables: object) -> None:
        self._site = site
        self._sent = orjson.dumps({"query": document, "variables": variables})
        self._left = asyncio.Event()
        self.status: int | None = None
        self.headers: dict[str, str] = {}
        self.body = b""
        self.task = asyncio.create_task(self._run())

    async def response(self) -> Any:  # noqa: ANN401 - JSON of any shape
        """Wait for the response. Return its JSON."""
        await self.task
        return orjson.loads(self.body)

    def leave(self) -> None:
        """Close the client's connection."""
        self._left.set()

    async def _run(self) -> None:
        is_read = False

        async def receive() -> Message:
            nonlocal is_read
            if not is_read:
                is_read = True
                return {"type": "http.request", "body": self._sent}
            await self._left.wait()
            return {"type": "http.disconnect"}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            self.body += message.get("body", b"")

        headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
        scope = {
            "type": "http",
            "http_version": "1.1",
            "scheme": "http",
            "method": "POST",
            "path": "/graphql",
            "raw_path": b"/graphql",
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 8000),
        }
        await self._site(scope, receive, send)

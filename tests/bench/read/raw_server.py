"""The baseline: Starlette and asyncpg with a hand-written endpoint for each query, on Accord's own HTTP stack.

A request contains only the variables, and the response is the JSON that PostgreSQL writes. The endpoints are plain ASGI
applications behind Starlette's routes, which is a little faster than its `Request` and `Response`.
"""

import os
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.bench.read.asgi_peer import open_pool, serve
from tests.bench.read.queries import DOCUMENTS

_PREFIX = len("contact_")
_HEADERS = (b"content-type", b"application/json; charset=utf-8"), (b"cache-control", b"no-store")


class Endpoint:
    """Responds to the requests of one path with the result of one statement, which is a file of a folder."""

    def __init__(
        self, key: str, parameters: Callable[[dict[str, Any]], tuple[object, ...]], folder: Path = DOCUMENTS / "raw"
    ) -> None:
        self.path = f"/{key}"
        self._statement = (folder / f"{key}.sql").read_text(encoding="utf-8")
        self._parameters = parameters
        self.pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to one request."""
        message = await receive()
        body: bytes = message["body"]
        while message["more_body"]:
            message = await receive()
            body += message["body"]
        if self.pool is None:
            raise RuntimeError("a request came before the pool was open")
        async with self.pool.acquire() as connection:
            data = await connection.fetchval(self._statement, *self._parameters(orjson.loads(body)))
        response = b'{"data":%b}' % data
        headers = [*_HEADERS, (b"content-length", b"%d" % len(response))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": response})


def queries() -> list[Endpoint]:
    """Return the endpoints of the four queries."""
    return [
        Endpoint("one_contact", lambda variables: (variables["id"][_PREFIX:],)),
        Endpoint("nested_page", lambda variables: (variables["after"][_PREFIX:],)),
        Endpoint("long_page", lambda variables: (variables["after"][_PREFIX:],)),
        Endpoint(
            "filtered_page",
            lambda variables: (datetime.fromisoformat(variables["from"]), datetime.fromisoformat(variables["to"])),
        ),
    ]


def application(dsn: str, endpoints: Sequence[Endpoint]) -> Starlette:
    """Return an application of these endpoints, which share one pool."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with open_pool(dsn) as pool:
            for endpoint in endpoints:
                endpoint.pool = pool
            yield

    return Starlette(
        routes=[Route(endpoint.path, endpoint, methods=["POST"]) for endpoint in endpoints], lifespan=lifespan
    )


if __name__ == "__main__":
    serve(application(os.environ["DATABASE_URL"], queries()))

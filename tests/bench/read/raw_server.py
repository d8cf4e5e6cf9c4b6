"""The limit: Starlette and asyncpg with a hand-written endpoint for each question, on Accord's own HTTP stack.

A request holds only what varies, and is answered with the bytes that PostgreSQL wrote. The endpoints are plain ASGI
behind Starlette's routes, which is a little faster than its `Request` and `Response`.
"""

import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import asyncpg
import orjson
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.bench.read.queries import DOCUMENTS

POOL = 10
_PREFIX = len("contact_")
_HEADERS = (b"content-type", b"application/json; charset=utf-8"), (b"cache-control", b"no-store")


class Endpoint:
    """Answers one question by one statement."""

    def __init__(self, key: str, read: Callable[[dict[str, Any]], tuple[object, ...]]) -> None:
        self.path = f"/{key}"
        self._statement = (DOCUMENTS / "raw" / f"{key}.sql").read_text(encoding="utf-8")
        self._read = read
        self.pool: asyncpg.Pool[asyncpg.Record] | None = None

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        message = await receive()
        body: bytes = message["body"]
        while message["more_body"]:
            message = await receive()
            body += message["body"]
        if self.pool is None:
            raise RuntimeError("asked before the pool was opened")
        async with self.pool.acquire() as connection:
            found = await connection.fetchval(self._statement, *self._read(orjson.loads(body)))
        answer = b'{"data":%b}' % found
        headers = [*_HEADERS, (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def application(dsn: str) -> Starlette:
    """The four endpoints on one pool."""
    endpoints = [
        Endpoint("one_contact", lambda asked: (asked["id"][_PREFIX:],)),
        Endpoint("nested_page", lambda asked: (asked["after"][_PREFIX:],)),
        Endpoint("long_page", lambda asked: (asked["after"][_PREFIX:],)),
        Endpoint(
            "filtered_page",
            lambda asked: (datetime.fromisoformat(asked["from"]), datetime.fromisoformat(asked["to"])),
        ),
    ]

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with asyncpg.create_pool(
            dsn,
            min_size=0,
            max_size=POOL,
            reset=_nothing,
            max_inactive_connection_lifetime=0,
            max_cached_statement_lifetime=0,
            server_settings={"jit": "off", "timezone": "UTC"},
        ) as pool:
            for each in endpoints:
                each.pool = pool
            yield

    return Starlette(routes=[Route(each.path, each, methods=["POST"]) for each in endpoints], lifespan=lifespan)


async def _nothing(_connection: object) -> None:
    """Reset nothing between statements that change nothing."""


if __name__ == "__main__":
    served = application(os.environ["DATABASE_URL"])
    uvicorn.run(served, port=int(sys.argv[1]), log_level="warning", access_log=False, server_header=False)

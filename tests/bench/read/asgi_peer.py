"""What the peers in Python share: the connection pool and the HTTP server, configured as Accord's."""

import os
import sys
import time
from typing import Any

import asyncpg
import uvicorn
from prometheus_client import Counter, Histogram
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POOL = 10
REQUESTS = Counter("requests", "Requests by path and status.", ("path", "status"))
SECONDS = Histogram("request_seconds", "How long requests took.", ("path",))


class RequestMetrics:
    """Counts and times requests, as the documentation of prometheus_client shows it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count it."""
        started, status = time.perf_counter(), 0

        async def send_and_note(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await self._app(scope, receive, send_and_note)
        if scope["type"] == "http":
            REQUESTS.labels(scope["path"], status).inc()
            SECONDS.labels(scope["path"]).observe(time.perf_counter() - started)


def open_pool(dsn: str) -> "asyncpg.pool.Pool[asyncpg.Record]":
    """Return a pool of at most ten connections that keep their prepared statements."""
    return asyncpg.create_pool(
        dsn,
        min_size=0,
        max_size=POOL,
        reset=_no_reset,
        max_inactive_connection_lifetime=0,
        max_cached_statement_lifetime=0,
        server_settings={"jit": "off", "timezone": "UTC"},
    )


async def _no_reset(_connection: Any) -> None:  # noqa: ANN401 - as asyncpg types it
    """Skip the reset of connections: the statements change no settings."""


def serve(application: Starlette) -> None:
    """Serve an application on the port that the command line names. OBSERVED=1: with an access log and metrics."""
    is_observed = os.environ.get("OBSERVED") == "1"
    if is_observed:
        application.add_middleware(RequestMetrics)
    uvicorn.run(
        application,
        port=int(sys.argv[1]),
        log_level="info" if is_observed else "warning",
        access_log=is_observed,
        server_header=False,
    )

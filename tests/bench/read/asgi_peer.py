"""What the peers in Python share: the connection pool and the HTTP server, configured as Accord's."""

import sys
from typing import Any

import asyncpg
import uvicorn
from starlette.applications import Starlette

POOL = 10


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
    """Serve an application on the port that the command line names."""
    uvicorn.run(application, port=int(sys.argv[1]), log_level="warning", access_log=False, server_header=False)

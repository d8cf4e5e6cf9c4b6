"""Whether the process lives, and whether it can answer questions."""

import asyncio

import asyncpg
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.db import Database
from api.sql import Sql
from api.web.state import database_of

_PATIENCE_SECONDS = 5


def health_routes() -> list[Route]:
    """Routes for whoever watches the process: a supervisor restarts on the first, a balancer waits for the second."""
    return [Route("/healthz", _alive), Route("/readyz", _ready)]


async def _alive(_request: Request) -> Response:
    return _reply({"status": "alive"}, 200)


async def _ready(request: Request) -> Response:
    problem = await what_is_missing(database_of(request))
    if problem is not None:
        return _reply({"status": "not ready", "problem": problem}, 503)
    return _reply({"status": "ready"}, 200)


async def what_is_missing(database: Database) -> str | None:
    """The first thing that keeps questions from being answered, in a sentence; None if there is nothing."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS), database.read() as session:
            if await session.value(Sql("select to_regclass('accord_version')")) is None:
                return "The database is not migrated. Run `accord migrate`."
            if not await session.value(Sql("select exists (select from accord_version where status = 'ACTIVE')")):
                return "No accord is in force. Run `accord init`, or import with a preset."
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        # The reason may name hosts and users; whoever runs the server finds it in the log of the failing requests.
        return "The database cannot be reached."
    return None


def _reply(content: dict[str, str], status: int) -> Response:
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store"})

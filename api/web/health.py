"""Whether the process lives, and whether it can answer questions."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.accord.in_force import accord_in_force
from api.db import FAILURES, Database
from api.errors import AccordError
from api.revisions import require_current
from api.web.database_provider import DatabaseOf

_PATIENCE_SECONDS = 5


def health_routes(database_of: DatabaseOf) -> list[Route]:
    """Routes for whoever watches the process: a supervisor restarts on the first, a balancer waits for the second."""

    async def ready(_request: Request) -> Response:
        problem = await what_is_missing(database_of())
        if problem is not None:
            return _reply({"status": "not ready", "problem": problem}, 503)
        return _reply({"status": "ready"}, 200)

    return [Route("/healthz", _alive), Route("/readyz", ready)]


async def _alive(_request: Request) -> Response:
    return _reply({"status": "alive"}, 200)


async def what_is_missing(database: Database) -> str | None:
    """The first thing that keeps questions from being answered, in a sentence; None if there is nothing."""
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await require_current(database)
            async with database.read() as session:
                await accord_in_force(session)
    except AccordError as missing:
        return str(missing)
    except FAILURES:
        # The reason may name hosts and users; whoever runs the server finds it in the log of the failing requests.
        return "The database cannot be reached."
    return None


def _reply(content: dict[str, str], status: int) -> Response:
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store"})

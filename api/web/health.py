"""Health checks: whether the process runs, and whether it can serve requests."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.accord.in_force import accord_in_force
from api.db import DATABASE_FAILURES, Database
from api.errors import AccordError
from api.revisions import require_compatible
from api.web.database_provider import DatabaseProvider

_TIMEOUT_SECONDS = 5


def health_routes(database_of: DatabaseProvider) -> list[Route]:
    """The routes `/healthz`, by which a supervisor restarts the process, and `/readyz`, for a load balancer."""

    async def ready(_request: Request) -> Response:
        problem = await readiness_problem(database_of())
        if problem is not None:
            return _response({"status": "not ready", "problem": problem}, 503)
        return _response({"status": "ready"}, 200)

    return [Route("/healthz", _alive), Route("/readyz", ready)]


async def _alive(_request: Request) -> Response:
    return _response({"status": "alive"}, 200)


async def readiness_problem(database: Database) -> str | None:
    """The first reason why requests cannot be served; None if there is none."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await require_compatible(database)
            async with database.read() as session:
                await accord_in_force(session)
    except AccordError as error:
        return str(error)
    except DATABASE_FAILURES:
        # The driver's message may contain hosts and users. The operator finds it in the log of the failing requests.
        return "The database cannot be reached."
    return None


def _response(content: dict[str, str], status: int) -> Response:
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store"})

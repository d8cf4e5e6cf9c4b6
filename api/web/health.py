"""Health checks: whether the process runs, and whether it can serve requests."""

import asyncio
from dataclasses import dataclass, field

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.accord.in_force import accord_in_force
from api.db import LOST_CONNECTION, Database, Outage, ReadReplica
from api.errors import AccordError
from api.revisions import require_compatible
from api.web.database_provider import DatabaseProvider

_TICK_SECONDS = 0.1
_TICKS = 15
"""How long `/readyz` waits for the database: so long as the event loop runs, and no request holds it up."""

HEALING_SECONDS = 60.0
"""How long the private PostgreSQL may be away until `/healthz` asks the supervisor to restart the process."""

_UNREACHABLE = "The database cannot be reached."
_DISK_FULL = "The disk of the database is full, so that it opens no connection."


@dataclass(slots=True)
class Health:
    """What health checks report of this process beside the database.

    With `owns_database` the process runs the private PostgreSQL, so that to restart the one restarts the other.
    """

    owns_database: bool = False
    is_stopping: bool = False
    outage: Outage | None = None
    replica: ReadReplica | None = None
    _check: "asyncio.Task[str | None] | None" = field(default=None, init=False)

    def alive(self) -> Response:
        """Whether the process should go on: a database of others that is away is no reason to restart it."""
        if self.outage is None or not self.outage.is_on:
            return _response({"status": "alive"}, 200)
        seconds = self.outage.seconds
        if self.owns_database and seconds > HEALING_SECONDS:
            problem = f"The private PostgreSQL has been away for {seconds:.0f} seconds. Restart the process."
            return _response({"status": "not healthy", "problem": problem}, 503)
        return _response({"status": "alive", "problem": _outage_problem(self.outage)}, 200)

    async def ready(self, database: Database) -> Response:
        """Whether a load balancer should send requests. It answers within two seconds, whatever hangs.

        A read replica that is away makes no server unready: its reads go to the primary.
        """
        problem = await self._problem(database)
        replica = {} if self.replica is None else {"replica": _replica_state(self.replica)}
        if problem is not None:
            return _response({"status": "not ready", "problem": problem, **replica}, 503)
        return _response({"status": "ready", **replica}, 200)

    async def _problem(self, database: Database) -> str | None:
        if self.is_stopping:
            return "The server is stopping."
        if database.outage.is_on:
            return _outage_problem(database.outage)
        # One check at a time, which all that ask meanwhile wait for. Nobody waits for a check that hangs to be
        # cancelled: the deadlines of the database end it.
        if self._check is None or self._check.done():
            self._check = asyncio.create_task(readiness_problem(database))
        for _ in range(_TICKS):
            if (await asyncio.wait({self._check}, timeout=_TICK_SECONDS))[0]:
                return self._check.result()
        return "The database does not answer in time."


def health_routes(database_of: DatabaseProvider, health: Health) -> list[Route]:
    """The routes `/healthz`, by which a supervisor restarts the process, and `/readyz`, for a load balancer."""

    async def alive(_request: Request) -> Response:
        return health.alive()

    async def ready(_request: Request) -> Response:
        return await health.ready(database_of())

    return [Route("/healthz", alive), Route("/readyz", ready)]


async def readiness_problem(database: Database) -> str | None:
    """The first reason why requests cannot be served; None if there is none."""
    spare = database.spare
    try:
        await require_compatible(spare)
        async with spare.read() as session:
            await accord_in_force(session)
    except AccordError as error:
        return str(error)
    except LOST_CONNECTION:
        # The driver's message may contain hosts and users. The log has it.
        return _UNREACHABLE
    return None


def _replica_state(replica: ReadReplica) -> str:
    if replica.is_read:
        return "ready" if replica.lag_seconds is None else f"ready, {replica.lag_seconds:.1f} seconds behind at most"
    return f"not read: {replica.problem or 'it cannot be reached'}"


def _response(content: dict[str, str], status: int) -> Response:
    return JSONResponse(content, status_code=status, headers={"Cache-Control": "no-store"})


def _outage_problem(outage: Outage) -> str:
    return _DISK_FULL if outage.is_of_full_disk else _UNREACHABLE

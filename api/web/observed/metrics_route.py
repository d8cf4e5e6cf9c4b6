"""`/metrics` for Prometheus."""

from collections.abc import Awaitable, Callable

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from api.errors import ErrorCode
from api.web.identification import Identify
from api.web.local_requests import is_local
from api.web.responses import HttpError
from schema.access.rights import AccessLevel

METRICS = "/metrics"

ReadMetrics = Callable[[], Awaitable[bytes]]
"""Returns the metrics in Prometheus's text format, with what they have of the database read anew."""


def metrics_route(read: ReadMetrics, identify: Identify) -> Route:
    """The route `/metrics`: open to this machine, to others with a credential of the level OPERATOR."""

    async def metrics(request: Request) -> Response:
        if not is_local(request.scope):
            who = await identify(request.scope)
            if not who.level.includes(AccessLevel.OPERATOR):
                raise HttpError(
                    403,
                    f"The metrics need the access level {AccessLevel.OPERATOR}; yours is {who.level}.",
                    "Use a key with that level, or have ACCORD_METRICS_ADDRESS set.",
                    code=ErrorCode.NOT_ALLOWED,
                )
        return await _response(read)

    return Route(METRICS, metrics)


def metrics_site(read: ReadMetrics) -> ASGIApp:
    """The application of an address that has nothing but the metrics, for whoever can reach it."""

    async def metrics(_request: Request) -> Response:
        return await _response(read)

    return Starlette(routes=[Route(METRICS, metrics)])


async def _response(read: ReadMetrics) -> Response:
    return Response(await read(), media_type=CONTENT_TYPE_LATEST, headers={"Cache-Control": "no-store"})

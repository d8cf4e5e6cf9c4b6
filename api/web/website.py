"""The ASGI application: its routes behind its middleware."""

from collections.abc import Iterable

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, StatelessLifespan

from api.graph.gateway import Gateway
from api.web.database_provider import DatabaseProvider
from api.web.endpoint import GraphQLEndpoint
from api.web.error_responses import ErrorMiddleware
from api.web.identification import Identify
from api.web.middleware import DirectRouteMiddleware, HostAndOriginMiddleware, SecurityHeadersMiddleware
from api.web.pages import static_routes
from api.web.responses import GraphQLResponse

PATH = "/graphql"


def build_site(
    gateway: Gateway,
    database_of: DatabaseProvider,
    identify: Identify,
    *,
    routes: Iterable[Route] = (),
    names: Iterable[str] = (),
    explains: bool = False,
    lifespan: StatelessLifespan[Starlette] | None = None,
) -> ASGIApp:
    """The ASGI application that serves a gateway at `/graphql`.

    `routes` are added beside the endpoint, and `names` are host names that are allowed beside loopback. With `explains`
    a response includes its execution plan on request, which is meant for development.
    """
    endpoint = GraphQLEndpoint(gateway, database_of, identify, explains=explains)
    pages = Starlette(
        routes=[Route(PATH, endpoint), *routes, Route("/", _redirect_to_graphql), *static_routes()],
        middleware=[Middleware(SecurityHeadersMiddleware), Middleware(ErrorMiddleware)],
        exception_handlers={HTTPException: _http_exception_response},
        lifespan=lifespan,
    )
    return HostAndOriginMiddleware(DirectRouteMiddleware(pages, PATH, endpoint), names)


async def _redirect_to_graphql(_request: Request) -> Response:
    return RedirectResponse(PATH, status_code=307)


async def _http_exception_response(request: Request, error: Exception) -> Response:
    """A JSON response to Starlette's own errors, such as 404, in the shape of a GraphQL error."""
    if not isinstance(error, HTTPException):
        raise error
    message = f"There is nothing at {request.url.path}" if error.status_code == 404 else error.detail
    body = orjson.dumps({"errors": [{"message": f"{message}. The API is at {PATH}."}]})
    response = GraphQLResponse(body, error.status_code)
    response.headers.update(error.headers or {})
    return response

"""The HTTP site: its routes behind its guards."""

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
from api.web.endpoint import Asker, GraphQLEndpoint
from api.web.error_responses import FaultBarrier
from api.web.middleware import DocumentHeaders, Gate, Shortcut
from api.web.pages import static_routes
from api.web.responses import GraphQLResponse

PATH = "/graphql"


def build_site(
    gateway: Gateway,
    asker_of: Asker,
    *,
    routes: Iterable[Route] = (),
    names: Iterable[str] = (),
    explains: bool = False,
    lifespan: StatelessLifespan[Starlette] | None = None,
) -> ASGIApp:
    """The ASGI application over a gateway; `routes` stand beside the endpoint, `names` are hosts beside loopback.

    Where it `explains`, an answer tells on request how it came about: for those who develop against it.
    """
    endpoint = GraphQLEndpoint(gateway, asker_of, explains=explains)
    pages = Starlette(
        routes=[Route(PATH, endpoint), *routes, Route("/", _to_graphql), *static_routes()],
        middleware=[Middleware(DocumentHeaders), Middleware(FaultBarrier)],
        exception_handlers={HTTPException: _plain},
        lifespan=lifespan,
    )
    return Gate(Shortcut(pages, PATH, endpoint), names)


async def _to_graphql(_request: Request) -> Response:
    return RedirectResponse(PATH, status_code=307)


async def _plain(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    message = f"There is nothing at {request.url.path}" if error.status_code == 404 else error.detail
    body = orjson.dumps({"errors": [{"message": f"{message}. The API is at {PATH}."}]})
    response = GraphQLResponse(body, error.status_code)
    response.headers.update(error.headers or {})
    return response

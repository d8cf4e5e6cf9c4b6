"""The HTTP site: its routes behind its guards."""

from collections.abc import Callable, Iterable

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import StatelessLifespan

from api.web.endpoint import GraphQLEndpoint
from api.web.faults import FaultBarrier
from api.web.guards import guards
from api.web.pages import static_routes
from api.web.refusals import graphql_response


def build_site(
    schema: strawberry.Schema,
    context_for: Callable[[Request], object],
    *,
    routes: Iterable[Route] = (),
    names: Iterable[str] = (),
    lifespan: StatelessLifespan[Starlette] | None = None,
) -> Starlette:
    """The ASGI application over a schema; `routes` stand beside the endpoint, `names` are hosts beside loopback."""
    return Starlette(
        routes=[
            *routes,
            Route("/", _to_graphql),
            Route("/graphql", GraphQLEndpoint(schema, context_for)),
            *static_routes(),
        ],
        middleware=[*guards(names), Middleware(FaultBarrier)],
        exception_handlers={HTTPException: _plain},
        lifespan=lifespan,
    )


async def _to_graphql(_request: Request) -> Response:
    return RedirectResponse("/graphql", status_code=307)


async def _plain(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    message = f"There is nothing at {request.url.path}." if error.status_code == 404 else error.detail
    return graphql_response({"errors": [{"message": f"{message} The API is at /graphql."}]}, error.status_code)

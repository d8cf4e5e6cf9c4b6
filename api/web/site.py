"""The HTTP site: its routes, its guards, and the last catch for whatever nothing else has caught."""

from collections.abc import Callable, Iterable

import strawberry
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import StatelessLifespan

from api.errors import AccordError, ErrorCode
from api.web.endpoint import GraphQLEndpoint
from api.web.faults import masked
from api.web.guards import guards
from api.web.pages import static_routes
from api.web.refusals import graphql_response, told

_STATUS = {
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.DATABASE_UNREACHABLE: 503,
    ErrorCode.DATABASE_OUTDATED: 503,
    ErrorCode.DATABASE_NEWER: 503,
}


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
        middleware=guards(names),
        exception_handlers={AccordError: _expected, HTTPException: _plain, Exception: _bug},
        lifespan=lifespan,
    )


async def _to_graphql(_request: Request) -> Response:
    return RedirectResponse("/graphql", status_code=307)


async def _expected(_request: Request, error: Exception) -> Response:
    if not isinstance(error, AccordError):
        raise error
    return graphql_response({"errors": [told(error)]}, _STATUS.get(error.code, 400))


async def _plain(request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    message = f"There is nothing at {request.url.path}." if error.status_code == 404 else error.detail
    return graphql_response({"errors": [{"message": f"{message} The API is at /graphql."}]}, error.status_code)


async def _bug(request: Request, error: Exception) -> Response:
    return graphql_response({"errors": [masked(error, f"{request.method} {request.url.path}")]}, 500)

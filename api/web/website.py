"""The ASGI application: its routes behind its middleware."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import orjson
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, StatelessLifespan

from api.errors import ErrorCode
from api.graph.gateway import Gateway
from api.network_names import Network
from api.traffic.traffic import Traffic
from api.web.compression import CompressionMiddleware
from api.web.cross_origin import CrossOriginMiddleware
from api.web.database_provider import DatabaseProvider, ReplicaProvider, no_replica
from api.web.endpoint import GraphQLEndpoint
from api.web.error_responses import ErrorMiddleware
from api.web.forwarded import ForwardedMiddleware
from api.web.host_names import HasCredentials, HostMiddleware
from api.web.identification import Identify
from api.web.middleware import DirectRouteMiddleware, SecurityHeadersMiddleware
from api.web.observed.request_log import NO_PLANS, RequestLogMiddleware, SlowRequests
from api.web.pages import ACCORD, ENDPOINT, GRAPHIQL, PageGuard, serve_to_everybody, static_routes
from api.web.responses import GraphQLResponse

_CODES = {404: ErrorCode.NOT_FOUND, 405: ErrorCode.METHOD_NOT_ALLOWED}


async def no_credentials() -> bool:
    """Return that there are no credentials: then the site serves loopback names only."""
    return False


@dataclass(frozen=True, slots=True)
class NetworkAccess:
    """From where the site can be used, beside this machine.

    `hosts` are names of the server, `origins` those of pages that may read responses, and `proxies` the networks whose
    `Forwarded` headers are true. Other hosts than loopback are served once real credentials exist.
    """

    hosts: Sequence[str] = ()
    origins: Sequence[str] = ()
    proxies: Sequence[Network] = ()
    has_credentials: HasCredentials = no_credentials


LOOPBACK_ONLY = NetworkAccess()


def build_site(
    gateway: Gateway,
    database_of: DatabaseProvider,
    identify: Identify,
    *,
    routes: Iterable[Route] = (),
    access: NetworkAccess = LOOPBACK_ONLY,
    guard: PageGuard = serve_to_everybody,
    traffic: Traffic | None = None,
    explains: bool = False,
    slow: SlowRequests = NO_PLANS,
    lifespan: StatelessLifespan[Starlette] | None = None,
    replica_of: ReplicaProvider = no_replica,
) -> ASGIApp:
    """The ASGI application that serves a gateway at `/graphql`, and the page of the accord at `/accord`.

    `routes` are added beside them. `guard` responds to browsers that open a page; `/graphql` in a browser is GraphiQL.
    `traffic` limits the requests at `/graphql`. With `explains` a response includes its execution plan on request; that
    is meant for development. `slow` says which requests the log warns of. Queries go to the read replica, if there is
    one.
    """

    async def graphiql(request: Request) -> Response:
        return await guard(request, GRAPHIQL)

    async def accord(request: Request) -> Response:
        return await guard(request, ACCORD)

    endpoint = GraphQLEndpoint(
        gateway, database_of, identify, page=graphiql, traffic=traffic, explains=explains, replica_of=replica_of
    )
    pages = Starlette(
        routes=[
            Route(ENDPOINT, endpoint),
            Route("/accord", accord),
            *routes,
            Route("/", _redirect_to_graphql),
            *static_routes(),
        ],
        middleware=[Middleware(SecurityHeadersMiddleware), Middleware(ErrorMiddleware)],
        exception_handlers={HTTPException: _http_exception_response},
        lifespan=lifespan,
    )
    coded = CompressionMiddleware(DirectRouteMiddleware(pages, ENDPOINT, endpoint))
    site: ASGIApp = CrossOriginMiddleware(coded, access.origins)
    site = HostMiddleware(site, access.hosts, access.has_credentials)
    if access.proxies:
        site = ForwardedMiddleware(site, access.proxies)
    return RequestLogMiddleware(site, pages.routes, slow)


async def _redirect_to_graphql(_request: Request) -> Response:
    return RedirectResponse(ENDPOINT, status_code=307)


async def _http_exception_response(request: Request, error: Exception) -> Response:
    """A JSON response to Starlette's own errors, such as 404, in the shape of a GraphQL error."""
    if not isinstance(error, HTTPException):
        raise error
    message = f"There is nothing at {request.url.path}" if error.status_code == 404 else error.detail
    code = _CODES.get(error.status_code, ErrorCode.BAD_REQUEST)
    body = orjson.dumps(
        {"errors": [{"message": f"{message}. The API is at {ENDPOINT}.", "extensions": {"code": code}}]}
    )
    response = GraphQLResponse(body, error.status_code)
    response.headers.update(error.headers or {})
    return response

"""The composition root of the server: settings in, ASGI application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp

from api.db import Database
from api.embedded import database_connection_url
from api.graph.contract import gateway
from api.settings import Settings
from api.web.database_provider import DatabaseHolder
from api.web.examples_route import examples_route
from api.web.health import health_routes
from api.web.identification import identify_local_operator
from api.web.website import NetworkAccess, build_site


def create_app(settings: Settings) -> ASGIApp:
    """Assemble the application. The database is opened when the server starts and closed when it stops."""
    holder = DatabaseHolder()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        # Starting the private server blocks the event loop, which serves no request yet.
        with database_connection_url(settings) as address:
            async with Database.open(address) as database:
                holder.database = database
                yield

    return build_site(
        gateway(),
        holder.get,
        identify_local_operator,
        routes=[examples_route(holder.get), *health_routes(holder.get)],
        access=NetworkAccess(settings.allowed_hosts, settings.allowed_origins, settings.trusted_proxies),
        explains=settings.is_loopback,
        lifespan=lifespan,
    )

"""The composition root of the server: settings in, ASGI application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp, Scope

from api.access.principal import EVERYONE, Principal
from api.db import Database
from api.embedded import database_address
from api.graph.contract import gateway
from api.settings import Settings
from api.web.database_provider import Opened
from api.web.examples_route import examples_route
from api.web.health import health_routes
from api.web.website import build_site


def create_app(settings: Settings) -> ASGIApp:
    """Put the site together; the database is opened when the server starts and closed when it ends."""
    opened = Opened()

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        # Starting the private server blocks; nothing is served yet that could wait for it.
        with database_address(settings) as address:
            async with Database.open(address) as database:
                opened.held = database
                yield

    def asker_of(_scope: Scope) -> tuple[Database, Principal]:
        return opened.database(), EVERYONE  # whoever is on this machine: there are no credentials yet

    return build_site(
        gateway(),
        asker_of,
        routes=[examples_route(opened.database), *health_routes(opened.database)],
        names=[settings.host],
        explains=settings.is_loopback,
        lifespan=lifespan,
    )

"""The composition root of the server: settings in, ASGI application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request

from api.access.principal import EVERYONE, Principal
from api.db import Database
from api.embedded import database_address
from api.graph.contract import gateway
from api.settings import Settings
from api.web.examples import examples_route
from api.web.health import health_routes
from api.web.state import database_of
from api.web.website import build_site


def create_app(settings: Settings) -> Starlette:
    """Put the site together; the database is opened when the server starts and closed when it ends."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        # Starting the private server blocks; nothing is served yet that could wait for it.
        with database_address(settings) as address:
            async with Database.open(address) as database:
                app.state.database = database
                yield

    return build_site(
        gateway(),
        _asker_of,
        routes=[examples_route(), *health_routes()],
        names=[settings.host],
        explains=settings.is_loopback,
        lifespan=lifespan,
    )


def _asker_of(request: Request) -> tuple[Database, Principal]:
    return database_of(request), EVERYONE  # whoever is on this machine: there are no credentials yet

"""The composition root of the server: settings in, ASGI application out."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.types import ASGIApp

from api.access.credentials.access_cache import AccessCache
from api.access.credentials.attempts import WrongAttempts
from api.access.credentials.key_lookup import ApiKeys
from api.access.credentials.key_uses import KeyUses
from api.db import Database
from api.embedded import database_connection_url
from api.graph.contract import gateway
from api.jobs.run_jobs import running_jobs
from api.settings import Settings
from api.web.database_provider import DatabaseHolder
from api.web.examples_route import examples_route
from api.web.health import health_routes
from api.web.identification import ApiKeyTokens, Identification
from api.web.website import NetworkAccess, build_site


def create_app(settings: Settings) -> ASGIApp:
    """Assemble the application. The database is opened when the server starts and closed when it stops."""
    holder, cache = DatabaseHolder(), AccessCache()
    keys, uses = ApiKeys(holder.get, cache), KeyUses(holder.get)
    identify = Identification(ApiKeyTokens(keys, uses, WrongAttempts(), keys.are_real), keys.are_real)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        # Starting the private server blocks the event loop, which serves no request yet.
        with database_connection_url(settings) as address:
            async with Database.open(address) as database, cache.listening(address):
                holder.database = database
                async with running_jobs(database):
                    yield
                await uses.finish()

    return build_site(
        gateway(),
        holder.get,
        identify,
        routes=[examples_route(holder.get, identify), *health_routes(holder.get)],
        access=NetworkAccess(settings.allowed_hosts, settings.allowed_origins, settings.trusted_proxies, keys.are_real),
        explains=settings.is_loopback,
        lifespan=lifespan,
    )

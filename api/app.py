"""The composition root of the server: settings in, ASGI application out."""

import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

from starlette.applications import Starlette
from starlette.types import ASGIApp

from api.access.credentials.access_cache import AccessCache
from api.access.credentials.attempts import WrongAttempts
from api.access.credentials.key_lookup import ApiKeys
from api.access.credentials.key_uses import KeyUses
from api.access.credentials.member_principals import MemberPrincipals
from api.access.credentials.page_sessions import SessionLimits
from api.db import Database
from api.embedded import database_connection_url
from api.graph.contract import gateway
from api.jobs.backlog import BacklogSampler
from api.jobs.run_jobs import running_jobs
from api.plan.explain_text import estimated_plan
from api.settings import Settings
from api.web.database_provider import DatabaseHolder, DatabaseProvider
from api.web.examples_route import examples_route
from api.web.health import health_routes
from api.web.identification import ApiKeyTokens, Identification
from api.web.observed.metrics_route import metrics_route
from api.web.observed.metrics_server import serving_metrics
from api.web.observed.request_log import SlowRequests
from api.web.sign_in.bearer_tokens import OidcBearerTokens
from api.web.sign_in.code_flow import CodeFlow
from api.web.sign_in.demo_sign_in import DemoSignIn
from api.web.sign_in.page_sessions import PageSessions
from api.web.sign_in.provider import OidcProvider
from api.web.sign_in.routes import SignIn
from api.web.website import NetworkAccess, build_site


@dataclass(frozen=True, slots=True)
class _Access:
    """Who is asking: what identifies requests, and where people sign in."""

    cache: AccessCache
    uses: KeyUses
    sessions: PageSessions
    identify: Identification
    sign_in: SignIn


def create_app(settings: Settings, metrics_listener: socket.socket | None = None) -> ASGIApp:
    """Assemble the application. The database is opened when the server starts and closed when it stops.

    With a `metrics_listener` the metrics are there, and not at the address of the server.
    """
    holder = DatabaseHolder()
    access = _access(settings, holder.get)

    sampler = BacklogSampler()

    async def sample() -> None:
        await sampler.sample(holder.get())

    async def plan_of(text: str, values: Sequence[object]) -> str:
        async with holder.get().read() as session:
            return await estimated_plan(session, text, values)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        # Starting the private server blocks the event loop, which serves no request yet.
        with database_connection_url(settings, revives=True) as address:
            async with (
                Database.open(address, kept_limits=settings.kept_limits) as database,
                access.cache.listening(address),
            ):
                holder.database = database
                await sample()  # clocks that differ are said at the start
                async with serving_metrics(metrics_listener, sample), running_jobs(database):
                    yield
                await access.uses.finish()
                await access.sessions.finish()

    return build_site(
        gateway(),
        holder.get,
        access.identify,
        routes=[
            examples_route(holder.get, access.identify),
            *health_routes(holder.get),
            *([metrics_route(sample, access.identify)] if settings.metrics_address is None else []),
            *access.sign_in.routes(),
        ],
        access=NetworkAccess(
            settings.allowed_hosts,
            settings.allowed_origins,
            settings.trusted_proxies,
            access.identify.has_credentials,
        ),
        guard=access.sign_in.guard,
        explains=settings.is_loopback,
        slow=SlowRequests(settings.slow_ms / 1_000, plan_of if settings.slow_plans else None),
        lifespan=lifespan,
    )


def _access(settings: Settings, database_of: DatabaseProvider) -> _Access:
    """Assemble identification and sign-in. A configured identity provider is a credential, as a key is."""
    cache, uses, oidc = AccessCache(), KeyUses(database_of), settings.oidc
    attempts = WrongAttempts()
    keys, members = ApiKeys(database_of, cache), MemberPrincipals(database_of, cache)

    async def has_credentials() -> bool:
        return oidc is not None or await keys.are_real()

    limits = SessionLimits(timedelta(hours=settings.session_idle_hours), timedelta(hours=settings.session_hours))
    sessions = PageSessions(database_of, keys, members, limits, has_credentials)
    key_tokens = ApiKeyTokens(keys, uses, attempts, has_credentials)
    without_session = Identification(key_tokens, has_credentials)
    identify = replace(without_session, sessions=sessions)
    sign_in = SignIn(sessions, key_tokens, without_session, members, attempts, DemoSignIn(keys, has_credentials))
    if oidc is not None:
        provider = OidcProvider(oidc.issuer)
        if oidc.audience is not None:
            identify = replace(identify, bearer_tokens=OidcBearerTokens(provider, oidc.audience, members, attempts))
        if oidc.client_id is not None:
            sign_in = replace(sign_in, code_flow=CodeFlow(provider, oidc, limits.total), provider_url=oidc.issuer)
    return _Access(cache, uses, sessions, identify, sign_in)

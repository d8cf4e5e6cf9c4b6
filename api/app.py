"""The composition root of the server: settings in, ASGI application out."""

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta

from starlette.applications import Starlette
from starlette.types import ASGIApp

from api.access.credentials.access_cache import AccessCache
from api.access.credentials.attempts import WrongAttempts
from api.access.credentials.key_lookup import ApiKeys
from api.access.credentials.key_uses import KeyUses
from api.access.credentials.member_principals import MemberPrincipals
from api.access.credentials.page_sessions import SessionLimits
from api.db import Database, ReadReplica, ReplicaOptions, WaitLimits
from api.embedded import database_connection_url
from api.graph.contract import gateway
from api.jobs.backlog import BacklogSampler
from api.jobs.run_jobs import running_jobs
from api.plan.explain_text import estimated_plan
from api.revisions import require_compatible
from api.settings import Settings
from api.telemetry.sampled import SAMPLED
from api.telemetry.worker_metrics import WorkerMetrics, published, text_of
from api.traffic.traffic import Traffic
from api.web.database_provider import DatabaseHolder, DatabaseProvider
from api.web.examples_route import examples_route
from api.web.health import Health, health_routes
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

FINISH_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Access:
    """Who is asking: what identifies requests, and where people sign in."""

    cache: AccessCache
    uses: KeyUses
    sessions: PageSessions
    identify: Identification
    sign_in: SignIn


@dataclass(frozen=True, slots=True)
class _Observer:
    """What the metrics and the log of slow requests read from the database."""

    database_of: DatabaseProvider
    workers: WorkerMetrics | None
    sampler: BacklogSampler = field(default_factory=BacklogSampler)

    async def sample(self) -> None:
        """Read what waits in the database, for the metrics."""
        await self.sampler.sample(self.database_of())

    async def metrics(self) -> bytes:
        """The text of the metrics, with what waits in the database read anew."""
        await self.sample()
        return text_of(self.workers)

    async def plan_of(self, text: str, values: Sequence[object]) -> str:
        """The estimated plan of a statement."""
        async with self.database_of().read() as session:
            return await estimated_plan(session, text, values)


# Identification and sign-in have connections of their own: they wait neither for a lane nor for whoever holds the
# connections of one.
_ACCESS_CONNECTIONS = 3
# How long a read waits for a lock, such as that of a table that a first import fills: as a unit of work does.
_READ_LOCK_MS = 1_200
# Every request waits for its identification, before its deadline runs.
_ACCESS_LIMITS = WaitLimits(5_000, _READ_LOCK_MS)


def _wait_limits(settings: Settings) -> WaitLimits:
    """PostgreSQL ends a statement after the deadline of its request, should this process be unable to."""
    return WaitLimits(math.ceil((settings.request_seconds + 1) * 1_000), _READ_LOCK_MS)


@asynccontextmanager
async def _open_replica(settings: Settings, primary: Database) -> AsyncIterator[ReadReplica | None]:
    """Open the read replica; None without one. Identification, sign-in, jobs and metrics use the primary alone."""
    if settings.database_url_read is None:
        yield None
        return
    options = ReplicaOptions(
        settings.database_url_read.get_secret_value(),
        settings.pool_size,
        settings.read_lag_seconds,
        _wait_limits(settings),
    )
    async with ReadReplica.open(options, primary, require_compatible) as replica:
        yield replica


@asynccontextmanager
async def _open_databases(settings: Settings, address: str) -> AsyncIterator[tuple[Database, Database]]:
    """Open the database of requests, and beside it a small one of identification and sign-in."""
    limits = _wait_limits(settings)
    async with (
        Database.open(
            address,
            size=settings.pool_size,
            kept_limits=settings.kept_limits,
            wait_limits=limits,
            direct=settings.direct_url,
        ) as database,
        Database.open(
            address,
            size=_ACCESS_CONNECTIONS,
            wait_limits=_ACCESS_LIMITS,
            outage=database.outage,
            pool_prefix="access_",
        ) as access_database,
    ):
        yield database, access_database


@asynccontextmanager
async def _opened(
    settings: Settings, holder: DatabaseHolder, access_holder: DatabaseHolder, access: _Access, health: Health
) -> AsyncIterator[Database]:
    """Open what the server reads and writes, and put it where requests look for it, as long as the block runs."""
    # Starting the private server blocks the event loop, which serves no request yet.
    with database_connection_url(settings, revives=True) as address:
        async with (
            _open_databases(settings, address) as (database, access_database),
            access.cache.listening(database),
            _open_replica(settings, database) as replica,
        ):
            holder.database, access_holder.database = database, access_database
            holder.replica = health.replica = replica
            health.outage = database.outage
            yield database
            with suppress(TimeoutError):  # who used what last is worth no longer wait
                async with asyncio.timeout(FINISH_SECONDS):
                    await access.uses.finish()
                    await access.sessions.finish()


def create_app(
    settings: Settings,
    health: Health | None = None,
    metrics_listener: socket.socket | None = None,
    *,
    workers: int = 1,
    worker_metrics: WorkerMetrics | None = None,
) -> ASGIApp:
    """Assemble the application. The database is opened when the server starts and closed when it stops.

    `health` is what its health checks report; whoever stops the server notes it there. `workers` is the number of
    processes that serve the same address: each has its share of the rate limit, and `worker_metrics` of all. With a
    `metrics_listener` the metrics are there, and not at the address of the server.
    """
    health = health or Health()
    health.owns_database = settings.database_url is None
    holder, access_holder = DatabaseHolder(), DatabaseHolder()
    access = _access(settings, access_holder.get)
    traffic = Traffic.of(settings, workers=workers)
    observer = _Observer(holder.get, worker_metrics)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with _opened(settings, holder, access_holder, access, health) as database:
            await observer.sample()  # clocks that differ are said at the start
            with SAMPLED.lanes(traffic.lanes.uses):
                async with (
                    serving_metrics(metrics_listener, observer.metrics),
                    running_jobs(database),
                    published(worker_metrics),
                ):
                    yield

    return build_site(
        gateway(),
        holder.get,
        access.identify,
        routes=[
            examples_route(holder.get, access.identify, traffic),
            *health_routes(holder.get, health),
            *([metrics_route(observer.metrics, access.identify)] if settings.metrics_address is None else []),
            *access.sign_in.routes(),
        ],
        access=NetworkAccess(
            settings.allowed_hosts,
            settings.allowed_origins,
            settings.trusted_proxies,
            access.identify.has_credentials,
        ),
        guard=access.sign_in.guard,
        traffic=traffic,
        explains=settings.is_loopback,
        slow=SlowRequests(settings.slow_ms / 1_000, observer.plan_of if settings.slow_plans else None),
        lifespan=lifespan,
        replica_of=holder.get_replica,
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

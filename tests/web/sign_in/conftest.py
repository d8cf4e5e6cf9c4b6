"""A site with sign-in, over a small schema and a real database."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

import httpx
import pytest

from api.access.credentials.access_cache import AccessCache
from api.access.credentials.attempts import WrongAttempts
from api.access.credentials.key_lookup import ApiKeys
from api.access.credentials.key_uses import KeyUses
from api.access.credentials.member_principals import MemberPrincipals
from api.access.credentials.page_sessions import SessionLimits
from api.db import Database
from api.graph.gateway import Gateway
from api.settings import OidcSettings
from api.web.identification import ApiKeyTokens, Identification
from api.web.sign_in.bearer_tokens import OidcBearerTokens
from api.web.sign_in.code_flow import CodeFlow
from api.web.sign_in.demo_sign_in import DemoSignIn
from api.web.sign_in.page_sessions import PageSessions
from api.web.sign_in.provider import OidcProvider
from api.web.sign_in.routes import SignIn
from api.web.website import NetworkAccess, build_site
from tests.support.oidc import AUDIENCE, ISSUER, SmallProvider
from tests.web.small_schema import Mutation, Query, small_gateway

LIMITS = SessionLimits(timedelta(hours=12), timedelta(days=7))
ORIGIN = "http://localhost:8000"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}

OpenClient = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@dataclass
class Site:
    """A site with its identity provider. `client()` opens an HTTP client, such as a browser's, with its own cookies."""

    database: Database
    provider: SmallProvider = field(default_factory=SmallProvider)
    has_provider: bool = False
    gateway: Gateway = field(default_factory=lambda: small_gateway(Query, Mutation))

    def __post_init__(self) -> None:
        cache, attempts = AccessCache(), WrongAttempts()
        keys = ApiKeys(lambda: self.database, cache)
        members = MemberPrincipals(lambda: self.database, cache)
        self.uses = KeyUses(lambda: self.database)

        async def has_credentials() -> bool:
            return self.has_provider or await keys.are_real()

        self.sessions = PageSessions(lambda: self.database, keys, members, LIMITS, has_credentials)
        tokens = ApiKeyTokens(keys, self.uses, attempts, has_credentials)
        without = Identification(tokens, has_credentials)
        provider = OidcProvider(ISSUER, transport=self.provider.transport)
        client = OidcSettings(ISSUER, AUDIENCE, "accord")
        bearer = OidcBearerTokens(provider, AUDIENCE, members, attempts)
        sign_in = SignIn(
            self.sessions,
            tokens,
            without,
            members,
            attempts,
            DemoSignIn(keys, has_credentials),
            code_flow=CodeFlow(provider, client, LIMITS.total) if self.has_provider else None,
            provider_url=ISSUER,
        )
        identify = Identification(tokens, has_credentials, bearer if self.has_provider else None, self.sessions)
        self.app = build_site(
            self.gateway,
            lambda: self.database,
            identify,
            routes=sign_in.routes(),
            access=NetworkAccess(
                hosts=["accord.example"], origins=["https://app.example"], has_credentials=has_credentials
            ),
            guard=sign_in.guard,
        )

    @asynccontextmanager
    async def client(
        self, *, base_url: str = ORIGIN, peer: tuple[str, int] = ("127.0.0.1", 50_000)
    ) -> AsyncIterator[httpx.AsyncClient]:
        """Open an HTTP client that keeps cookies and follows no redirect."""
        transport = httpx.ASGITransport(app=self.app, client=peer)
        async with httpx.AsyncClient(transport=transport, base_url=base_url) as client:
            yield client
        await self.sessions.finish()
        await self.uses.finish()


@pytest.fixture
def site(database: Database) -> Site:
    """A site without an identity provider."""
    return Site(database)


@pytest.fixture
def site_with_provider(database: Database) -> Site:
    """A site with an identity provider."""
    return Site(database, has_provider=True)


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the machine of the site."""
    async with site.client() as client:
        yield client

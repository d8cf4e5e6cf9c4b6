"""Identification: the principal that an HTTP request comes from.

The first credential that a request has decides:

1. `Authorization: Bearer accord_…` is an API key.
2. Any other bearer token belongs to the identity provider (`BearerTokens`).
3. A cookie belongs to a session of a page (`Sessions`).
4. Without a credential, the local operator serves requests of this machine, as long as there are no real credentials.

Credentials are never read from the address of a request: addresses are logged and kept.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol

from starlette.types import Scope

from api.access.credentials.attempts import WrongAttempts
from api.access.credentials.key_lookup import ApiKeys
from api.access.credentials.key_uses import KeyUses
from api.access.credentials.tokens import TOKEN_START, parse_token
from api.access.principal import LOCAL_OPERATOR, Principal
from api.errors import ErrorCode
from api.web.host_names import HasCredentials
from api.web.local_requests import is_local
from api.web.responses import HttpError
from schema.base import now

Identify = Callable[[Scope], Awaitable[Principal]]
"""Returns the principal of a request, given its ASGI scope. Errors: HttpError, such as NOT_AUTHENTICATED."""

_GET_A_KEY = "Ask an administrator for a key: `accord key create`."
CHALLENGE = {"WWW-Authenticate": "Bearer"}


class KeyTokens(Protocol):
    """Verifies API keys."""

    async def principal(self, token: str, scope: Scope) -> Principal:
        """Return the principal of an API key. Errors: HttpError 401 NOT_AUTHENTICATED; 429 TOO_MANY_ATTEMPTS."""


class BearerTokens(Protocol):
    """Verifies bearer tokens that are no API keys, such as access tokens of an identity provider (OIDC)."""

    async def principal(self, token: str, scope: Scope) -> Principal:
        """Return the principal of a token. Errors: HttpError 401 NOT_AUTHENTICATED; 429 TOO_MANY_ATTEMPTS."""


class Sessions(Protocol):
    """Finds the sessions of pages."""

    async def principal(self, scope: Scope) -> Principal | None:
        """Return the principal of the request's session.

        None if the request has no cookie of a session. Errors: HttpError 401 NOT_AUTHENTICATED if the session has
        ended; 403 or 400 for a request that may not be made by a cookie alone.
        """


async def identify_local_operator(_scope: Scope) -> Principal:
    """Return LOCAL_OPERATOR for every request: an `Identify` without credentials."""
    return LOCAL_OPERATOR


@dataclass(frozen=True, slots=True)
class Identification:
    """The `Identify` of a server: the principal of the first credential that a request has."""

    keys: KeyTokens
    has_credentials: HasCredentials
    bearer_tokens: BearerTokens | None = None
    sessions: Sessions | None = None

    async def __call__(self, scope: Scope) -> Principal:
        """Return the principal of a request. Errors: HttpError 401 NOT_AUTHENTICATED without a valid credential."""
        header = _authorization(scope)
        if header is not None:
            return await self._bearer(header, scope)
        if self.sessions is not None:
            principal = await self.sessions.principal(scope)
            if principal is not None:
                return principal
        if is_local(scope) and not await self.has_credentials():
            return LOCAL_OPERATOR
        raise not_authenticated(
            "The request has no credential.", "Send an API key: `Authorization: Bearer accord_…`, or sign in."
        )

    async def _bearer(self, header: str, scope: Scope) -> Principal:
        scheme, _, token = header.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token:
            raise not_authenticated(
                "The header `Authorization` has no bearer token.", "Write it as `Authorization: Bearer accord_…`."
            )
        if token.startswith(TOKEN_START):
            return await self.keys.principal(token, scope)
        if self.bearer_tokens is None:
            raise not_authenticated(
                "The bearer token is no API key of Accord, and no identity provider is configured.",
                f"Send an API key; it starts with `{TOKEN_START}`.",
            )
        return await self.bearer_tokens.principal(token, scope)


@dataclass(frozen=True, slots=True)
class ApiKeyTokens:
    """Verifies API keys: their checksum before any look-up, their secret in constant time."""

    keys: ApiKeys
    uses: KeyUses
    attempts: WrongAttempts
    has_credentials: HasCredentials

    async def principal(self, token: str, scope: Scope) -> Principal:
        """Return the principal of an API key.

        Errors: HttpError 401 NOT_AUTHENTICATED if it is malformed, wrong, revoked or expired, if its member was
                deactivated or has no access, or if it is a demo key and may not be used; 429 TOO_MANY_ATTEMPTS in place
                of 401 if too many wrong keys came from the address.
        """
        parsed = parse_token(token)
        if parsed is None:
            raise wrong_credential(
                self.attempts, scope, "The API key is malformed.", "Copy the whole token, as it was shown when made."
            )
        key = await self.keys.find(parsed.key_id)
        if key is None or not parsed.matches(key.secret_hash):
            raise wrong_credential(self.attempts, scope, "The API key is wrong.", _GET_A_KEY)
        problem = key.problem_at(now())
        if problem:
            raise not_authenticated(problem, _GET_A_KEY)
        if key.is_demo:
            await self._require_demo(scope)
        self.uses.note(key.id)
        return key.principal

    async def _require_demo(self, scope: Scope) -> None:
        """Check that demo keys may be used. Errors: NOT_AUTHENTICATED."""
        if not is_local(scope):
            raise not_authenticated("Demo keys work on the server's own machine only.", _GET_A_KEY)
        if await self.has_credentials():
            raise not_authenticated("Demo keys no longer work, because there are real credentials.", _GET_A_KEY)


def wrong_credential(attempts: WrongAttempts, scope: Scope, message: str, remedy: str) -> HttpError:
    """Count a wrong credential, and return the error for it: 401, or 429 if too many came from the address."""
    client = scope.get("client")
    wait = attempts.count(client[0] if client else "")
    if not wait:
        return not_authenticated(message, remedy)
    return HttpError(
        429,
        f"{message} Too many wrong credentials came from this address.",
        f"Wait {wait} second{'s' if wait > 1 else ''}. A right credential is accepted at any time.",
        code=ErrorCode.TOO_MANY_ATTEMPTS,
        headers={"Retry-After": str(wait)},
    )


def not_authenticated(message: str, remedy: str) -> HttpError:
    """Return the error for a request without a valid credential, with the challenge that HTTP requires."""
    return HttpError(401, message, remedy, code=ErrorCode.NOT_AUTHENTICATED, headers=CHALLENGE)


def _authorization(scope: Scope) -> str | None:
    """Return the header `Authorization`. Errors: NOT_AUTHENTICATED if there are several, of which one may be forged."""
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(found) > 1:
        raise not_authenticated("The request has several headers `Authorization`.", "Send one.")
    return found[0].decode("latin-1") if found else None

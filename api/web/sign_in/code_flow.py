"""Sign-in at the OpenID Connect provider: the authorization code flow with PKCE."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self
from urllib.parse import quote_plus, urlencode

from api.settings import OidcSettings
from api.web.sign_in.provider import OidcProvider
from api.web.sign_in.return_path import return_path
from api.web.sign_in.tokens import CLOCK_SKEW_SECONDS, TokenError, verified_claims, verified_email

ATTEMPT_SECONDS = 600
"""How long a person may take to sign in at the provider."""


class SignInError(Exception):
    """A sign-in at the provider failed. The message is for the log; the page only says that it failed."""


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """An unfinished sign-in: a secret in a cookie of the browser that began it, and the page to return to.

    State, nonce and PKCE verifier are derived from the secret, so that the server keeps nothing, and only the browser
    that began a sign-in can finish it.
    """

    secret: str = field(repr=False)
    return_to: str

    @classmethod
    def begin(cls, return_to: str) -> Self:
        """Begin a sign-in."""
        return cls(secrets.token_urlsafe(32), return_to)

    @classmethod
    def from_cookie(cls, value: str) -> Self:
        """Read the attempt from its cookie. Errors: SignInError if the cookie is malformed."""
        secret, _, path = value.partition(".")
        try:
            decoded = base64.urlsafe_b64decode(path).decode()
        except ValueError as error:
            raise SignInError("the cookie of the sign-in is malformed") from error
        if len(secret) < len(secrets.token_urlsafe(32)):
            raise SignInError("the cookie of the sign-in is malformed")
        return cls(secret, return_path(decoded))

    @property
    def cookie(self) -> str:
        """The attempt as the value of a cookie."""
        return f"{self.secret}.{base64.urlsafe_b64encode(self.return_to.encode()).decode()}"

    @property
    def state(self) -> str:
        """What the provider sends back, by which the browser is recognised."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """What the ID token repeats, so that it belongs to this sign-in."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """The PKCE verifier, without which nobody can redeem the code."""
        return self._derived("verifier")

    @property
    def challenge(self) -> str:
        """The PKCE challenge: the SHA-256 of the verifier."""
        return _base64url(hashlib.sha256(self.verifier.encode()).digest())

    def _derived(self, purpose: str) -> str:
        return _base64url(hmac.digest(self.secret.encode(), purpose.encode(), "sha256"))


@dataclass(frozen=True, slots=True)
class SignedInPerson:
    """Who signed in at the provider, and when they proved it there."""

    email: str
    signed_in_at: datetime


class CodeFlow:
    """The code flow of one client. `longest` is how long ago a person may have signed in at the provider."""

    def __init__(self, provider: OidcProvider, client: OidcSettings, longest: timedelta) -> None:
        if client.client_id is None:
            raise ValueError("the code flow needs a client id")
        self._provider = provider
        self._client_id = client.client_id
        self._secret = client.client_secret
        self._longest = longest

    async def authorization_url(self, attempt: SignInAttempt, redirect_uri: str, *, is_again: bool = False) -> str:
        """The URL at which a person signs in. With `is_again` the provider makes them prove anew who they are, as a
        signature needs it. Errors: ProviderError.
        """
        metadata = await self._provider.metadata()
        parameters = {
            "response_type": "code",
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": attempt.challenge,
            "code_challenge_method": "S256",
            # The provider then says when the person signed in there.
            "max_age": str(int(self._longest.total_seconds())),
        }
        if is_again:
            parameters["prompt"] = "login"
        joint = "&" if "?" in metadata.authorization_endpoint else "?"
        return f"{metadata.authorization_endpoint}{joint}{urlencode(parameters)}"

    async def finish(self, attempt: SignInAttempt, sent: Mapping[str, str], redirect_uri: str) -> SignedInPerson:
        """Redeem the code that the provider sent back, and return who signed in.

        Errors: SignInError if the person or the provider refused, or a check failed; ProviderError.
        """
        metadata = await self._provider.metadata()
        if not hmac.compare_digest(sent.get("state", "").encode(), attempt.state.encode()):
            raise SignInError("the state is not that of this browser's sign-in")
        issuer = sent.get("iss")
        if (issuer is not None or metadata.names_itself) and issuer != self._provider.issuer:
            raise SignInError(f"the response is from the issuer {issuer!a}")
        if "code" not in sent:
            raise SignInError(f"the provider sent no code but the error {sent.get('error', '')[:80]!a}")
        answer = await self._redeem(attempt, sent["code"], redirect_uri, metadata.token_endpoint)
        try:
            claims = await self._id_claims(attempt, answer)
            if "email" not in claims:
                claims = claims | await self._user_info(answer, str(claims["sub"]), metadata.userinfo_endpoint)
            return SignedInPerson(verified_email(claims), self._signed_in_at(claims))
        except TokenError as error:
            raise SignInError(f"the ID token is refused: {error}") from error

    async def _redeem(
        self, attempt: SignInAttempt, code: str, redirect_uri: str, token_endpoint: str
    ) -> Mapping[str, Any]:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": attempt.verifier,
        }
        headers: dict[str, str] = {}
        methods = (await self._provider.metadata()).token_auth_methods
        if self._secret is None:
            form["client_id"] = self._client_id
        elif "client_secret_basic" in methods or "client_secret_post" not in methods:
            pair = f"{quote_plus(self._client_id)}:{quote_plus(self._secret.get_secret_value())}"
            headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        else:
            form |= {"client_id": self._client_id, "client_secret": self._secret.get_secret_value()}
        return await self._provider.request("POST", token_endpoint, form=form, headers=headers)

    async def _id_claims(self, attempt: SignInAttempt, answer: Mapping[str, Any]) -> dict[str, Any]:
        """The claims of the ID token, which has to be for this client and this sign-in."""
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise SignInError("the provider sent no ID token")
        claims = await verified_claims(self._provider, token, self._client_id)
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), attempt.nonce.encode()):
            raise TokenError("its nonce is not that of this sign-in")
        if claims.get("azp", self._client_id) != self._client_id:
            raise TokenError("it was issued to another client")
        return claims

    async def _user_info(self, answer: Mapping[str, Any], subject: str, endpoint: str | None) -> dict[str, Any]:
        """The e-mail address from the provider's UserInfo endpoint: many providers leave it out of the ID token."""
        token = answer.get("access_token")
        if endpoint is None or not isinstance(token, str):
            return {}
        found = await self._provider.request("GET", endpoint, headers={"Authorization": f"Bearer {token}"})
        if found.get("sub") != subject:
            raise SignInError("the UserInfo endpoint responded with another person")
        return {name: found[name] for name in ("email", "email_verified") if name in found}

    def _signed_in_at(self, claims: Mapping[str, Any]) -> datetime:
        """When the person signed in at the provider; now if it does not say.

        Errors: TokenError if that is too long ago.
        """
        current = datetime.now(UTC)
        stated = claims.get("auth_time")
        if isinstance(stated, bool) or not isinstance(stated, int | float):
            return current
        try:
            signed_in_at = datetime.fromtimestamp(stated, UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise TokenError("its auth_time is not a time") from error
        if signed_in_at < current - self._longest - timedelta(seconds=CLOCK_SKEW_SECONDS):
            raise TokenError("the person signed in at the provider too long ago")
        return min(signed_in_at, current)


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

"""The OpenID Connect provider: its discovery document, its keys, and the requests that Accord sends to it."""

import asyncio
import json
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from api.network_names import is_confidential_url
from api.web.sign_in.cached_document import CachedDocument, ProviderError

PublicKey = RSAKey | ECKey | OKPKey

KEY_TYPES = {
    "RS256": "RSA", "RS384": "RSA", "RS512": "RSA",
    "PS256": "RSA", "PS384": "RSA", "PS512": "RSA",
    "ES256": "EC", "ES384": "EC", "ES512": "EC",
    "EdDSA": "OKP", "Ed25519": "OKP",
}  # fmt: skip
"""The signature algorithms that tokens may have, with the type of their key. All are asymmetric."""

_DISCOVERY_PATH = "/.well-known/openid-configuration"
_TIMEOUT_SECONDS = 5.0  # for each step, such as connecting
_LONGEST_SECONDS = 10.0  # for the whole response, however slowly it comes
_MOST_BYTES = 256 * 1024  # of a response; discovery documents and key sets have a few kilobytes
_MOST_KEYS = 100


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """What the discovery document says: where the endpoints are, and how a client authenticates."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str | None
    token_auth_methods: tuple[str, ...]
    names_itself: bool
    """Whether its redirects back to us name the issuer (RFC 9207)."""


class OidcProvider:
    """The provider of one issuer. `transport` replaces the network in tests."""

    def __init__(
        self,
        issuer: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.issuer = issuer
        self._transport = transport
        self._metadata = CachedDocument(self._fetch_metadata, clock)
        self._keys = CachedDocument(self._fetch_keys, clock)

    async def metadata(self) -> ProviderMetadata:
        """The discovery document. Errors: ProviderError."""
        return await self._metadata.get()

    async def key(self, key_id: str | None, algorithm: str) -> PublicKey | None:
        """The public key that a token names; None if the provider has no such key, or several.

        A key that is not known is looked for once more at the provider, at most once a minute: it may be new.
        Errors: ProviderError.
        """
        found = _fitting_key(await self._keys.get(), key_id, algorithm)
        return found or _fitting_key(await self._keys.newer(), key_id, algorithm)

    async def request(
        self,
        method: str,
        url: str,
        *,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """Send a request and return the JSON object of the response. Redirects are not followed.

        Errors: ProviderError if there is no response within seconds, or it is no success, too large or no JSON object.
        """
        accepting = {"Accept": "application/json", **(headers or {})}
        try:
            async with (
                asyncio.timeout(_LONGEST_SECONDS),
                httpx.AsyncClient(transport=self._transport, timeout=_TIMEOUT_SECONDS) as client,
                client.stream(method, url, data=form, headers=accepting) as response,
            ):
                body = await _bounded_body(response)
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as error:
            raise ProviderError(f"{method} {url}: {str(error) or type(error).__name__}") from error
        if not response.is_success:
            raise ProviderError(f"{method} {url}: status {response.status_code} {_error_code(body)}")
        found = _json_object(body)
        if found is None:
            raise ProviderError(f"{method} {url}: the response is not a JSON object")
        return found

    async def _fetch_metadata(self) -> ProviderMetadata:
        document = await self.request("GET", self.issuer.rstrip("/") + _DISCOVERY_PATH)
        if document.get("issuer") != self.issuer:
            raise ProviderError(f"the discovery document is of the issuer {document.get('issuer')!a}")
        methods = document.get("token_endpoint_auth_methods_supported")
        return ProviderMetadata(
            authorization_endpoint=self._endpoint(document, "authorization_endpoint"),
            token_endpoint=self._endpoint(document, "token_endpoint"),
            jwks_uri=self._endpoint(document, "jwks_uri"),
            userinfo_endpoint=self._endpoint(document, "userinfo_endpoint")
            if document.get("userinfo_endpoint")
            else None,
            token_auth_methods=tuple(map(str, methods)) if isinstance(methods, list) else ("client_secret_basic",),
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )

    def _endpoint(self, document: Mapping[str, Any], name: str) -> str:
        url = document.get(name)
        if not isinstance(url, str) or not is_confidential_url(url):
            raise ProviderError(f"{name} of the discovery document is not an https URL: {url!a}")
        return url

    async def _fetch_keys(self) -> Sequence[PublicKey]:
        metadata = await self.metadata()
        document = await self.request("GET", metadata.jwks_uri)
        keys = document.get("keys")
        if not isinstance(keys, list):
            raise ProviderError("the key set has no list of keys")
        return [key for key in map(_public_key, keys[:_MOST_KEYS]) if key is not None]


def _public_key(declared: object) -> PublicKey | None:
    """A key of the set; None if Accord cannot use it, such as one for encryption or of a newer kind."""
    if not isinstance(declared, dict) or declared.get("use", "sig") != "sig":
        return None
    if declared.get("kty") not in KEY_TYPES.values():
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)
        try:
            key = JWKRegistry.import_key(declared)
        except (JoseError, ValueError, TypeError, KeyError):
            return None
    return key if isinstance(key, RSAKey | ECKey | OKPKey) else None


def _fitting_key(keys: Sequence[PublicKey], key_id: str | None, algorithm: str) -> PublicKey | None:
    """The one key that a token with this header may be signed with."""
    fitting = [
        key
        for key in keys
        if key.key_type == KEY_TYPES[algorithm] and key.alg in (None, algorithm) and key_id in (None, key.get("kid"))
    ]
    return fitting[0] if len(fitting) == 1 else None


async def _bounded_body(response: httpx.Response) -> bytes:
    body = b""
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise ProviderError(f"{response.url}: the response is larger than {_MOST_BYTES // 1024} KiB")
    return body


def _json_object(body: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def _error_code(body: bytes) -> str:
    """The error that OAuth names, such as invalid_grant. Its description may have values that the log must not have."""
    found = _json_object(body) or {}
    return ascii(found["error"])[:80] if isinstance(found.get("error"), str) else ""

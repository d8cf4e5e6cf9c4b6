"""An OpenID Connect provider in this process: its documents over ASGI, and tokens that it signs."""

import warnings
from collections.abc import Mapping
from datetime import timedelta
from time import time
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ISSUER = "https://login.example"
AUDIENCE = "https://accord.example/graphql"

RSA = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "ec", "use": "sig"})
ED = OKPKey.generate_key("Ed25519", {"kid": "ed", "use": "sig"})
OTHER = RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"})  # of somebody else, under a known id


class SmallProvider:
    """Serves a discovery document and a key set, and counts how often each is read."""

    def __init__(self) -> None:
        self.keys: list[RSAKey | ECKey | OKPKey] = [RSA, EC, ED]
        self.metadata: dict[str, Any] = {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/auth",
            "token_endpoint": f"{ISSUER}/token",
            "jwks_uri": f"{ISSUER}/jwks",
            "userinfo_endpoint": f"{ISSUER}/me",
            "authorization_response_iss_parameter_supported": True,
        }
        self.answers: dict[str, Any] = {"/token": {}, "/me": {}}
        self.reads = {"metadata": 0, "keys": 0}
        self.is_down = False
        self.forms: list[tuple[Mapping[str, str], str]] = []
        self.transport = httpx.ASGITransport(
            Starlette(
                routes=[
                    Route("/.well-known/openid-configuration", self._show_metadata),
                    Route("/jwks", self._show_keys),
                    Route("/token", self._redeem, methods=["POST"]),
                    Route("/me", self._show_person),
                ]
            )
        )

    async def _show_metadata(self, _request: Request) -> Response:
        self.reads["metadata"] += 1
        return JSONResponse(self.metadata, 503 if self.is_down else 200)

    async def _show_keys(self, _request: Request) -> Response:
        self.reads["keys"] += 1
        return JSONResponse({"keys": [key.as_dict(private=False) for key in self.keys]}, 503 if self.is_down else 200)

    async def _redeem(self, request: Request) -> Response:
        form = dict(httpx.QueryParams((await request.body()).decode()))
        self.forms.append((form, request.headers.get("authorization", "")))
        return JSONResponse(self.answers["/token"])

    async def _show_person(self, _request: Request) -> Response:
        return JSONResponse(self.answers["/me"])


def claims(**changed: object) -> dict[str, Any]:
    """The claims of a good token, with changes. A claim that is None is left out; a timedelta counts from now.

    A test that is collected may run minutes later, so that its parameters cannot be instants.
    """
    good: dict[str, Any] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "ada",
        "iat": int(time()),
        "exp": int(time()) + 300,
        "email": "ada@acme.example",
        "email_verified": True,
    }
    return {
        name: int(time() + value.total_seconds()) if isinstance(value, timedelta) else value
        for name, value in {**good, **changed}.items()
        if value is not None
    }


def signed(
    payload: Mapping[str, Any],
    key: RSAKey | ECKey | OKPKey = RSA,
    algorithm: str = "RS256",
    **header: object,
) -> str:
    """A signed token. Its header names the key, and has what else is given; what is None is left out."""
    parts = {"alg": algorithm, "kid": key.get("kid"), "typ": "JWT", **header}
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    named = {name: value for name, value in parts.items() if value is not None}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SecurityWarning)  # of EdDSA's former name
        return jwt.encode(named, dict(payload), key, registry=registry, default_type=None)

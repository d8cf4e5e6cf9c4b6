"""Checks of the signed tokens (JWT) that the OpenID Connect provider issues."""

import json
import warnings
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError, SecurityWarning
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry
from joserfc.util import urlsafe_b64decode

from api.web.sign_in.provider import KEY_TYPES, OidcProvider
from schema.formats import read_email

CLOCK_SKEW_SECONDS = 60
"""By how much the clocks of the provider and of this server may differ."""

_MOST_TOKEN_BYTES = 16 * 1024
# Tokens of other kinds are signed with the same keys, such as those that end a session; they say so in `typ`.
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt", "application/jwt"})


class TokenError(Exception):
    """A token is not accepted. The message is for the log: a caller must not learn which check failed."""


async def verified_claims(provider: OidcProvider, token: str, audience: str) -> dict[str, Any]:
    """The claims of a token that the provider signed for an audience, and that is valid now.

    Errors: TokenError with the reason; ProviderError if the provider's keys cannot be read.
    """
    if len(token) > _MOST_TOKEN_BYTES:
        raise TokenError(f"it is longer than {_MOST_TOKEN_BYTES // 1024} KiB")
    header = _header(token)
    algorithm = header.get("alg")
    # From this list alone, before any key is chosen: `none`, and HS256 with the public key as its secret, end here.
    if algorithm not in KEY_TYPES:
        raise TokenError(f"the algorithm {algorithm!a} is not allowed")
    if str(header.get("typ", "JWT")).lower() not in _TYPES:
        raise TokenError(f"it is of the type {header['typ']!a}")
    key_id = header.get("kid")
    if key_id is not None and not isinstance(key_id, str):
        raise TokenError("its key id is not a text")
    key = await provider.key(key_id, algorithm)
    if key is None:
        raise TokenError(f"the provider has no key {key_id!a} for {algorithm}")
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    registry.max_header_length = _MOST_TOKEN_BYTES  # some providers put certificates into the header
    expected = JWTClaimsRegistry(
        leeway=CLOCK_SKEW_SECONDS,
        iss={"essential": True, "value": provider.issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
        sub={"essential": True},
    )
    with warnings.catch_warnings():
        # RFC 9864 renames EdDSA to Ed25519; most providers still sign under the former name.
        warnings.simplefilter("ignore", SecurityWarning)
        try:
            claims = jwt.decode(token, key, registry=registry).claims
            expected.validate(claims)
        except (JoseError, ValueError) as error:
            raise TokenError(str(error)) from error
    return claims


def verified_email(claims: Mapping[str, Any]) -> str:
    """The e-mail address of the claims, as members' addresses are stored. Errors: TokenError if it is not verified."""
    email = claims.get("email")
    if not isinstance(email, str):
        raise TokenError("it has no e-mail address")
    if claims.get("email_verified") is not True:
        raise TokenError("its e-mail address is not verified")
    try:
        found = read_email(email)
    except ValueError as error:
        raise TokenError(f"its e-mail address {error}") from error
    # Other letters than ASCII's can become ASCII in lower case (the Kelvin sign: k), and so another person's address.
    if found != email.lower() or found.isascii() != email.isascii():
        raise TokenError("its e-mail address is not written as a plain address")
    return found


def _header(token: str) -> dict[str, Any]:
    """The header of a token, not verified. Errors: TokenError if the text is not a signed token."""
    parts = token.split(".")
    if len(parts) != 3:
        raise TokenError("it is not a signed token")
    try:
        found = json.loads(urlsafe_b64decode(parts[0].encode("ascii")))
    except ValueError as error:
        raise TokenError("its header cannot be read") from error
    if not isinstance(found, dict):
        raise TokenError("its header is not an object")
    return found

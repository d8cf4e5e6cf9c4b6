"""Bearer tokens of the identity provider: which are accepted, and that nothing else is."""

import asyncio
import base64
import hmac
import json
import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from api.access.credentials.access_cache import AccessCache
from api.access.credentials.attempts import AT_ONCE, WrongAttempts
from api.access.credentials.grants import Grant
from api.access.credentials.member_principals import MemberPrincipals
from api.access.principal import Principal
from api.db import Database
from api.sql import Sql
from api.web.responses import HttpError
from api.web.sign_in.bearer_tokens import OidcBearerTokens
from api.web.sign_in.cached_document import FRESH_SECONDS, REFETCH_SECONDS, STALE_SECONDS, ProviderError
from api.web.sign_in.provider import OidcProvider
from api.web.sign_in.tokens import TokenError, verified_claims, verified_email
from schema.access.rights import AccessLevel, Reach, Right
from tests.support.api_keys import EVERYTHING, stored_member
from tests.support.oidc import AUDIENCE, EC, ED, ISSUER, OTHER, RSA, SmallProvider, claims, signed


class Clock:
    """A clock that only the test moves."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def small_provider() -> SmallProvider:
    return SmallProvider()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def provider(small_provider: SmallProvider, clock: Clock) -> OidcProvider:
    return OidcProvider(ISSUER, transport=small_provider.transport, clock=clock)


async def member(database: Database, email: str, grant: Grant | None = EVERYTHING) -> UUID:
    """Store a member with an address."""
    id_ = await stored_member(database, grant)
    async with database.write() as session:
        await session.run(Sql("update member_access set email = {} where member_id = {}", email, id_))
    return id_


def bearer_tokens(provider: OidcProvider, database: Database) -> OidcBearerTokens:
    members = MemberPrincipals(lambda: database, AccessCache())
    return OidcBearerTokens(provider, AUDIENCE, members, WrongAttempts())


def unsigned(payload: dict[str, Any], header: dict[str, Any], signature: str = "") -> str:
    parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, payload))
    return ".".join((*parts, signature))


def signed_with_public_key(payload: dict[str, Any]) -> str:
    """A token whose HMAC has the public key as its secret, which everybody knows."""
    text = unsigned(payload, {"alg": "HS256", "kid": "rsa"}).removesuffix(".")
    digest = hmac.digest(RSA.as_pem(private=False), text.encode(), "sha256")
    return f"{text}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


async def test_a_token_stands_for_the_member_with_its_verified_address(
    provider: OidcProvider, database: Database
) -> None:
    id_ = await member(database, "ada@acme.example")
    tokens = bearer_tokens(provider, database)
    for key, algorithm in ((RSA, "RS256"), (RSA, "PS512"), (EC, "ES256"), (ED, "EdDSA"), (ED, "Ed25519")):
        principal = await tokens.principal(signed(claims(email="Ada@ACME.example"), key, algorithm), {})
        assert principal == Principal(Reach.ALL, id_, AccessLevel.ADMIN, frozenset(Right), "Ada")


@pytest.mark.parametrize(
    "changed",
    [
        {"aud": [AUDIENCE, "https://other.example"]},
        {"exp": timedelta(seconds=-50)},  # within the skew of clocks
        {"nbf": timedelta(seconds=50), "iat": timedelta(seconds=50)},
    ],
)
async def test_several_audiences_and_skewed_clocks_are_accepted(
    provider: OidcProvider, changed: dict[str, Any]
) -> None:
    assert (await verified_claims(provider, signed(claims(**changed)), AUDIENCE))["sub"] == "ada"


async def test_a_header_may_be_long_and_have_more_than_the_standard_has(provider: OidcProvider) -> None:
    token = signed(claims(), x5c=["A" * 3000], typ="at+jwt", nonce="of Microsoft")
    assert (await verified_claims(provider, token, AUDIENCE))["sub"] == "ada"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"exp": timedelta(seconds=-70)}, "expired"),
        ({"exp": None}, "exp"),
        ({"exp": "tomorrow"}, "exp"),
        ({"nbf": timedelta(seconds=90)}, "not yet valid"),
        ({"iat": timedelta(seconds=90)}, "future"),
        ({"aud": "https://other.example"}, "aud"),
        ({"aud": None}, "aud"),
        ({"aud": [AUDIENCE + "/"]}, "aud"),
        ({"iss": "https://login.example/"}, "iss"),
        ({"iss": None}, "iss"),
        ({"sub": None}, "sub"),
    ],
)
async def test_claims_that_do_not_hold_are_refused(
    provider: OidcProvider, changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(TokenError, match=reason):
        await verified_claims(provider, signed(claims(**changed)), AUDIENCE)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        (unsigned(claims(), {"alg": "none"}), "'none' is not allowed"),
        (unsigned(claims(), {"alg": "None", "kid": "rsa"}), "not allowed"),
        (unsigned(claims(), {"alg": "RS256", "kid": "rsa"}), "bad_signature"),
        (unsigned(claims(), {"kid": "rsa"}), "not allowed"),
        (signed_with_public_key(claims()), "'HS256' is not allowed"),
        (signed(claims(), OTHER), "bad_signature"),
        (signed(claims(), OTHER, jwk=OTHER.as_dict(private=False)), "bad_signature"),
        (signed(claims(), OTHER, jku="https://evil.example/jwks"), "bad_signature"),
        (signed(claims(), RSA, kid="unknown"), "no key 'unknown'"),
        (signed(claims(), RSA, kid="ec"), "no key 'ec'"),
        (signed(claims(), RSA, typ="logout+jwt"), "logout"),
        (unsigned(claims(), {"alg": "RS256", "kid": 7}), "key id"),
        (unsigned(claims(), {"alg": "RS256", "kid": "rsa", "crit": ["b64"]}), "crit"),
        (signed(claims(email="x" * 20_000)), "longer"),
        ("", "signed token"),
        ("a.b.c", "header"),
        ("W10.W10.W10", "object"),
        ("ä.b.c", "header"),
    ],
)  # fmt: skip
async def test_forged_and_malformed_tokens_are_refused(provider: OidcProvider, token: str, reason: str) -> None:
    with pytest.raises(TokenError, match=reason):
        await verified_claims(provider, token, AUDIENCE)


GOOD = signed(claims(exp=timedelta(days=1)))


@settings(max_examples=200, deadline=None)
@given(position=st.integers(0, len(GOOD) - 1), letter=st.sampled_from("AZaz09-_.=é\0"))
async def test_no_token_with_another_letter_is_accepted(position: int, letter: str) -> None:
    provider = OidcProvider(ISSUER, transport=SmallProvider().transport)
    changed = GOOD[:position] + letter + GOOD[position + 1 :]
    if changed != GOOD:
        with pytest.raises(TokenError):
            await verified_claims(provider, changed, AUDIENCE)


@pytest.mark.parametrize(
    "changed",
    [
        {"email": None},
        {"email": ["ada@acme.example"]},
        {"email": "nobody"},
        {"email": "Ada <ada@acme.example>"},
        {"email": "mailto:ada@acme.example"},
        {"email": "ada@acme.example, eve@evil.example"},
        {"email": "\N{KELVIN SIGN}im@acme.example"},  # k in lower case
        {"email_verified": False},
        {"email_verified": None},
        {"email_verified": "true"},
        {"email_verified": 1},
    ],
)
def test_an_address_counts_only_if_it_is_plain_and_verified(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        verified_email(claims(**changed))


async def test_who_is_no_member_with_access_is_refused_like_any_other(
    provider: OidcProvider, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    tokens = bearer_tokens(provider, database)
    await member(database, "no-access@acme.example", grant=None)
    gone = await member(database, "gone@acme.example")
    other = await member(database, "other@acme.example")
    async with database.write() as session:
        # The address of a record is no sign-in: whoever edits members could become somebody else by it.
        await session.run(Sql("update member set email = 'record@acme.example' where id = {}", other))
        await session.run(Sql("update member set deactivated_at = now() where id = {}", gone))
    refused = [
        signed(claims(email=email))
        for email in ("no-access@acme.example", "gone@acme.example", "record@acme.example", "unknown@acme.example")
    ]
    messages = set()
    for token in (*refused, signed(claims(aud="x")), "a.b.c"):
        caplog.clear()
        with caplog.at_level(logging.WARNING), pytest.raises(HttpError) as caught:
            await tokens.principal(token, {})
        assert (caught.value.status, caught.value.code) == (401, "NOT_AUTHENTICATED")
        messages.add(str(caught.value))
        assert "refused" in caplog.text
        assert token not in caplog.text
    assert len(messages) == 1


async def test_many_wrong_tokens_are_slowed_down_and_do_not_fill_the_log(
    provider: OidcProvider, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    await member(database, "ada@acme.example")
    tokens = bearer_tokens(provider, database)
    scope = {"client": ("192.0.2.7", 1)}
    refusals = []
    for _ in range(AT_ONCE + 50):
        with pytest.raises(HttpError) as caught:
            await tokens.principal("wrong", scope)
        refusals.append(caught.value.status)
    assert refusals == [401] * AT_ONCE + [429] * 50
    assert len(caplog.records) == AT_ONCE
    assert (await tokens.principal(GOOD, scope)).name == "Ada"


async def test_no_token_can_write_a_line_of_the_log(
    provider: OidcProvider, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    forged = "x\nWARNING all is well\x1b[2J"
    tokens = bearer_tokens(provider, database)
    for token in (
        unsigned(claims(), {"alg": forged}),
        unsigned(claims(), {"alg": "RS256", "kid": forged}),
        unsigned(claims(), {"alg": "RS256", "kid": "rsa", "typ": forged}),
        unsigned(claims(), {"alg": "RS256", "kid": "rsa", "crit": [forged]}),
        signed(claims(email=forged)),
        signed(claims(aud=forged)),
    ):
        with pytest.raises(HttpError):
            await tokens.principal(token, {})
    assert len(caplog.messages) == 6
    assert all(message.isascii() and message.isprintable() for message in caplog.messages)


async def test_keys_are_read_once_and_again_for_a_new_key(
    provider: OidcProvider, small_provider: SmallProvider, clock: Clock
) -> None:
    for _ in range(3):
        await verified_claims(provider, GOOD, AUDIENCE)
    assert small_provider.reads == {"metadata": 1, "keys": 1}
    small_provider.keys.append(RSAKey.import_key(OTHER.as_dict(private=True) | {"kid": "new"}))
    token = signed(claims(), OTHER, kid="new")
    for _ in range(20):  # at most one read a minute, however many unknown keys are named
        with pytest.raises(TokenError):
            await verified_claims(provider, token, AUDIENCE)
    assert small_provider.reads["keys"] == 1
    clock.seconds += REFETCH_SECONDS
    await verified_claims(provider, token, AUDIENCE)
    assert small_provider.reads == {"metadata": 1, "keys": 2}


async def test_a_key_that_the_provider_withdraws_ends_within_an_hour(
    provider: OidcProvider, small_provider: SmallProvider, clock: Clock
) -> None:
    await verified_claims(provider, GOOD, AUDIENCE)
    small_provider.keys.remove(RSA)
    clock.seconds += FRESH_SECONDS
    with pytest.raises(TokenError):
        await verified_claims(provider, GOOD, AUDIENCE)


async def test_known_keys_outlast_an_outage_of_the_provider_for_a_day(
    provider: OidcProvider, small_provider: SmallProvider, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    await verified_claims(provider, GOOD, AUDIENCE)
    small_provider.is_down = True
    clock.seconds += FRESH_SECONDS
    for _ in range(5):
        await verified_claims(provider, GOOD, AUDIENCE)
    assert small_provider.reads["keys"] == 2
    assert "last document stays in use" in caplog.text
    clock.seconds += STALE_SECONDS
    with pytest.raises(ProviderError):
        await verified_claims(provider, GOOD, AUDIENCE)


async def test_an_outage_at_the_first_token_is_asked_about_once_a_minute(
    provider: OidcProvider, small_provider: SmallProvider, database: Database, clock: Clock
) -> None:
    small_provider.is_down = True
    tokens = bearer_tokens(provider, database)
    for _ in range(5):
        with pytest.raises(HttpError, match="not accepted"):
            await tokens.principal(GOOD, {})
    assert small_provider.reads["metadata"] == 1
    small_provider.is_down = False
    clock.seconds += REFETCH_SECONDS
    await verified_claims(provider, GOOD, AUDIENCE)


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://evil.example"},
        {"issuer": f"{ISSUER}/"},
        {"jwks_uri": "http://login.example/jwks"},
        {"jwks_uri": None},
        {"token_endpoint": "file:///etc/passwd"},
    ],
)
async def test_a_discovery_document_of_another_issuer_or_without_https_is_refused(
    small_provider: SmallProvider, provider: OidcProvider, changed: dict[str, Any]
) -> None:
    small_provider.metadata |= changed
    with pytest.raises(ProviderError):
        await provider.metadata()


async def test_a_provider_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(60)
            return httpx.Response(200, request=request)

    monkeypatch.setattr("api.web.sign_in.provider._LONGEST_SECONDS", 0.05)
    with pytest.raises(ProviderError, match="TimeoutError"):
        await OidcProvider(ISSUER, transport=Silent()).metadata()


@pytest.mark.parametrize(
    "response",
    [
        httpx.Response(302, headers={"location": "https://evil.example"}),
        httpx.Response(200, text="<html>"),
        httpx.Response(200, json=[]),
        httpx.Response(200, content=b" " * 300_000),
        httpx.Response(500, json={"error": "down"}),
    ],
)
async def test_a_response_that_is_no_document_is_refused(response: httpx.Response) -> None:
    provider = OidcProvider(ISSUER, transport=httpx.MockTransport(lambda _: response))
    with pytest.raises(ProviderError, match="well-known"):
        await provider.metadata()


async def test_keys_that_cannot_be_used_do_not_hinder_the_others(
    small_provider: SmallProvider, provider: OidcProvider
) -> None:
    class Odd:
        def __init__(self, declared: object) -> None:
            self.declared = declared

        def as_dict(self, *, private: bool) -> object:  # noqa: ARG002 - as a key's
            return self.declared

    odd = [{"kty": "AKP", "alg": "ML-DSA-44"}, {"kty": "RSA"}, {"kty": "oct", "k": "AAAA", "kid": "rsa"}, 7, {}]
    small_provider.keys[:0] = map(Odd, odd)  # type: ignore[arg-type]
    assert (await verified_claims(provider, GOOD, AUDIENCE))["sub"] == "ada"

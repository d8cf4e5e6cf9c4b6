"""Sign-in of pages and bearer tokens with a real OpenID Connect provider. `make test-oidc` runs these tests."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import AsyncIterator
from ipaddress import IPv6Address
from time import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from api.db import Database
from api.sql import Sql
from tests.oidc.conftest import AUDIENCE, RunningProvider, query_of, sign_in_at_provider

pytestmark = pytest.mark.oidc

BROWSER = {"accept": "text/html,*/*;q=0.8"}
STAGES = {"query": "{ __typename }"}


@pytest.fixture
async def browser() -> AsyncIterator[httpx.AsyncClient]:
    """A browser with a new profile, which follows no redirect by itself."""
    async with httpx.AsyncClient() as client:
        yield client


async def access_token(provider: RunningProvider, login: str, audience: str = AUDIENCE) -> str:
    """An access token that the provider issues to a program for a person."""
    verifier = secrets.token_urlsafe(32)
    digest = hashlib.sha256(verifier.encode()).digest()
    request = {
        "client_id": "program",
        "response_type": "code",
        "redirect_uri": provider.redirect_uri,
        "scope": "openid email",
        "resource": audience,
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
        "code_challenge_method": "S256",
    }
    async with httpx.AsyncClient() as client:
        back = await sign_in_at_provider(client, f"{provider.issuer}/auth?{urlencode(request)}", login)
        form = {
            "grant_type": "authorization_code",
            "client_id": "program",
            "code": query_of(back)["code"],
            "redirect_uri": provider.redirect_uri,
            "code_verifier": verifier,
            "resource": audience,
        }
        response = await client.post(f"{provider.issuer}/token", data=form)
    assert response.status_code == 200, response.text
    return str(response.json()["access_token"])


async def sent(accord: str, token: str) -> httpx.Response:
    """The response to a request with a bearer token, from a client of its own: wrong ones are counted by client."""
    headers = {"authorization": f"Bearer {token}", "x-forwarded-for": str(IPv6Address(secrets.randbits(128)))}
    async with httpx.AsyncClient() as client:
        return await client.post(f"{accord}/graphql", json=STAGES, headers=headers)


async def test_a_page_leads_to_the_provider_and_back_into_a_session(
    browser: httpx.AsyncClient, accord: str, members: dict[str, Any], module_database: Database
) -> None:
    async with module_database.write() as session:
        await session.run(Sql("delete from page_session"))
    page = await browser.get(f"{accord}/graphql", headers=BROWSER)
    assert page.status_code == 303
    shown = await browser.get(accord + page.headers["location"])
    assert "Sign in with 127.0.0.1" in shown.text
    away = await browser.get(f"{accord}/sign-in/oidc?next=%2Fgraphql%3Fa")
    back = await sign_in_at_provider(browser, away.headers["location"], "ada")
    assert query_of(back)["iss"] in away.headers["location"]
    done = await browser.get(back)
    assert (done.status_code, done.headers["location"]) == (303, "/graphql?a"), done.text
    assert (await browser.get(f"{accord}/graphql", headers=BROWSER)).status_code == 200
    answer = await browser.post(f"{accord}/graphql", json=STAGES, headers={"origin": accord})
    assert answer.json() == {"data": {"__typename": "Query"}}
    async with module_database.read() as session:
        row = await session.row(Sql("select member_id, signed_in_at <= created_at as is_before from page_session"))
    assert row is not None
    assert (row["member_id"], row["is_before"]) == (members["ada"], True)
    assert (await browser.get(back)).status_code == 400  # the same code again
    assert (await browser.post(f"{accord}/sign-out", headers={"origin": accord})).status_code == 303
    assert (await browser.post(f"{accord}/graphql", json=STAGES, headers={"origin": accord})).status_code == 401


async def test_who_signs_in_again_proves_at_the_provider_who_they_are(
    browser: httpx.AsyncClient, accord: str, members: dict[str, Any], module_database: Database
) -> None:
    """A signature needs a sign-in of the last 15 minutes, which the provider's own session is none of."""
    async with module_database.write() as session:
        await session.run(Sql("delete from page_session"))
    away = await browser.get(f"{accord}/sign-in/oidc")
    await browser.get(await sign_in_at_provider(browser, away.headers["location"], "ada"))
    async with module_database.write() as session:
        await session.run(Sql("update page_session set signed_in_at = signed_in_at - interval '16 minutes'"))
    again = await browser.get(f"{accord}/sign-in/oidc")
    assert query_of(again.headers["location"])["prompt"] == "login"
    response = await browser.get(again.headers["location"])
    form = await browser.get(str(response.url.join(response.headers["location"])))
    assert 'name="login"' in form.text, "the provider asks again, though its own session goes on"
    await browser.get(await sign_in_at_provider(browser, again.headers["location"], "ada"))
    async with module_database.read() as session:
        rows = await session.rows(
            Sql(
                "select member_id, signed_in_at > now() - interval '1 minute' as is_fresh from page_session"
                " where revoked_at is null"
            )
        )
    assert [(row["member_id"], row["is_fresh"]) for row in rows] == [(members["ada"], True)]


@pytest.mark.parametrize(("login", "status"), [("unverified", 400), ("stranger", 403), ("gone", 403)])
async def test_who_has_no_access_gets_no_session(
    browser: httpx.AsyncClient, accord: str, login: str, status: int
) -> None:
    away = await browser.get(f"{accord}/sign-in/oidc")
    response = await browser.get(await sign_in_at_provider(browser, away.headers["location"], login))
    assert response.status_code == status
    assert "accord_session" not in browser.cookies


async def test_a_sign_in_that_another_browser_began_is_refused(browser: httpx.AsyncClient, accord: str) -> None:
    away = await browser.get(f"{accord}/sign-in/oidc")
    back = await sign_in_at_provider(browser, away.headers["location"], "ada")
    async with httpx.AsyncClient() as other:
        assert (await other.get(back)).status_code == 400


async def test_a_person_who_cancels_returns_to_the_sign_in_page(browser: httpx.AsyncClient, accord: str) -> None:
    away = await browser.get(f"{accord}/sign-in/oidc")
    state = query_of(away.headers["location"])["state"]
    issuer = away.headers["location"].partition("/auth?")[0]
    refused = {"error": "access_denied", "state": state, "iss": issuer}
    response = await browser.get(f"{accord}/sign-in/oidc/callback", params=refused)
    assert (response.status_code, "Try again" in response.text) == (400, True)


@pytest.mark.usefixtures("members")
async def test_an_access_token_of_the_provider_is_accepted(accord: str, provider: RunningProvider) -> None:
    response = await sent(accord, await access_token(provider, "ada"))
    assert (response.status_code, response.json()) == (200, {"data": {"__typename": "Query"}})


async def test_tokens_for_others_are_refused(accord: str, provider: RunningProvider) -> None:
    tokens = [await access_token(provider, login) for login in ("unverified", "stranger", "gone")]
    tokens.append(await access_token(provider, "ada", "https://other.example/api"))
    for token in tokens:
        response = await sent(accord, token)
        (error,) = response.json()["errors"]
        assert (response.status_code, error["extensions"]["code"]) == (401, "NOT_AUTHENTICATED")
        assert response.headers["www-authenticate"] == "Bearer"


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


async def test_tokens_that_differ_from_a_good_one_are_refused(accord: str, provider: RunningProvider) -> None:
    """Each is the provider's own token with one change, signed with the provider's own key where that is possible."""
    good = await access_token(provider, "ada")
    head, body, signature = good.split(".")
    header, payload = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in (head, body))

    def signed(key: RSAKey = provider.rsa, changed_header: dict[str, Any] | None = None, **changed: object) -> str:
        return jwt.encode({**header, **(changed_header or {})}, {**payload, **changed}, key, [header["alg"]])

    assert (await sent(accord, signed())).status_code == 200
    hmac_head = b64(json.dumps({**header, "alg": "HS256"}).encode())
    public = provider.rsa.as_pem(private=False)
    stranger = RSAKey.generate_key(2048, {"kid": header["kid"]})
    refused = {
        "expired": signed(exp=int(time()) - 100),
        "not yet valid": signed(nbf=int(time()) + 100),
        "wrong audience": signed(aud="https://other.example"),
        "wrong issuer": signed(iss="https://other.example"),
        "unverified": signed(email_verified=False),
        "no address": signed(email=None),
        "unknown key": signed(changed_header={"kid": "unknown"}),
        "another's key": signed(stranger),
        "alg none": f"{b64(json.dumps({**header, 'alg': 'none'}).encode())}.{body}.",
        "HS256 with the public key": f"{hmac_head}.{body}."
        + b64(hmac.digest(public, f"{hmac_head}.{body}".encode(), "sha256")),
        "another body": f"{head}.{b64(json.dumps({**payload, 'sub': 'eve'}).encode())}.{signature}",
        "no token": "x",
    }
    answers = {name: await sent(accord, token) for name, token in refused.items()}
    assert {name: answer.status_code for name, answer in answers.items()} == dict.fromkeys(refused, 401)
    assert len({answer.text for answer in answers.values()}) == 1

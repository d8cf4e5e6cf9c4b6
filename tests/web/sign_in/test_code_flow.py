"""Sign-in at the identity provider: the code flow with PKCE, and every way in which it is refused."""

import base64
import hashlib
import logging
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
from pydantic import SecretStr

from api.access.credentials.attempts import AT_ONCE
from api.db import Database
from api.settings import OidcSettings
from api.sql import Sql
from api.web.sign_in.code_flow import CodeFlow, SignInAttempt, SignInError
from api.web.sign_in.provider import OidcProvider
from tests.support.api_keys import stored_member
from tests.support.oidc import ISSUER, OTHER, SmallProvider, claims, signed
from tests.web.sign_in.conftest import BROWSER, LIMITS, ORIGIN, Site

START, CALLBACK = "/sign-in/oidc", "/sign-in/oidc/callback"
REDIRECT_URI = f"{ORIGIN}{CALLBACK}"


@pytest.fixture
async def ada(database: Database) -> UUID:
    """A member with access, who has an address."""
    id_ = await stored_member(database)
    async with database.write() as session:
        await session.run(Sql("update member_access set email = 'ada@acme.example'"))
    return id_


@pytest.fixture
async def browser(site_with_provider: Site) -> AsyncIterator[httpx.AsyncClient]:
    """A browser on the machine of a site with an identity provider."""
    async with site_with_provider.client() as client:
        yield client


async def begin(browser: httpx.AsyncClient, next_page: str = "/graphql?a=1") -> dict[str, str]:
    """Begin a sign-in; return the parameters that the provider receives."""
    sent = await browser.get(START, params={"next": next_page})
    assert sent.status_code == 303
    location = urlsplit(sent.headers["location"])
    assert f"{location.scheme}://{location.netloc}{location.path}" == f"{ISSUER}/auth"
    return {name: value for name, (value,) in parse_qs(location.query, strict_parsing=True).items()}


def answer_with(site: Site, request: dict[str, str], key: Any = None, **changed: object) -> None:  # noqa: ANN401
    """Have the provider answer with an ID token for a request, with changed claims."""
    payload = claims(**{"aud": "accord", "nonce": request["nonce"], "auth_time": timedelta(seconds=-60), **changed})
    token = signed(payload, key) if key else signed(payload)
    site.provider.answers["/token"] = {"id_token": token, "access_token": "of the provider"}


async def come_back(browser: httpx.AsyncClient, request: dict[str, str], **changed: str | None) -> httpx.Response:
    """Come back from the provider, with changed parameters; one that is None is left out."""
    sent = {"code": "one-time", "state": request["state"], "iss": ISSUER, **changed}
    return await browser.get(CALLBACK, params={name: value for name, value in sent.items() if value is not None})


@pytest.mark.usefixtures("ada")
async def test_who_signs_in_again_proves_anew_who_they_are(
    site_with_provider: Site, browser: httpx.AsyncClient
) -> None:
    first = await begin(browser)
    answer_with(site_with_provider, first)
    await come_back(browser, first)
    again = await begin(browser)
    assert ("prompt" in first, again["prompt"]) == (False, "login")


async def test_a_member_signs_in_and_returns_to_the_page(
    site_with_provider: Site, browser: httpx.AsyncClient, ada: UUID, database: Database
) -> None:
    assert (await browser.get("/graphql", headers=BROWSER)).status_code == 303
    assert "Sign in with login.example" in (await browser.get("/sign-in")).text
    request = await begin(browser)
    assert (request["response_type"], request["client_id"], request["scope"]) == ("code", "accord", "openid email")
    assert (request["redirect_uri"], request["code_challenge_method"]) == (REDIRECT_URI, "S256")
    answer_with(site_with_provider, request)
    back = await come_back(browser, request)
    assert (back.status_code, back.headers["location"]) == (303, "/graphql?a=1")
    ((form, authorization),) = site_with_provider.provider.forms
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == request["code_challenge"]
    assert (form["code"], form["redirect_uri"], form["client_id"]) == ("one-time", REDIRECT_URI, "accord")
    assert (authorization, "client_secret" in form) == ("", False)
    assert "accord_sign_in" not in browser.cookies
    response = await browser.post("/graphql", json={"query": "{ hello }"}, headers={"origin": ORIGIN})
    assert response.status_code == 200
    async with database.read() as session:
        row = await session.row(Sql("select member_id, now() - signed_in_at as ago from page_session"))
    assert row is not None
    assert row["member_id"] == ada
    assert timedelta(seconds=59) < row["ago"] < timedelta(seconds=180)


@pytest.mark.usefixtures("ada")
async def test_an_address_that_the_id_token_lacks_is_read_from_user_info(
    site_with_provider: Site, browser: httpx.AsyncClient
) -> None:
    request = await begin(browser)
    answer_with(site_with_provider, request, email=None, email_verified=None)
    person = {"sub": "ada", "email": "ada@acme.example", "email_verified": True}
    for changed, status in (({"sub": "eve"}, 400), ({"email_verified": False}, 400), ({}, 303)):
        site_with_provider.provider.answers["/me"] = person | changed
        request = await begin(browser)
        answer_with(site_with_provider, request, email=None, email_verified=None)
        assert (await come_back(browser, request)).status_code == status


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"nonce": "of another sign-in"}, "nonce"),
        ({"nonce": None}, "nonce"),
        ({"aud": "https://accord.example/graphql"}, "aud"),
        ({"aud": ["accord", "other"], "azp": "other"}, "another client"),
        ({"iss": "https://evil.example"}, "iss"),
        ({"exp": timedelta(seconds=-100)}, "expired"),
        ({"email_verified": False}, "not verified"),
        ({"auth_time": -LIMITS.total - timedelta(seconds=100)}, "too long ago"),
        ({"auth_time": 10**30}, "auth_time"),
        ({"key": OTHER}, "bad_signature"),
    ],
)
async def test_an_id_token_that_does_not_hold_opens_no_session(
    site_with_provider: Site,
    browser: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
    changed: dict[str, Any],
    reason: str,
) -> None:
    request = await begin(browser)
    answer_with(site_with_provider, request, **changed)
    response = await come_back(browser, request)
    assert response.status_code == 400
    assert "The sign-in with login.example failed." in response.text
    assert reason in caplog.text
    assert reason not in response.text
    assert "accord_session" not in browser.cookies


@pytest.mark.usefixtures("ada")
@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"state": "forged"}, "state"),
        ({"state": None}, "state"),
        ({"state": "ä"}, "state"),
        ({"iss": "https://evil.example"}, "issuer"),
        ({"iss": None}, "issuer"),
        ({"code": None, "error": "access_denied"}, "access_denied"),
    ],
)
async def test_a_forged_way_back_redeems_no_code(
    site_with_provider: Site,
    browser: httpx.AsyncClient,
    caplog: pytest.LogCaptureFixture,
    changed: dict[str, str | None],
    reason: str,
) -> None:
    request = await begin(browser)
    answer_with(site_with_provider, request)
    response = await come_back(browser, request, **changed)
    assert response.status_code == 400
    assert reason in caplog.text
    assert site_with_provider.provider.forms == []


@pytest.mark.usefixtures("ada")
async def test_only_the_browser_that_began_a_sign_in_can_finish_it(site_with_provider: Site) -> None:
    """Whoever is led to the way back of an attacker's sign-in is not signed in as the attacker."""
    async with site_with_provider.client() as attacker, site_with_provider.client() as victim:
        request = await begin(attacker)
        answer_with(site_with_provider, request)
        assert (await come_back(victim, request)).status_code == 400
        await begin(victim)
        assert (await come_back(victim, request)).status_code == 400
        assert "accord_session" not in victim.cookies
    assert site_with_provider.provider.forms == []


@pytest.mark.usefixtures("ada")
async def test_a_way_back_counts_once(site_with_provider: Site, browser: httpx.AsyncClient) -> None:
    request = await begin(browser)
    answer_with(site_with_provider, request)
    assert (await come_back(browser, request)).status_code == 303
    assert (await come_back(browser, request)).status_code == 400
    assert len(site_with_provider.provider.forms) == 1


@pytest.mark.usefixtures("ada")
async def test_a_sign_in_replaces_the_session_of_the_browser(
    site_with_provider: Site, browser: httpx.AsyncClient, database: Database
) -> None:
    tokens = []
    for _ in range(2):
        request = await begin(browser)
        answer_with(site_with_provider, request)
        await come_back(browser, request)
        tokens.append(browser.cookies["accord_session"])
    assert tokens[0] != tokens[1]
    async with database.read() as session:
        assert await session.value(Sql("select count(*) from page_session where revoked_at is null")) == 1


async def test_who_has_no_access_learns_it_and_opens_no_session(
    site_with_provider: Site, browser: httpx.AsyncClient, ada: UUID, database: Database
) -> None:
    async with database.write() as session:
        await session.run(Sql("update member set deactivated_at = now() where id = {}", ada))
    messages = set()
    for email in ("ada@acme.example", "nobody@acme.example"):
        request = await begin(browser)
        answer_with(site_with_provider, request, email=email)
        response = await come_back(browser, request)
        assert response.status_code == 403
        assert f"{email} may not sign in" in response.text
        messages.add(response.text.replace(email, ""))
    assert len(messages) == 1
    assert "accord_session" not in browser.cookies


@pytest.mark.usefixtures("ada")
async def test_the_sign_in_returns_to_no_other_site(site_with_provider: Site, browser: httpx.AsyncClient) -> None:
    request = await begin(browser, "//evil.example")
    answer_with(site_with_provider, request)
    assert (await come_back(browser, request)).headers["location"] == "/graphql"
    request = await begin(browser)
    answer_with(site_with_provider, request)
    secret = browser.cookies["accord_sign_in"].partition(".")[0]
    browser.cookies.set(
        "accord_sign_in", f"{secret}.{base64.urlsafe_b64encode(b'//evil.example').decode()}", "localhost.local", "/"
    )
    assert (await come_back(browser, request)).headers["location"] == "/graphql"


@pytest.mark.parametrize("site_of_request", ["cross-site", "same-site"])
async def test_no_other_site_can_begin_a_sign_in(browser: httpx.AsyncClient, site_of_request: str) -> None:
    response = await browser.get(START, headers={"sec-fetch-site": site_of_request})
    assert (response.status_code, response.headers["location"]) == (303, "/sign-in")
    assert "accord_sign_in" not in browser.cookies


async def test_an_outage_of_the_provider_is_said_on_the_page(
    site_with_provider: Site, browser: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    site_with_provider.provider.is_down = True
    response = await browser.get(START)
    assert (response.status_code, "failed. Try again." in response.text) == (503, True)
    assert "status 503" in caplog.text


async def test_ways_back_that_fail_do_not_fill_the_log(
    browser: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(AT_ONCE + 20):
        assert (await browser.get(CALLBACK, params={"code": "x"})).status_code == 400
    assert len([record for record in caplog.records if record.name == "accord.sign_in"]) == AT_ONCE


@pytest.mark.parametrize("value", ["", ".", "short.L2E=", "a" * 43 + ".!!", "a" * 43 + "./w==", "a" * 43])
def test_a_malformed_cookie_of_a_sign_in_is_refused(value: str) -> None:
    try:
        attempt = SignInAttempt.from_cookie(value)
    except SignInError:
        return
    assert attempt == SignInAttempt("a" * 43, "/graphql")


def test_a_sign_in_survives_its_cookie_and_shows_no_secret() -> None:
    attempt = SignInAttempt.begin("/graphql?q=ü".replace("ü", "%C3%BC"))
    assert SignInAttempt.from_cookie(attempt.cookie) == attempt
    assert attempt.secret not in repr(attempt)
    assert len({attempt.secret, attempt.state, attempt.nonce, attempt.verifier, attempt.challenge}) == 5
    assert len(attempt.verifier) == 43  # RFC 7636: 43 to 128


@pytest.mark.parametrize(
    ("methods", "expected"),
    [
        (None, "basic"),
        (["client_secret_basic", "client_secret_post"], "basic"),
        (["client_secret_post"], "post"),
        (["private_key_jwt"], "basic"),
    ],
)
async def test_a_secret_is_sent_as_the_provider_expects(methods: list[str] | None, expected: str) -> None:
    small = SmallProvider()
    if methods is not None:
        small.metadata["token_endpoint_auth_methods_supported"] = methods
    client = OidcSettings(ISSUER, client_id="accord:1", client_secret=SecretStr("geheim +&"))
    flow = CodeFlow(OidcProvider(ISSUER, transport=small.transport), client, LIMITS.total)
    attempt = SignInAttempt.begin("/graphql")
    sent = {"state": attempt.state, "code": "c", "iss": ISSUER}
    with pytest.raises(SignInError, match="no ID token"):
        await flow.finish(attempt, sent, REDIRECT_URI)
    ((form, authorization),) = small.forms
    if expected == "post":
        assert (form["client_id"], form["client_secret"], authorization) == ("accord:1", "geheim +&", "")
    else:
        assert "client_secret" not in form
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        assert pair == "accord%3A1:geheim+%2B%26"


@pytest.mark.usefixtures("ada")
async def test_no_secret_and_no_code_is_logged(
    site_with_provider: Site, browser: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="accord"):
        request = await begin(browser)
        secret = browser.cookies["accord_sign_in"].partition(".")[0]
        answer_with(site_with_provider, request, nonce="x")
        await come_back(browser, request, code="the-code")
    for hidden in (secret, "the-code", "of the provider"):
        assert hidden not in caplog.text

"""The sign-in page: who is sent to it, what it shows, and what it keeps to itself."""

import httpx
import pytest

from api.access.credentials.attempts import AT_ONCE
from api.access.credentials.tokens import make_token
from api.db import Database
from api.sample.demo_people import DemoPerson, demo_people
from api.sql import Sql
from api.web import pages
from api.web.sign_in.routes import FORM_LIMIT_BYTES
from api.web.sign_in.sign_in_page import SignInPage
from api.workflows.access.create_demo_keys import create_demo_keys
from tests.support.api_keys import EVERYTHING, stored_key, stored_member
from tests.web.sign_in.conftest import BROWSER, ORIGIN, Site

OURS = {"origin": ORIGIN}


async def test_without_credentials_the_page_opens_for_the_local_operator(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/graphql", headers=BROWSER)
    assert page.status_code == 200
    assert "GraphQL" in page.text or "<title>Accord</title>" in page.text
    shown = await browser.get("/sign-in")
    assert "Continue as the local operator" in shown.text


async def test_with_credentials_a_page_leads_to_the_sign_in_and_back(
    browser: httpx.AsyncClient, database: Database
) -> None:
    token = await stored_key(database)
    root = await browser.get("/", headers=BROWSER)
    assert root.headers["location"] == "/graphql"
    sent = await browser.get("/graphql?tab=2&x=a%26b", headers=BROWSER)
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=%2Fgraphql%3Ftab%3D2%26x%3Da%2526b")
    assert sent.headers["cache-control"] == "no-store"
    shown = await browser.get(sent.headers["location"])
    assert '<input type="hidden" name="next" value="/graphql?tab=2&amp;x=a%26b" />' in shown.text
    assert "local operator" not in shown.text
    form = {"key": f"  {token.text}\n", "next": "/graphql?tab=2&x=a%26b"}
    back = await browser.post("/sign-in", data=form, headers=OURS)
    assert (back.status_code, back.headers["location"]) == (303, "/graphql?tab=2&x=a%26b")
    assert (await browser.get("/graphql", headers=BROWSER)).status_code == 200


async def test_the_page_says_who_is_signed_in(browser: httpx.AsyncClient, database: Database) -> None:
    member_id = await stored_member(database, member_name="<b>Eve</b>")
    token = await stored_key(database, member_id=member_id)
    await browser.post("/sign-in", data={"key": token.text}, headers=OURS)
    shown = await browser.get("/sign-in")
    assert "You are signed in as <strong>&lt;b&gt;Eve&lt;/b&gt;</strong>" in shown.text
    assert 'action="/sign-out"' in shown.text


async def test_whoever_has_to_sign_in_again_is_offered_no_way_past_it(
    browser: httpx.AsyncClient, database: Database
) -> None:
    token = await stored_key(database)
    await browser.post("/sign-in", data={"key": token.text}, headers=OURS)
    shown = await browser.get("/sign-in?next=%2Faccord%3Fversion%3D2")
    assert '<a class="button main" href="/accord?version=2">Continue</a>' in shown.text
    again = await browser.get("/sign-in?next=%2Faccord%3Fversion%3D2&again=1")
    assert "sign in once more" in again.text
    assert "Continue" not in again.text
    assert '<input type="hidden" name="next" value="/accord?version=2" />' in again.text


async def test_programs_are_not_sent_to_a_page(browser: httpx.AsyncClient, database: Database) -> None:
    await stored_key(database)
    response = await browser.post("/graphql", json={"query": "{ hello }"})
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("given", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_the_sign_in_returns_to_no_other_site(browser: httpx.AsyncClient, database: Database, given: str) -> None:
    token = await stored_key(database)
    shown = await browser.get("/sign-in", params={"next": given})
    assert "evil.example" not in shown.text
    back = await browser.post("/sign-in", data={"key": token.text, "next": given}, headers=OURS)
    assert back.headers["location"] == "/graphql"


@pytest.mark.parametrize(
    "key",
    ["", "wrong", make_token().text, "accord_x", "\0", "é"],
    ids=["empty", "a word", "forged", "short", "NUL", "accented"],
)
async def test_a_wrong_key_is_refused_and_not_shown_again(
    browser: httpx.AsyncClient, database: Database, key: str
) -> None:
    await stored_key(database)
    response = await browser.post("/sign-in", data={"key": key, "next": "/graphql?a"}, headers=OURS)
    assert response.status_code == 401
    assert 'role="alert"' in response.text
    assert 'value="/graphql?a"' in response.text
    assert "set-cookie" not in response.headers
    assert len(key) < 2 or f'"{key}"' not in response.text


async def test_many_wrong_keys_are_slowed_down_and_the_right_one_is_not(
    browser: httpx.AsyncClient, database: Database
) -> None:
    token = await stored_key(database)
    for _ in range(AT_ONCE):
        await browser.post("/sign-in", data={"key": make_token().text}, headers=OURS)
    response = await browser.post("/sign-in", data={"key": make_token().text}, headers=OURS)
    assert response.status_code == 429
    assert int(response.headers["retry-after"]) > 0
    assert (await browser.post("/sign-in", data={"key": token.text}, headers=OURS)).status_code == 303


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"key": "x"}', "application/json", 415),
        (b"key=x", "", 415),
        (b"key=" + b"x" * FORM_LIMIT_BYTES, "application/x-www-form-urlencoded", 413),
        (b"key=\xff", "application/x-www-form-urlencoded", 400),
        (b"key", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(50)), "application/x-www-form-urlencoded", 400),
        (b"", "application/x-www-form-urlencoded", 401),
    ],
)
async def test_what_is_no_form_with_a_key_is_refused(
    browser: httpx.AsyncClient, content: bytes, content_type: str, status: int
) -> None:
    response = await browser.post("/sign-in", content=content, headers=OURS | {"content-type": content_type})
    assert response.status_code == status


async def test_the_page_runs_nothing_and_is_neither_kept_nor_framed(browser: httpx.AsyncClient) -> None:
    page = await browser.get("/sign-in")
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["form-action"] == policy["style-src"] == policy["img-src"] == "'self'"
    assert "script-src" not in policy
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert "no-store" in page.headers["cache-control"]
    # Browsers send the origin of a form only under a policy that lets the referrer through to our own pages.
    assert page.headers["referrer-policy"] == "same-origin"
    styles = await browser.get("/static/sign-in.css")
    assert styles.headers["content-type"].startswith("text/css")


async def test_a_get_signs_nobody_out(browser: httpx.AsyncClient) -> None:
    response = await browser.get("/sign-out")
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (405, "METHOD_NOT_ALLOWED")


async def test_without_a_provider_there_is_no_way_to_it(browser: httpx.AsyncClient) -> None:
    assert (await browser.get("/sign-in/oidc")).status_code == 404
    assert "Sign in with your account" not in (await browser.get("/sign-in")).text


def test_people_of_the_sample_company_are_buttons() -> None:
    person = DemoPerson("Ada & Co", "marketer", EVERYTHING)
    body = bytes(SignInPage("/graphql", demo_people=[person]).response().body).decode()
    assert f'<input type="hidden" name="key" value="{person.token.text}" />' in body
    assert "<button>Ada &amp; Co<small>Marketer: admin, all records, personal data</small></button>" in body


@pytest.fixture
async def demo_keys(database: Database) -> None:
    """The demo keys of a sample company."""
    for person in demo_people():
        await stored_member(database, None, member_name=person.name)
    async with database.write() as session:
        assert await create_demo_keys(session) == 5


@pytest.mark.usefixtures("demo_keys")
async def test_on_its_own_machine_a_demo_key_is_one_click(browser: httpx.AsyncClient) -> None:
    shown = (await browser.get("/sign-in")).text
    for person in demo_people():
        assert f"<button>{person.name}<small>" in shown
    (analyst,) = (person for person in demo_people() if person.title == "analyst")
    back = await browser.post("/sign-in", data={"key": analyst.token.text}, headers=OURS)
    assert back.status_code == 303
    assert f"<strong>{analyst.name}</strong>" in (await browser.get("/sign-in")).text


@pytest.mark.usefixtures("demo_keys")
@pytest.mark.parametrize("headers", [{"x-forwarded-for": "192.0.2.7"}, {"via": "1.1 proxy"}])
async def test_elsewhere_demo_keys_are_neither_shown_nor_accepted(
    browser: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    person = next(demo_people())
    shown = (await browser.get("/sign-in", headers=headers)).text
    assert person.token.text not in shown
    refused = await browser.post("/sign-in", data={"key": person.token.text}, headers=OURS | headers)
    assert refused.status_code == 401


@pytest.mark.usefixtures("demo_keys")
async def test_with_a_real_key_demo_keys_are_not_shown(browser: httpx.AsyncClient, database: Database) -> None:
    await stored_key(database)
    assert "sample company" not in (await browser.get("/sign-in")).text


async def test_people_whose_demo_key_is_revoked_are_not_shown(
    browser: httpx.AsyncClient, demo_keys: None, database: Database
) -> None:
    assert demo_keys is None
    async with database.write() as session:
        await session.run(Sql("update api_key set revoked_at = now() where name = 'marketer'"))
    shown = (await browser.get("/sign-in")).text
    assert ("Priya Castellan" in shown, "Amara Tolliver" in shown) == (False, True)


async def test_static_files_need_no_sign_in(
    site: Site, database: Database, tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    await stored_key(database)
    monkeypatch.setattr(pages, "STATIC", tmp_path)
    async with site.client() as client:
        assert (await client.get("/favicon.ico")).status_code == 200

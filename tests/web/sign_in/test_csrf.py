"""Which requests a session cookie authenticates, over HTTP: those of our own pages, and no others."""

import httpx
import pytest

from api.db import Database
from api.web.sign_in.csrf import PREFLIGHT_HEADERS
from tests.support.api_keys import stored_key
from tests.web.sign_in.conftest import BROWSER, ORIGIN, Site

OURS = {"origin": ORIGIN}
HELLO = {"query": "{ hello }"}


@pytest.fixture
async def signed_in(browser: httpx.AsyncClient, database: Database) -> httpx.AsyncClient:
    """A browser with a session of a real key, so that nothing else authenticates its requests."""
    token = await stored_key(database)
    response = await browser.post("/sign-in", data={"key": token.text}, headers=OURS)
    assert response.status_code == 303
    return browser


def code(response: httpx.Response) -> str:
    return str(response.json()["errors"][0]["extensions"]["code"])


async def test_a_write_from_our_page_is_executed(signed_in: httpx.AsyncClient) -> None:
    for headers in (OURS, OURS | {"sec-fetch-site": "same-origin"}):
        response = await signed_in.post("/graphql", json={"query": "mutation { __typename }"}, headers=headers)
        assert response.json() == {"data": {"__typename": "Mutation"}}


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": ""},
        {"origin": "https://app.example"},  # in ACCORD_ALLOWED_ORIGINS
        {"origin": "http://localhost:5173"},  # of the same site, and allowed without a cookie
        {"origin": "http://127.0.0.1:8000"},
        {"origin": "https://localhost:8000"},
        {"origin": f"{ORIGIN}.evil.example"},
        {"origin": f"{ORIGIN}/"},
        {"origin": ORIGIN, "sec-fetch-site": "same-site"},
        {"origin": ORIGIN, "sec-fetch-site": "cross-site"},
        {"origin": ORIGIN, "sec-fetch-site": "none"},
        {"sec-fetch-site": "same-origin"},
    ],
)
async def test_a_write_from_elsewhere_is_refused(signed_in: httpx.AsyncClient, headers: dict[str, str]) -> None:
    response = await signed_in.post("/graphql", json={"query": "mutation { __typename }"}, headers=headers)
    assert (response.status_code, code(response)) == (403, "ORIGIN_NOT_ALLOWED")


@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
async def test_a_write_that_a_form_can_send_is_refused(signed_in: httpx.AsyncClient, content_type: str) -> None:
    body = b'{"query": "mutation { __typename }"}'
    response = await signed_in.post("/graphql", content=body, headers=OURS | {"content-type": content_type})
    assert (response.status_code, code(response)) == (415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("name", PREFLIGHT_HEADERS)
async def test_a_get_needs_a_header_that_other_sites_cannot_send(signed_in: httpx.AsyncClient, name: str) -> None:
    for path in ("/graphql", "/graphql?query={hello}"):
        refused = await signed_in.get(path, params=HELLO)
        assert (refused.status_code, code(refused)) == (400, "BAD_REQUEST")
        assert PREFLIGHT_HEADERS[0] in refused.json()["errors"][0]["message"]
    sent = await signed_in.get("/graphql", params=HELLO, headers={name: "1"})
    assert sent.json() == {"data": {"hello": "hello you"}}


async def test_a_link_of_another_site_to_a_query_shows_no_data(signed_in: httpx.AsyncClient) -> None:
    navigation = BROWSER | {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    response = await signed_in.get("/graphql", params=HELLO, headers=navigation)
    assert (response.status_code, code(response)) == (403, "ORIGIN_NOT_ALLOWED")


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://app.example"}, {"origin": "http://localhost:5173"}, {"sec-fetch-site": "same-site"}],
)
async def test_a_get_from_another_origin_is_refused_even_with_the_header(
    signed_in: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    response = await signed_in.get("/graphql", params=HELLO, headers=headers | {"graphql-preflight": "1"})
    assert (response.status_code, code(response)) == (403, "ORIGIN_NOT_ALLOWED")


async def test_no_response_allows_other_origins_to_send_cookies(signed_in: httpx.AsyncClient) -> None:
    preflight = {
        "origin": "https://app.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "graphql-preflight",
    }
    for response in (
        await signed_in.options("/graphql", headers=preflight),
        await signed_in.post("/graphql", json=HELLO, headers={"origin": "https://app.example"}),
    ):
        assert "access-control-allow-credentials" not in response.headers


async def test_a_key_in_the_header_counts_more_than_the_cookie(
    signed_in: httpx.AsyncClient, database: Database
) -> None:
    token = await stored_key(database)
    headers = {"authorization": f"Bearer {token.text}", "origin": "https://app.example"}
    assert (await signed_in.post("/graphql", json=HELLO, headers=headers)).status_code == 200
    wrong = await signed_in.post("/graphql", json=HELLO, headers=OURS | {"authorization": "Bearer accord_wrong"})
    assert (wrong.status_code, code(wrong)) == (401, "NOT_AUTHENTICATED")


@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:5173"},
        {"origin": ORIGIN, "sec-fetch-site": "same-site"},
    ],
)
async def test_no_other_site_can_sign_anybody_in_or_out(
    signed_in: httpx.AsyncClient, database: Database, path: str, headers: dict[str, str]
) -> None:
    cookies = dict(signed_in.cookies)
    token = await stored_key(database)
    response = await signed_in.post(path, data={"key": token.text}, headers=headers)
    assert (response.status_code, code(response)) == (403, "ORIGIN_NOT_ALLOWED")
    assert "set-cookie" not in response.headers
    assert dict(signed_in.cookies) == cookies
    assert (await signed_in.post("/graphql", json=HELLO, headers=OURS)).status_code == 200


async def test_behind_a_proxy_that_names_the_port_our_page_is_still_ours(site: Site, database: Database) -> None:
    token = await stored_key(database)
    ours = {"origin": "https://accord.example", "host": "accord.example:443"}
    async with site.client(base_url="https://accord.example", peer=("192.0.2.7", 1)) as client:
        response = await client.post("/sign-in", data={"key": token.text}, headers=ours)
        assert response.status_code == 303
        response = await client.post("/graphql", json=HELLO, headers=ours)
        assert response.json() == {"data": {"hello": "hello you"}}

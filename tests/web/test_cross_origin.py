"""Which pages of other origins may send requests and read responses."""

import logging

import httpx
import pytest

from api.web.cross_origin import PREFLIGHT_SECONDS, REQUEST_HEADERS
from api.web.identification import identify_local_operator
from api.web.website import NetworkAccess, build_site
from tests.web.small_schema import Query, no_database, small_gateway, with_credentials

PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}
HELLO = {"query": "{ hello }"}
FOREIGN = [
    "https://evil.example", "http://localhost.evil.example", "http://127.0.0.1.evil.example", "null", "*", "",
    "http://localhost:80@evil.example", "http://xlocalhost:1", f"https://{'y' * 400}.app.example",
    "http://app.example", "https://app.example:8443", "https://app.example.evil.example", "https://appxexample",
    "https://a.b.preview.example", "https://preview.example", "https://.preview.example", "https://a.previewxexample",
    "https://evil.example#.preview.example", "HTTPS://APP.EXAMPLE",
]  # fmt: skip
ALLOWED = [
    "http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:8080", "http://localhost", "https://app.example",
    "https://pr-12.preview.example",
]  # fmt: skip


@pytest.fixture
def client() -> httpx.AsyncClient:
    """An HTTP client of a site that allows two origins beside loopback."""
    access = NetworkAccess(origins=["https://app.example", "https://*.preview.example"])
    site = build_site(small_gateway(Query), no_database, identify_local_operator, access=access)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost:8000")


@pytest.mark.parametrize("origin", ALLOWED)
async def test_a_page_of_an_allowed_origin_may_send_requests_and_read_responses(
    client: httpx.AsyncClient, origin: str, caplog: pytest.LogCaptureFixture
) -> None:
    preflight = await client.options("/graphql", headers={"origin": origin, **PREFLIGHT})
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (204, origin)
    assert preflight.headers["access-control-max-age"] == str(PREFLIGHT_SECONDS)
    assert preflight.headers["access-control-allow-methods"] == "GET, POST"
    response = await client.post("/graphql", json=HELLO, headers={"origin": origin})
    assert response.headers["access-control-allow-origin"] == origin
    assert "X-Request-Id" in response.headers["access-control-expose-headers"]
    for one in (preflight, response):
        assert "Origin" in one.headers["vary"]
        assert "access-control-allow-credentials" not in one.headers
    assert caplog.records == []


@pytest.mark.parametrize("origin", FOREIGN)
async def test_a_page_of_another_origin_may_not_read_responses(client: httpx.AsyncClient, origin: str) -> None:
    preflight = await client.options("/graphql", headers={"origin": origin, **PREFLIGHT})
    assert (preflight.status_code, preflight.json()["errors"][0]["extensions"]["code"]) == (403, "ORIGIN_NOT_ALLOWED")
    response = await client.post("/graphql", json=HELLO, headers={"origin": origin})
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (403, "ORIGIN_NOT_ALLOWED")
    for one in (preflight, response):
        assert not [name for name in one.headers if name.startswith("access-control")]
        assert "Origin" in one.headers["vary"]


async def test_a_program_may_pass_the_origin_of_its_user_on_with_a_credential(client: httpx.AsyncClient) -> None:
    headers = {"origin": "https://evil.example", "authorization": "Bearer accord_x"}
    response = await client.post("/graphql", json=HELLO, headers=headers)
    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers


async def test_a_query_in_the_address_of_an_image_or_a_script_of_another_site_is_refused(
    client: httpx.AsyncClient,
) -> None:
    embedded = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "no-cors"}
    assert (await client.get("/graphql?query={hello}", headers=embedded)).status_code == 403
    followed = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "accept": "text/html"}
    assert (await client.get("/graphql", headers=followed)).status_code != 403


@pytest.mark.parametrize("path", ["/graphql?query={hello}", "/", "/nothing", "/favicon.ico"])
async def test_every_response_varies_by_origin_even_without_one(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.get(path)).headers["vary"] == "Accept, Accept-Encoding, Origin"


async def test_headers_of_tracing_and_of_client_names_are_allowed(client: httpx.AsyncClient) -> None:
    headers = {"origin": "https://app.example", **PREFLIGHT}
    allowed = (await client.options("/graphql", headers=headers)).headers["access-control-allow-headers"].lower()
    for name in ("traceparent", "tracestate", "baggage", "sentry-trace", "x-request-id", "apollographql-client-name",
                 "apollographql-client-version", "graphql-client-name", "graphql-client-version", "content-type",
                 "apollo-require-preflight", "x-apollo-operation-name", "authorization"):  # fmt: skip
        assert name in allowed.split(", ")
    assert sorted({name.lower() for name in REQUEST_HEADERS}) == sorted(name.lower() for name in REQUEST_HEADERS)


async def test_a_header_that_is_not_allowed_is_logged(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    wanted = {"access-control-request-method": "POST", "access-control-request-headers": "content-type, x-mine"}
    await client.options("/graphql", headers={"origin": "https://app.example", **wanted})
    assert "['x-mine']" in caplog.text


async def test_a_refused_origin_is_logged_once_with_the_setting_that_allows_it(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(3):
        await client.post("/graphql", json=HELLO, headers={"origin": "https://new.example"})
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "'https://new.example'" in caplog.text
    assert "ACCORD_ALLOWED_ORIGINS" in caplog.text


async def test_the_log_of_refused_origins_ends_and_cannot_be_forged(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    for number in range(150):
        await client.get("/healthz", headers={b"origin": b"https://x%d\x85forged\xff.example" % number})
    assert len(caplog.records) == 100
    assert caplog.messages[-1].endswith("No further origins are logged.")
    assert all(message.isascii() and message.isprintable() for message in caplog.messages)


async def test_a_page_of_the_server_itself_is_not_refused(caplog: pytest.LogCaptureFixture) -> None:
    access = NetworkAccess(hosts=["accord.example"], has_credentials=with_credentials)
    site = build_site(small_gateway(Query), no_database, identify_local_operator, access=access)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="https://accord.example") as client:
        response = await client.post("/graphql", json=HELLO, headers={"origin": "https://accord.example"})
        assert response.status_code == 200
        assert caplog.records == []
        await client.post("/graphql", json=HELLO, headers={"origin": "http://accord.example"})
        assert len(caplog.records) == 1

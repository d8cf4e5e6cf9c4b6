"""Allowed host names, allowed origins, and the headers of every response."""

import httpx
import pytest

PREFLIGHT = {"access-control-request-method": "POST", "access-control-request-headers": "content-type"}


@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "LOCALHOST:1", "127.0.0.1:8000", "[::1]:80", "[::1]"])
async def test_loopback_host_names_are_allowed(client: httpx.AsyncClient, host: str) -> None:
    response = await client.post("/graphql", json={"query": "{ hello }"}, headers={"host": host})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.nip.io", "localhost:", "", "::1"]
)
@pytest.mark.parametrize("path", ["/graphql", "/", "/graphql/examples", "/static/graphiql/favicon.svg"])
async def test_a_foreign_host_name_that_resolves_to_this_server_is_rejected(
    client: httpx.AsyncClient, host: str, path: str
) -> None:
    response = await client.get(path, headers={"host": host})
    assert response.status_code == 421
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"


@pytest.mark.parametrize(
    "origin", ["http://localhost:5173", "http://127.0.0.1:3000", "http://[::1]:8080", "http://localhost"]
)
async def test_a_front_end_on_this_machine_may_send_requests_and_read_responses(
    client: httpx.AsyncClient, origin: str
) -> None:
    preflight = await client.options("/graphql", headers={"origin": origin, **PREFLIGHT})
    assert (preflight.status_code, preflight.headers["access-control-allow-origin"]) == (200, origin)
    response = await client.post("/graphql", json={"query": "{ hello }"}, headers={"origin": origin})
    assert response.headers["access-control-allow-origin"] == origin
    assert "Origin" in response.headers["vary"]


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://localhost.evil.example", "http://127.0.0.1.evil.example", "null",
               "http://localhost:80@evil.example", "http://xlocalhost:1"],
)  # fmt: skip
async def test_a_page_from_another_host_may_not_read_responses(client: httpx.AsyncClient, origin: str) -> None:
    preflight = await client.options("/graphql", headers={"origin": origin, **PREFLIGHT})
    assert preflight.status_code == 400
    assert "access-control-allow-origin" not in preflight.headers
    response = await client.post("/graphql", json={"query": "{ hello }"}, headers={"origin": origin})
    assert "access-control-allow-origin" not in response.headers


@pytest.mark.parametrize("path", ["/", "/graphql?query={hello}", "/nothing", "/favicon.ico"])
async def test_every_response_has_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_a_graphql_response_is_not_cached(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "{ hello }"})
    assert response.headers["cache-control"] == "no-store"

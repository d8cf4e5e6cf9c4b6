"""The headers of every response."""

import httpx
import pytest


@pytest.mark.parametrize("path", ["/", "/graphql?query={hello}", "/nothing", "/favicon.ico"])
async def test_every_response_has_the_security_headers(client: httpx.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]


async def test_a_graphql_response_is_not_cached(client: httpx.AsyncClient) -> None:
    response = await client.post("/graphql", json={"query": "{ hello }"})
    assert response.headers["cache-control"] == "no-store"

"""The header `Accord-Watermark` where there is no read replica: it is accepted, and no read is older than a write."""

import httpx
import pytest

from api.errors import ErrorCode

MUTATION = "mutation { change }"
MEDIA_TYPES = ("application/json", "application/graphql-response+json")


async def test_a_mutation_has_a_watermark_that_a_query_may_send(client: httpx.AsyncClient) -> None:
    written = await client.post("/graphql", json={"query": MUTATION})
    token = written.headers["accord-watermark"]
    read = await client.post("/graphql", json={"query": "{ hello }"}, headers={"Accord-Watermark": token})
    assert (read.status_code, read.json()) == (200, {"data": {"hello": "hello you"}})
    assert "accord-watermark" not in read.headers
    assert "accord-replica-lag" not in read.headers


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
@pytest.mark.parametrize("query", ["{ hello }", MUTATION])
async def test_a_malformed_watermark_is_refused(client: httpx.AsyncClient, media_type: str, query: str) -> None:
    headers = {"Accord-Watermark": "0/16B3748", "accept": media_type}
    refused = await client.post("/graphql", json={"query": query}, headers=headers)
    assert refused.status_code == 400
    error = refused.json()["errors"][0]
    assert error["extensions"]["code"] == ErrorCode.BAD_REQUEST
    assert "Accord-Watermark" in error["message"]
    assert "leave it out" in error["extensions"]["remedy"]


async def test_pages_of_other_origins_may_send_and_read_the_watermark(client: httpx.AsyncClient) -> None:
    origin = {"Origin": "http://localhost:5173"}
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "accord-watermark"}
    preflight = await client.options("/graphql", headers=origin | asked)
    assert "Accord-Watermark" in preflight.headers["access-control-allow-headers"]
    written = await client.post("/graphql", json={"query": MUTATION}, headers=origin)
    assert {"Accord-Watermark", "Accord-Replica-Lag"} <= set(
        written.headers["access-control-expose-headers"].split(", ")
    )

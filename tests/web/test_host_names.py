"""Allowed host names of requests."""

import httpx
import pytest

from api.web.database_provider import DatabaseHolder
from api.web.health import Health, health_routes
from api.web.identification import identify_local_operator
from api.web.website import NetworkAccess, build_site
from tests.web.small_schema import Query, no_database, small_gateway, with_credentials

REJECTED = "HOST_NOT_ALLOWED"


def client_with(access: NetworkAccess) -> httpx.AsyncClient:
    site = build_site(
        small_gateway(Query),
        no_database,
        identify_local_operator,
        routes=health_routes(DatabaseHolder().get, Health()),
        access=access,
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost")


async def status(client: httpx.AsyncClient, host: str, path: str = "/graphql?query={hello}") -> int:
    return (await client.get(path, headers={"host": host})).status_code


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:8000", "LOCALHOST:1", "127.0.0.1:8000", "127.0.0.2:8000", "[::1]:80", "[::1]"]
)
async def test_loopback_host_names_are_allowed(client: httpx.AsyncClient, host: str) -> None:
    response = await client.post("/graphql", json={"query": "{ hello }"}, headers={"host": host})
    assert response.status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.nip.io", "localhost:", "", "::1",
     "10.0.0.1", "0.0.0.0", "[::2]"],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/graphql", "/", "/graphql/examples", "/static/graphiql/favicon.svg"])
async def test_a_foreign_host_name_that_resolves_to_this_server_is_rejected(
    client: httpx.AsyncClient, host: str, path: str
) -> None:
    response = await client.get(path, headers={"host": host})
    assert response.status_code == 421
    assert response.json()["errors"][0]["extensions"]["code"] == REJECTED


async def test_a_listed_host_name_is_rejected_until_there_are_credentials() -> None:
    async with client_with(NetworkAccess(hosts=["accord.example"])) as client:
        response = await client.get("/graphql?query={hello}", headers={"host": "accord.example"})
        assert response.status_code == 421
        assert "need credentials" in response.json()["errors"][0]["message"]
        other = await client.get("/graphql?query={hello}", headers={"host": "evil.example"})
        assert "ACCORD_ALLOWED_HOSTS" in other.json()["errors"][0]["extensions"]["remedy"]


async def test_with_credentials_a_listed_host_name_is_allowed_and_no_other() -> None:
    access = NetworkAccess(hosts=["Accord.example", "[2001:db8::1]"], has_credentials=with_credentials)
    async with client_with(access) as client:
        for host in ("accord.example", "ACCORD.EXAMPLE:443", "[2001:db8::1]:80", "localhost"):
            assert await status(client, host) == 200
        for host in ("www.accord.example", "accord.example.evil.example", "2001:db8::1"):
            assert await status(client, host) == 421


async def test_health_checks_are_served_under_any_host_name() -> None:
    async with client_with(NetworkAccess()) as client:
        for host in ("10.0.0.7:8000", "evil.example", ""):
            assert await status(client, host, "/healthz") == 200
            assert await status(client, host, "/readyz") != 421
            assert await status(client, host, "/healthz/x") == 421


async def test_an_outage_while_credentials_are_looked_up_is_a_coded_error() -> None:
    async def unreachable() -> bool:
        raise ConnectionError("the database cannot be reached")

    async with client_with(NetworkAccess(hosts=["accord.example"], has_credentials=unreachable)) as client:
        response = await client.get("/graphql?query={hello}", headers={"host": "accord.example"})
        assert response.status_code == 503
        assert response.json()["errors"][0]["extensions"]["code"] == "DATABASE_UNREACHABLE"
        assert await status(client, "localhost") == 200

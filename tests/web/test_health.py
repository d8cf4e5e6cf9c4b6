"""Health checks: `/healthz` reports that the process runs, `/readyz` that it can serve requests."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from time import monotonic
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.accord.documents import read_accord
from api.db import Database
from api.graph.contract import gateway
from api.sql import Sql
from api.web.health import Health, health_routes
from api.web.identification import identify_local_operator
from api.web.website import build_site
from api.workflows.adopt_accord import adopt_accord
from tests.support.databases import database_connection_url, run_statements
from tests.web.small_schema import Query, no_database, small_gateway


def client_of(database: Database, *routes: Route) -> httpx.AsyncClient:
    site = build_site(
        small_gateway(Query),
        no_database,
        identify_local_operator,
        routes=[*health_routes(lambda: database, Health()), *routes],
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost")


@pytest.fixture
async def bare(server: str) -> AsyncIterator[str]:
    """A database without tables."""
    name = f"accord_{uuid.uuid4().hex[:12]}"
    await run_statements(server, f"create database {name}")
    yield database_connection_url(server, name)
    await run_statements(server, f"drop database if exists {name} with (force)")


async def test_a_migrated_database_with_an_accord_in_force_is_ready(database: Database) -> None:
    async with client_of(database) as client:
        before = await client.get("/readyz")
        async with database.write() as session:
            await adopt_accord(session, read_accord("standard"))
        after = await client.get("/readyz")
    assert (before.status_code, after.status_code) == (503, 200)
    assert "accord init" in before.json()["problem"]
    assert after.headers["cache-control"] == "no-store"


async def test_a_database_without_tables_is_not_ready(bare: str) -> None:
    async with Database.open(bare, size=1) as database, client_of(database) as client:
        response = await client.get("/readyz")
    assert response.status_code == 503
    assert "accord migrate" in response.json()["problem"]


async def test_the_reason_for_a_failed_reconnect_is_logged_once_and_not_returned(
    server: str, bare: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def from_pool(_request: Request) -> Response:
        async with database.read() as session:
            await session.value(Sql("select 1"))
        return Response()

    async def from_readers(_request: Request) -> Response:
        await database.value("select 1", ())
        return Response()

    name = urlsplit(bare).path[1:]
    async with (
        Database.open(bare, size=1) as database,
        client_of(database, Route("/pool", from_pool), Route("/readers", from_readers)) as client,
    ):
        await run_statements(server, f"alter database {name} with allow_connections false")
        await run_statements(server, f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'")
        await asyncio.sleep(0.1)
        for path in ("/pool", "/readers"):
            response = await client.get(path)
            assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (
                503,
                "DATABASE_UNREACHABLE",
            )
            assert name not in response.text
    reasons = [record.getMessage() for record in caplog.records if record.name == "accord.db"]
    assert [name in reason for reason in reasons] == [True], "one line an outage, whichever pool finds it first"


async def test_a_lost_database_makes_the_server_not_ready_but_alive(server: str, bare: str) -> None:
    async with Database.open(bare, size=1) as database, client_of(database) as client:
        await run_statements(server, f"drop database {urlsplit(bare).path[1:]} with (force)")
        ready, alive = await client.get("/readyz"), await client.get("/healthz")
    assert (ready.status_code, alive.status_code) == (503, 200)
    assert ready.json()["problem"] == "The database cannot be reached."


async def test_a_server_that_stops_is_not_ready(database: Database) -> None:
    health = Health(is_stopping=True)
    response = await health.ready(database)
    assert (response.status_code, json.loads(bytes(response.body))["problem"]) == (503, "The server is stopping.")


async def test_readiness_is_answered_in_time_and_waits_for_no_request(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hang(_database: Database) -> str | None:
        await asyncio.sleep(60)
        return None

    async with AsyncExitStack() as stack:
        for _ in range(4):  # as many as the pool has
            await stack.enter_async_context(database.read())
        assert (await Health().ready(database)).status_code == 503  # no accord is in force
        assert "accord init" in str((await Health().ready(database)).body)
    monkeypatch.setattr("api.web.health.readiness_problem", hang)
    began = monotonic()
    response = await Health().ready(database)
    assert monotonic() - began < 2.5
    assert (response.status_code, b"does not answer in time" in response.body) == (503, True)


@pytest.mark.parametrize(("owns_database", "seconds", "status"), [(True, 5, 200), (True, 70, 503), (False, 70, 200)])
async def test_a_private_postgresql_that_does_not_come_back_is_a_reason_to_restart(
    server: str, owns_database: bool, seconds: float, status: int
) -> None:
    async with Database.open(server, size=1) as opened:
        health = Health(owns_database=owns_database, outage=opened.outage)
        assert health.alive().body == b'{"status":"alive"}'
        opened.outage.begin(ConnectionError())
        opened.outage._began = monotonic() - seconds
        assert health.alive().status_code == status
        assert b"problem" in health.alive().body


@pytest.mark.parametrize("media_type", ["application/json", "application/graphql-response+json"])
@pytest.mark.parametrize(
    "document",
    ["{ contacts { totalCount } }", 'mutation { createTeam(input: {name: "A", kind: SALES}) { team { id } } }'],
)
async def test_a_request_during_an_outage_gets_503_and_when_to_try_again(
    module_dsn: str, media_type: str, document: str
) -> None:
    async with Database.open(module_dsn, size=1) as opened:
        site = build_site(gateway(), lambda: opened, identify_local_operator)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
            headers = {"accept": media_type}
            assert (await client.post("/graphql", json={"query": document}, headers=headers)).status_code == 200
            opened.outage.begin(ConnectionError("frozen"))
            opened.outage.abandon()
            response = await client.post("/graphql", json={"query": document}, headers=headers)
    assert (response.status_code, response.headers["retry-after"]) == (503, "1")
    assert response.headers["content-type"].startswith(media_type)
    assert response.json()["errors"][0]["extensions"]["code"] == "DATABASE_UNREACHABLE"
    assert "data" not in response.json()

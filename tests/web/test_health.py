"""Alive is not ready: a supervisor and a balancer ask different questions."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from api.accord.documents import read_accord
from api.db import Database
from api.sql import Sql
from api.web.health import health_routes
from api.web.website import build_site
from api.workflows.adopt_accord import adopt_accord
from tests.support.databases import database_address, run_statements
from tests.web.small import Query, nobody, small_gateway


def client_of(database: Database, *routes: Route) -> httpx.AsyncClient:
    site = build_site(small_gateway(Query), nobody, routes=[*health_routes(lambda: database), *routes])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost")


@pytest.fixture
async def bare(server: str) -> AsyncIterator[str]:
    """A database that nothing has migrated."""
    own = f"accord_{uuid.uuid4().hex[:12]}"
    await run_statements(server, f"create database {own}")
    yield database_address(server, own)
    await run_statements(server, f"drop database if exists {own} with (force)")


async def test_ready_is_a_migrated_database_with_an_accord_in_force(database: Database) -> None:
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
        answer = await client.get("/readyz")
    assert answer.status_code == 503
    assert "accord migrate" in answer.json()["problem"]


async def test_what_keeps_from_connecting_anew_is_for_the_log_alone(
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
            answer = await client.get(path)
            assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (
                503,
                "DATABASE_UNREACHABLE",
            )
            assert name not in answer.text
    reasons = [record.getMessage() for record in caplog.records if record.name == "accord.db"]
    assert [name in reason for reason in reasons] == [True, True]


async def test_a_database_that_goes_away_makes_the_server_unready_but_alive(server: str, bare: str) -> None:
    async with Database.open(bare, size=1) as database, client_of(database) as client:
        await run_statements(server, f"drop database {urlsplit(bare).path[1:]} with (force)")
        ready, alive = await client.get("/readyz"), await client.get("/healthz")
    assert (ready.status_code, alive.status_code) == (503, 200)
    assert ready.json()["problem"] == "The database cannot be reached."

"""Alive is not ready: a supervisor and a balancer ask different questions."""

import uuid
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import httpx
import pytest

from api.db import Database
from api.funnel.documents import read_accord
from api.web.health import health_routes
from api.web.website import build_site
from api.workflows.adopt_accord import adopt_accord
from tests.conftest import address, command
from tests.web.small import Query, nobody, small_gateway


def client_of(database: Database) -> httpx.AsyncClient:
    site = build_site(small_gateway(Query), nobody, routes=health_routes(lambda: database))
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost")


@pytest.fixture
async def bare(server: str) -> AsyncIterator[str]:
    """A database that nothing has migrated."""
    own = f"accord_{uuid.uuid4().hex[:12]}"
    await command(server, f"create database {own}")
    yield address(server, own)
    await command(server, f"drop database if exists {own} with (force)")


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


async def test_a_database_that_goes_away_makes_the_server_unready_but_alive(server: str, bare: str) -> None:
    async with Database.open(bare, size=1) as database, client_of(database) as client:
        await command(server, f"drop database {urlsplit(bare).path[1:]} with (force)")
        ready, alive = await client.get("/readyz"), await client.get("/healthz")
    assert (ready.status_code, alive.status_code) == (503, 200)
    assert ready.json()["problem"] == "The database cannot be reached."

"""Mutations over HTTP: the id of their request, several in one document, and responses that show a secret."""

from collections.abc import AsyncIterator

import httpx
import pytest

from api.db import Database
from api.graph.contract import gateway
from api.sql import Sql
from api.web.identification import identify_local_operator
from api.web.website import build_site

TEAM = 'createTeam(input: {name: "%s", kind: SALES}) { team { name } userErrors { code } }'


@pytest.fixture
async def client(database: Database) -> AsyncIterator[httpx.AsyncClient]:
    site = build_site(gateway(), lambda: database, identify_local_operator)
    transport = httpx.ASGITransport(app=site, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as opened:
        yield opened


async def run(client: httpx.AsyncClient, fields: str, **headers: str) -> httpx.Response:
    return await client.post("/graphql", json={"query": f"mutation {{ {fields} }}"}, headers=headers)


@pytest.mark.parametrize("given", ["deploy-7:a.b_c", "", "two words", "x" * 101, "é"])
async def test_the_audit_has_the_id_of_the_request_that_the_response_returns(
    client: httpx.AsyncClient, database: Database, given: str
) -> None:
    response = await client.post(
        "/graphql",
        json={"query": f"mutation {{ {TEAM % 'North'} }}"},
        headers=[(b"X-Request-Id", given.encode())],
    )
    returned = response.headers["x-request-id"]
    assert (returned == given) == (given == "deploy-7:a.b_c")
    async with database.read() as session:
        assert await session.value(Sql("select request_id from audit_event")) == returned


async def test_mutations_of_one_document_run_in_turn_and_each_commits(
    client: httpx.AsyncClient, database: Database
) -> None:
    response = await run(client, f"a: {TEAM % 'One'} b: {TEAM % 'One'} c: {TEAM % 'Two'}")
    found = response.json()["data"]
    assert [found[key]["team"] for key in "abc"] == [{"name": "One"}, None, {"name": "Two"}]
    assert found["b"]["userErrors"] == [{"code": "DUPLICATE"}]
    async with database.read() as session:
        assert await session.value(Sql("select count(distinct xmin::text) from team")) == 2


async def test_a_response_that_shows_a_new_key_is_neither_stored_nor_compressed(client: httpx.AsyncClient) -> None:
    fields = 'createApiKey(input: {name: "robot", level: VIEWER, reach: ALL}) { token userErrors { message } }'
    shown, plain = [await run(client, it, **{"Accept-Encoding": "gzip"}) for it in (fields, TEAM % ("N" * 3_000))]
    assert shown.json()["data"]["createApiKey"]["token"].startswith("accord_")
    assert "content-encoding" not in shown.headers
    assert "no-store" in shown.headers["cache-control"]
    assert plain.headers["content-encoding"] == "gzip"


async def test_a_mutation_is_not_sent_with_get(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", params={"query": f"mutation {{ {TEAM % 'North'} }}"})
    assert response.status_code == 405


async def test_a_link_named_twice_or_not_at_all_is_refused_at_its_path(client: httpx.AsyncClient) -> None:
    document = "mutation ($input: CreateContactInput!) { createContact(input: $input) { replayed } }"
    both = {"id": "company_1", "externalKey": {"source": "crm", "externalId": "1"}}
    for company in ({}, {"id": None}, both):
        given = {"company": company, "owner": {}}
        response = await client.post("/graphql", json={"query": document, "variables": {"input": given}})
        errors = response.json()["errors"]
        assert [error["extensions"]["code"] for error in errors] == ["BAD_INPUT"] * 2
        assert all(f".{field}" in error["message"] for field, error in zip(given, errors, strict=True))


async def test_a_text_of_megabytes_is_too_large(client: httpx.AsyncClient) -> None:
    document = (
        "mutation ($name: String!) { createTeam(input: {name: $name, kind: SALES}) { userErrors { path code } } }"
    )
    for length, status in ((10_001, 200), (10_000_000, 413)):
        response = await client.post("/graphql", json={"query": document, "variables": {"name": "x" * length}})
        assert response.status_code == status
        if status == 200:
            errors = response.json()["data"]["createTeam"]["userErrors"]
            assert errors == [{"path": ["input", "name"], "code": "TOO_LONG"}]

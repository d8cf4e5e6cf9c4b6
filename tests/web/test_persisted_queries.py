"""Automatic persisted queries: the hash of a document in its place."""

import hashlib
import json
from typing import Any

import httpx
import pytest

from api.graph.request import GraphQLRequest
from api.web.persisted_queries import MOST_BYTES, MOST_QUERIES, PersistedQueries, PersistedQueryNotFoundError

NAMED = "query Q($n: String!) { hello(name: $n) }"
NOT_FOUND = {
    "errors": [
        {
            "message": "PersistedQueryNotFound",
            "extensions": {
                "code": "PERSISTED_QUERY_NOT_FOUND",
                "remedy": "Send the document together with its hash.",
            },
        }
    ]
}
ACCEPTS = ["application/graphql-response+json", "application/json"]


def hashed(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def persisted(query_hash: object, version: object = 1) -> dict[str, Any]:
    return {"persistedQuery": {"version": version, "sha256Hash": query_hash}}


async def post(client: httpx.AsyncClient, accept: str = "*/*", **body: object) -> httpx.Response:
    return await client.post("/graphql", json=body, headers={"accept": accept})


async def get(client: httpx.AsyncClient, extensions: object, **parameters: str) -> httpx.Response:
    return await client.get("/graphql", params={**parameters, "extensions": json.dumps(extensions)})


def code(response: httpx.Response) -> object:
    return response.json()["errors"][0]["extensions"]["code"]


@pytest.mark.parametrize("accept", ACCEPTS)
async def test_a_document_is_sent_once_and_then_its_hash(client: httpx.AsyncClient, accept: str) -> None:
    extensions, variables = persisted(hashed(NAMED)), {"n": "Ada"}
    first = await post(client, accept, extensions=extensions, variables=variables)
    assert (first.status_code, first.json()) == (200, NOT_FOUND)
    assert first.headers["cache-control"] == "no-store"
    second = await post(client, accept, query=NAMED, extensions=extensions, variables=variables)
    third = await post(client, accept, extensions=extensions, variables={"n": "Bo"})
    assert (second.json(), third.json()) == ({"data": {"hello": "hello Ada"}}, {"data": {"hello": "hello Bo"}})


async def test_hashes_can_be_sent_with_get_by_programs_and_by_browsers(client: httpx.AsyncClient) -> None:
    extensions = persisted(hashed(NAMED).upper())
    assert (await get(client, extensions, variables='{"n": "Ada"}')).json() == NOT_FOUND
    sent = await get(client, extensions, query=NAMED, variables='{"n": "Ada"}')
    assert sent.json() == {"data": {"hello": "hello Ada"}}
    parameters = {"extensions": json.dumps(extensions), "variables": '{"n": "Bo"}', "operationName": "Q"}
    for accept in ("*/*", "text/html,*/*;q=0.8"):
        response = await client.get("/graphql", params=parameters, headers={"accept": accept})
        assert response.json() == {"data": {"hello": "hello Bo"}}


async def test_an_empty_query_beside_a_hash_counts_as_absent(client: httpx.AsyncClient) -> None:
    for empty in (None, ""):
        assert (await post(client, query=empty, extensions=persisted(hashed(NAMED)))).json() == NOT_FOUND
    assert code(await post(client, query=" ", extensions=persisted(hashed(NAMED)))) == "BAD_REQUEST"


async def test_a_hash_of_another_document_is_refused_and_not_kept(client: httpx.AsyncClient) -> None:
    response = await post(client, query="{ hello }", extensions=persisted(hashed(NAMED)))
    assert (response.status_code, code(response)) == (400, "PERSISTED_QUERY_MISMATCH")
    assert (await post(client, extensions=persisted(hashed(NAMED)))).json() == NOT_FOUND


@pytest.mark.parametrize("query", ["{ hello", "{ nothingLikeThis }"])
async def test_an_invalid_document_is_not_kept(client: httpx.AsyncClient, query: str) -> None:
    sent = await post(client, query=query, extensions=persisted(hashed(query)))
    assert code(sent) in ("GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED")
    assert (await post(client, extensions=persisted(hashed(query)))).json() == NOT_FOUND


@pytest.mark.parametrize(
    "extensions",
    [persisted(1), persisted(None), persisted("abc"), persisted("g" * 64), persisted("a" * 64, 2),
     persisted("a" * 64, None), {"persistedQuery": []}, {"persistedQuery": "x"}],
)  # fmt: skip
async def test_a_malformed_hash_or_an_unknown_version_is_400(
    client: httpx.AsyncClient, extensions: dict[str, Any]
) -> None:
    for response in (await post(client, extensions=extensions), await get(client, extensions)):
        assert (response.status_code, code(response)) == (400, "BAD_REQUEST")


async def test_other_extensions_are_ignored(client: httpx.AsyncClient) -> None:
    for extensions in ({}, {"persistedQuery": None}, {"clientLibrary": {"name": "x"}}):
        assert (await post(client, query="{ hello }", extensions=extensions)).json() == {"data": {"hello": "hello you"}}


async def test_a_persisted_mutation_still_needs_post(client: httpx.AsyncClient) -> None:
    mutation = "mutation { __typename }"
    assert (await post(client, query=mutation, extensions=persisted(hashed(mutation)))).json() == {
        "data": {"__typename": "Mutation"}
    }
    response = await get(client, persisted(hashed(mutation)))
    assert (response.status_code, code(response)) == (405, "METHOD_NOT_ALLOWED")


def request_of(text: str, query: str | None = None) -> GraphQLRequest:
    return GraphQLRequest(text if query is None else query, query_hash=hashed(text))


def test_the_documents_are_bounded_by_their_number_and_the_least_recently_used_go_first() -> None:
    kept = PersistedQueries()
    for number in range(MOST_QUERIES + 10):
        kept.keep(request_of(f"{{ a{number} }}"))
        assert kept.with_document(request_of("{ a0 }", "")).query == "{ a0 }"
    assert len(kept) == MOST_QUERIES
    with pytest.raises(PersistedQueryNotFoundError):
        kept.with_document(request_of("{ a1 }", ""))


def test_the_documents_are_bounded_by_their_size() -> None:
    kept = PersistedQueries()
    size = 200_000
    for number in range(100):
        kept.keep(request_of(f"{{ a{number} }}".ljust(size, "ä")))
    assert len(kept) <= MOST_BYTES // size

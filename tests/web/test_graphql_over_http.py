"""GraphQL over HTTP: media types, status codes, and malformed requests."""

import gc
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.types import Scope

from api.access.principal import Principal
from api.web.identification import identify_local_operator
from api.web.requests import BODY_LIMIT_BYTES
from api.web.responses import HttpError
from api.web.website import build_site
from tests.web.small_schema import Query, no_database, small_gateway

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


async def post(client: httpx.AsyncClient, query: str, accept: str | None = GRAPHQL) -> httpx.Response:
    headers = {} if accept is None else {"accept": accept}
    return await client.post("/graphql", json={"query": query}, headers=headers)


async def test_a_query_can_be_sent_with_post(client: httpx.AsyncClient) -> None:
    body = {"query": "query Q($n: String!) { hello(name: $n) }", "variables": {"n": "Ada"}}
    response = await client.post("/graphql", json=body)
    assert (response.status_code, response.json()) == (200, {"data": {"hello": "hello Ada"}})


async def test_a_query_can_be_sent_with_get(client: httpx.AsyncClient) -> None:
    body = {"query": "query Q($n: String!) { hello(name: $n) }", "variables": '{"n": "Ada"}', "operationName": "Q"}
    response = await client.get("/graphql", params=body)
    assert (response.status_code, response.json()) == (200, {"data": {"hello": "hello Ada"}})


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        (GRAPHQL, GRAPHQL),
        (JSON, JSON),
        ("*/*", JSON),
        ("application/*", JSON),
        (f"{GRAPHQL}, {JSON};q=0.9", GRAPHQL),
        (f"{JSON}, {GRAPHQL};q=0.9", JSON),
        (f"{JSON}, {GRAPHQL}", GRAPHQL),
        (f"{JSON};q=0, */*", GRAPHQL),
        ("text/html, */*;q=0.1", JSON),
    ],
)
async def test_the_media_type_is_the_one_that_the_client_prefers(
    client: httpx.AsyncClient, accept: str, expected: str
) -> None:
    response = await post(client, "{ hello }", accept)
    assert response.headers["content-type"] == f"{expected}; charset=utf-8"


async def test_an_unsupported_accept_header_is_406_with_the_supported_types(client: httpx.AsyncClient) -> None:
    response = await post(client, "{ hello }", "text/event-stream")
    assert response.status_code == 406
    assert GRAPHQL in response.json()["errors"][0]["message"]
    assert response.json()["errors"][0]["extensions"]["code"] == "NOT_ACCEPTABLE"


async def test_a_header_longer_than_any_client_sends_is_parsed_and_not_cached(client: httpx.AsyncClient) -> None:
    tracemalloc.start()
    for number in range(50):
        response = await post(client, "{ hello }", f"{GRAPHQL}, x/{'y' * 100_000}{number}")
        assert response.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
        assert (await client.get("/", headers={"host": f"{'y' * 100_000}{number}"})).status_code == 421
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1_000_000


@pytest.mark.parametrize("query", ["{ hello", "{ nothingLikeThis }", "query ($n: Int!) { twice(number: $n) }"])
async def test_a_request_error_has_no_data_and_the_status_of_its_media_type(
    client: httpx.AsyncClient, query: str
) -> None:
    new, old = await post(client, query, GRAPHQL), await post(client, query, JSON)
    assert (new.status_code, old.status_code) == (400, 200)
    assert new.json() == old.json()
    assert "data" not in new.json()


async def test_an_execution_error_keeps_the_other_fields_and_status_200(client: httpx.AsyncClient) -> None:
    response = await post(client, "{ hello refused }")
    assert response.status_code == 200
    assert response.json()["data"] == {"hello": "hello you", "refused": None}


async def test_data_that_an_error_has_nulled_is_null_and_not_absent(client: httpx.AsyncClient) -> None:
    response = await post(client, "{ hello brokenAndNeeded }")
    assert response.status_code == 200
    assert response.json()["data"] is None


@pytest.mark.parametrize(
    "body",
    [b"null", b'"x"', b"1", b"[]", b"true", b"", b"{", b"\xff\xfe", b'{"query": "\xff"}', b"{}", b'{"query": null}',
     b'{"query": 1}', b'{"query": "  "}', b'{"query": "{ hello }", "variables": []}',
     b'{"query": "{ hello }", "variables": "x"}', b'{"query": "{ hello }", "operationName": 1}',
     b'{"query": "{ hello }", "extensions": 1}', b'{"query": "{ hello }", "variables": ' + b"[" * 5000],
)  # fmt: skip
@pytest.mark.parametrize("media_type", [GRAPHQL, JSON])
async def test_a_malformed_request_is_400_with_a_graphql_error(
    client: httpx.AsyncClient, body: bytes, media_type: str
) -> None:
    headers = {"content-type": JSON, "accept": media_type}
    response = await client.post("/graphql", content=body, headers=headers)
    assert response.status_code == 400
    assert response.headers["content-type"].startswith(media_type)
    assert list(response.json()) == ["errors"]
    assert response.json()["errors"][0]["extensions"]["code"] == "BAD_REQUEST"


@pytest.mark.parametrize(
    "body",
    [
        {"query": "{ hello }", "operationName": "Other"},
        {"query": "query A { hello } query B { hello }"},
    ],
)
async def test_an_operation_that_cannot_be_chosen_is_400(client: httpx.AsyncClient, body: dict[str, str]) -> None:
    response = await client.post("/graphql", json=body)
    assert response.status_code == 400
    assert response.json()["errors"][0]["extensions"]["code"] == "OPERATION_RESOLUTION_FAILURE"


async def test_variables_of_a_get_that_are_not_json_are_400(client: httpx.AsyncClient) -> None:
    response = await client.get("/graphql", params={"query": "{ hello }", "variables": "{"})
    assert response.status_code == 400
    assert "`variables`" in response.json()["errors"][0]["message"]


async def test_a_mutation_needs_post(client: httpx.AsyncClient) -> None:
    by_get = await client.get("/graphql", params={"query": "mutation { __typename }"})
    assert (by_get.status_code, by_get.headers["allow"]) == (405, "POST")
    by_post = await post(client, "mutation { __typename }")
    assert by_post.json() == {"data": {"__typename": "Mutation"}}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_405(client: httpx.AsyncClient, method: str) -> None:
    response = await client.request(method, "/graphql", json={"query": "{ hello }"})
    assert (response.status_code, response.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/plain",
        "application/json; charset=latin-1",
        "",
    ],
)
async def test_a_post_that_a_foreign_form_could_send_is_rejected(client: httpx.AsyncClient, content_type: str) -> None:
    response = await client.post("/graphql", content=b'{"query": "{ hello }"}', headers={"content-type": content_type})
    assert response.status_code == 415
    assert response.json()["errors"][0]["extensions"]["code"] == "UNSUPPORTED_MEDIA_TYPE"


async def test_json_may_be_declared_as_utf8(client: httpx.AsyncClient) -> None:
    headers = {"content-type": 'Application/JSON; charset="UTF-8"'}
    response = await client.post(
        "/graphql", content='{"query": "{ hello(name: \\"Zoë\\") }"}'.encode(), headers=headers
    )
    assert response.json() == {"data": {"hello": "hello Zoë"}}


async def test_a_body_over_the_limit_is_413(client: httpx.AsyncClient) -> None:
    body = b'{"query": "{ hello }"}'
    fits = body.ljust(BODY_LIMIT_BYTES)
    response = await client.post("/graphql", content=fits, headers={"content-type": JSON})
    assert response.status_code == 200
    rejected = await client.post("/graphql", content=fits + b" ", headers={"content-type": JSON})
    assert rejected.status_code == 413
    assert rejected.json()["errors"][0]["extensions"]["code"] == "TOO_LARGE"


async def test_a_body_whose_declared_length_is_over_the_limit_is_rejected_unread(client: httpx.AsyncClient) -> None:
    read = 0

    async def counted() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b" "

    headers = {"content-type": JSON, "content-length": str(10**9)}
    response = await client.post("/graphql", content=counted(), headers=headers)
    assert (response.status_code, read) == (413, 0)


async def test_a_body_of_undeclared_length_is_rejected_once_it_passes_the_limit(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * (BODY_LIMIT_BYTES // 4)

    response = await client.post("/graphql", content=endless(), headers={"content-type": JSON})
    assert response.status_code == 413
    assert sent < 10


async def test_a_document_that_is_nested_too_deeply_is_the_callers_error(client: httpx.AsyncClient) -> None:
    response = await post(client, "{ hello " * 20_000)
    assert response.status_code == 400
    assert "nested too deeply" in response.json()["errors"][0]["message"]


async def test_introspection_is_supported(client: httpx.AsyncClient) -> None:
    response = await post(client, "{ __schema { queryType { name } } }")
    assert response.json()["data"] == {"__schema": {"queryType": {"name": "Query"}}}


async def test_the_principal_is_identified_before_the_body_is_read() -> None:
    read = 0

    async def reject(_scope: Scope) -> Principal:
        raise HttpError(401, "The API key is not valid.", "Send a valid key.")

    async def counted() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b"{"

    site = build_site(small_gateway(Query), no_database, reject)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
        response = await client.post("/graphql", content=counted(), headers={"content-type": JSON, "accept": GRAPHQL})
        assert (response.status_code, read) == (401, 0)
        assert response.headers["content-type"].startswith(GRAPHQL)
        assert (await client.get("/graphql", params={"query": "{"})).status_code == 401


async def test_a_request_is_identified_once() -> None:
    identified: list[str] = []

    async def identify(scope: Scope) -> Principal:
        identified.append(scope["method"])
        return await identify_local_operator(scope)

    site = build_site(small_gateway(Query), no_database, identify)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
        assert (await post(client, "{ hello }")).status_code == 200
        assert (await client.get("/graphql", params={"query": "{ hello }"})).status_code == 200
    assert identified == ["POST", "GET"]

"""GraphQL over HTTP: media types, status codes, and bodies that are none."""

import gc
import tracemalloc
from collections.abc import AsyncIterator

import httpx
import pytest

GRAPHQL = "application/graphql-response+json"
JSON = "application/json"


async def ask(client: httpx.AsyncClient, query: str, accept: str | None = GRAPHQL) -> httpx.Response:
    headers = {} if accept is None else {"accept": accept}
    return await client.post("/graphql", json={"query": query}, headers=headers)


async def test_a_query_is_answered_by_post(client: httpx.AsyncClient) -> None:
    asked = {"query": "query Q($n: String!) { hello(name: $n) }", "variables": {"n": "Ada"}}
    answer = await client.post("/graphql", json=asked)
    assert (answer.status_code, answer.json()) == (200, {"data": {"hello": "hello Ada"}})


async def test_a_query_is_answered_by_get(client: httpx.AsyncClient) -> None:
    asked = {"query": "query Q($n: String!) { hello(name: $n) }", "variables": '{"n": "Ada"}', "operationName": "Q"}
    answer = await client.get("/graphql", params=asked)
    assert (answer.status_code, answer.json()) == (200, {"data": {"hello": "hello Ada"}})


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
async def test_the_response_type_is_the_one_the_client_likes_best(
    client: httpx.AsyncClient, accept: str, expected: str
) -> None:
    answer = await ask(client, "{ hello }", accept)
    assert answer.headers["content-type"] == f"{expected}; charset=utf-8"


async def test_a_client_that_takes_no_type_of_ours_is_told_which_there_are(client: httpx.AsyncClient) -> None:
    answer = await ask(client, "{ hello }", "text/event-stream")
    assert answer.status_code == 406
    assert GRAPHQL in answer.json()["errors"][0]["message"]


async def test_a_header_longer_than_any_clients_is_read_and_not_kept(client: httpx.AsyncClient) -> None:
    tracemalloc.start()
    for number in range(50):
        answer = await ask(client, "{ hello }", f"{GRAPHQL}, x/{'y' * 100_000}{number}")
        assert answer.headers["content-type"] == f"{GRAPHQL}; charset=utf-8"
        assert (await client.get("/", headers={"host": f"{'y' * 100_000}{number}"})).status_code == 421
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1_000_000


@pytest.mark.parametrize("query", ["{ hello", "{ nothingLikeThis }", "query ($n: Int!) { twice(number: $n) }"])
async def test_a_request_error_has_no_data_and_the_status_of_its_media_type(
    client: httpx.AsyncClient, query: str
) -> None:
    new, old = await ask(client, query, GRAPHQL), await ask(client, query, JSON)
    assert (new.status_code, old.status_code) == (400, 200)
    assert new.json() == old.json()
    assert "data" not in new.json()


async def test_an_execution_error_leaves_the_rest_standing_with_200(client: httpx.AsyncClient) -> None:
    answer = await ask(client, "{ hello refused }")
    assert answer.status_code == 200
    assert answer.json()["data"] == {"hello": "hello you", "refused": None}


async def test_data_that_an_error_has_nulled_is_null_and_not_absent(client: httpx.AsyncClient) -> None:
    answer = await ask(client, "{ hello brokenAndNeeded }")
    assert answer.status_code == 200
    assert answer.json()["data"] is None


@pytest.mark.parametrize(
    "body",
    [b"null", b'"x"', b"1", b"[]", b"true", b"", b"{", b"\xff\xfe", b'{"query": "\xff"}', b"{}", b'{"query": null}',
     b'{"query": 1}', b'{"query": "  "}', b'{"query": "{ hello }", "variables": []}',
     b'{"query": "{ hello }", "variables": "x"}', b'{"query": "{ hello }", "operationName": 1}',
     b'{"query": "{ hello }", "extensions": 1}', b'{"query": "{ hello }", "operationName": "Other"}',
     b'{"query": "query A { hello } query B { hello }"}', b'{"query": "{ hello }", "variables": ' + b"[" * 5000],
)  # fmt: skip
@pytest.mark.parametrize("media_type", [GRAPHQL, JSON])
async def test_a_malformed_request_is_400_with_a_graphql_error(
    client: httpx.AsyncClient, body: bytes, media_type: str
) -> None:
    headers = {"content-type": JSON, "accept": media_type}
    answer = await client.post("/graphql", content=body, headers=headers)
    assert answer.status_code == 400
    assert answer.headers["content-type"].startswith(media_type)
    assert list(answer.json()) == ["errors"]
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"


async def test_variables_of_a_get_that_are_no_json_are_400(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", params={"query": "{ hello }", "variables": "{"})
    assert answer.status_code == 400
    assert "`variables`" in answer.json()["errors"][0]["message"]


async def test_a_mutation_needs_post(client: httpx.AsyncClient) -> None:
    by_get = await client.get("/graphql", params={"query": "mutation { change }"})
    assert (by_get.status_code, by_get.headers["allow"]) == (405, "POST")
    by_post = await ask(client, "mutation { change }")
    assert by_post.json() == {"data": {"change": True}}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
async def test_other_methods_are_405(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/graphql", json={"query": "{ hello }"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


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
async def test_a_post_that_a_foreign_form_could_send_is_refused(client: httpx.AsyncClient, content_type: str) -> None:
    answer = await client.post("/graphql", content=b'{"query": "{ hello }"}', headers={"content-type": content_type})
    assert answer.status_code == 415
    assert answer.json()["errors"][0]["extensions"]["code"] == "BAD_INPUT"


async def test_json_may_say_that_it_is_utf8(client: httpx.AsyncClient) -> None:
    headers = {"content-type": 'Application/JSON; charset="UTF-8"'}
    answer = await client.post("/graphql", content='{"query": "{ hello(name: \\"Zoë\\") }"}'.encode(), headers=headers)
    assert answer.json() == {"data": {"hello": "hello Zoë"}}


async def test_a_body_over_the_limit_is_413(client: httpx.AsyncClient) -> None:
    asked = b'{"query": "{ hello }"}'
    fits = asked.ljust(256 * 1024)
    answer = await client.post("/graphql", content=fits, headers={"content-type": JSON})
    assert answer.status_code == 200
    refused = await client.post("/graphql", content=fits + b" ", headers={"content-type": JSON})
    assert refused.status_code == 413
    assert refused.json()["errors"][0]["extensions"]["code"] == "TOO_LARGE"


async def test_a_body_that_says_it_is_too_long_is_refused_unread(client: httpx.AsyncClient) -> None:
    read = 0

    async def noted() -> AsyncIterator[bytes]:
        nonlocal read
        read += 1
        yield b" "

    headers = {"content-type": JSON, "content-length": str(10**9)}
    answer = await client.post("/graphql", content=noted(), headers=headers)
    assert (answer.status_code, read) == (413, 0)


async def test_a_body_of_unsaid_length_is_cut_off_at_the_limit(client: httpx.AsyncClient) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while True:
            sent += 1
            yield b" " * 64 * 1024

    answer = await client.post("/graphql", content=endless(), headers={"content-type": JSON})
    assert answer.status_code == 413
    assert sent < 10


async def test_a_document_nested_beyond_reason_is_the_callers_error(client: httpx.AsyncClient) -> None:
    answer = await ask(client, "{ hello " * 20_000)
    assert answer.status_code == 400
    assert "nested too deeply" in answer.json()["errors"][0]["message"]


async def test_the_introspection_that_clients_are_generated_from_is_answered(client: httpx.AsyncClient) -> None:
    answer = await ask(client, "{ __schema { queryType { name } } }")
    assert answer.json() == {"data": {"__schema": {"queryType": {"name": "Query"}}}}

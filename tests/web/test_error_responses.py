"""Expected errors are told with their code; bugs are masked, logged under an id and leak nothing."""

import asyncio
import logging

import asyncpg
import httpx
import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Message

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from api.web.website import build_site
from tests.web.small_schema import Query, nobody, small_gateway


def client_with(*routes: Route) -> httpx.AsyncClient:
    site = build_site(small_gateway(Query), nobody, routes=routes)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost")


async def entry(client: httpx.AsyncClient, query: str) -> dict[str, object]:
    answer = await client.post("/graphql", json={"query": query})
    error: dict[str, object] = answer.json()["errors"][0]
    return error


async def test_an_expected_error_goes_out_with_its_code_and_what_to_do(client: httpx.AsyncClient) -> None:
    error = await entry(client, "{ refused }")
    assert error["message"] == "There is no stage `lead`. The stages are mql and customer."
    assert error["extensions"] == {"code": "UNKNOWN_STAGE", "remedy": "The stages are mql and customer."}
    assert error["path"] == ["refused"]


async def test_a_bug_is_masked_and_logged_under_the_id_it_goes_out_with(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        error = await entry(client, "query Ask { broken }")
    extensions = error["extensions"]
    assert isinstance(extensions, dict)
    assert extensions["code"] == "INTERNAL"
    assert "hunter2" not in str(error)
    assert extensions["errorId"] in str(error["message"])
    assert extensions["errorId"] in caplog.text
    assert "at broken" in caplog.text
    assert "hunter2" in caplog.text


async def test_a_value_that_a_type_refuses_is_told_in_graphqls_words(client: httpx.AsyncClient) -> None:
    assert "Int" in str((await entry(client, '{ twice(number: "two") }'))["message"])
    wrong = {"query": "query ($n: Int!) { twice(number: $n) }", "variables": {"n": "two"}}
    message = (await client.post("/graphql", json=wrong)).json()["errors"][0]["message"]
    assert "$n" in message
    assert "two" in message


async def test_a_bug_outside_of_graphql_is_masked_too_and_carries_the_headers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(_request: Request) -> Response:
        raise RuntimeError("password=hunter2")

    async def refused(_request: Request) -> Response:
        raise AccordError(ErrorCode.NO_ACCORD, "No accord is in force.", "Run `accord init`.")

    async with client_with(Route("/broken", broken), Route("/refused", refused)) as client:
        bug, told = await client.get("/broken"), await client.get("/refused")
    assert (bug.status_code, told.status_code) == (500, 400)
    assert "hunter2" not in bug.text
    assert bug.json()["errors"][0]["extensions"]["errorId"] in caplog.text
    assert bug.headers["x-content-type-options"] == "nosniff"
    assert told.json()["errors"][0]["extensions"]["code"] == "NO_ACCORD"


@pytest.mark.parametrize(
    ("statement", "code"),
    [("select pg_sleep(5)", "TIMED_OUT"), ("select pg_terminate_backend(pg_backend_pid())", "DATABASE_UNREACHABLE")],
)
async def test_what_the_database_cannot_do_just_now_is_no_bug(database: Database, statement: str, code: str) -> None:
    async def ask_it(_request: Request) -> Response:
        async with database.read(timeout_ms=50) as session:
            await session.rows(Sql(statement))
        return Response()

    async with client_with(Route("/ask", ask_it)) as client:
        answer = await client.get("/ask")
    assert (answer.status_code, answer.json()["errors"][0]["extensions"]["code"]) == (503, code)


async def test_a_connection_that_broke_off_is_no_bug_in_whatever_words_the_driver_says_it() -> None:
    async def ended_while_idle(_request: Request) -> Response:
        raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")

    async def ended_while_given_up(_request: Request) -> Response:
        try:
            raise asyncio.CancelledError
        finally:
            raise asyncpg.InterfaceError("cannot perform operation: connection is closed")

    async with client_with(Route("/idle", ended_while_idle), Route("/given-up", ended_while_given_up)) as client:
        for path in ("/idle", "/given-up"):
            answer = await client.get(path)
            told = (answer.status_code, answer.json()["errors"][0]["extensions"]["code"])
            assert told == (503, "DATABASE_UNREACHABLE")


async def test_a_client_that_leaves_in_the_middle_of_its_body_leaves_no_error_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def leave() -> Message:
        return {"type": "http.disconnect"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    await build_site(small_gateway(Query), nobody)(scope, leave, send)
    assert sent[0]["status"] == 400
    assert caplog.records == []


async def test_an_unknown_address_is_a_json_404(client: httpx.AsyncClient) -> None:
    answer = await client.get("/nothing")
    assert answer.status_code == 404
    assert "/nothing" in answer.json()["errors"][0]["message"]


async def test_a_method_that_an_address_does_not_know_is_told_with_those_it_does(client: httpx.AsyncClient) -> None:
    answer = await client.delete("/")
    assert answer.status_code == 405
    assert {each.strip() for each in answer.headers["allow"].split(",")} == {"GET", "HEAD"}
    assert answer.json()["errors"][0]["message"] == "Method Not Allowed. The API is at /graphql."

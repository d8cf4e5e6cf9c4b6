"""Expected errors are returned with their code; bugs are masked and logged under an id."""

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
from api.web.identification import identify_local_operator
from api.web.website import build_site
from tests.web.small_schema import Query, no_database, small_gateway


def client_with(*routes: Route) -> httpx.AsyncClient:
    site = build_site(small_gateway(Query), no_database, identify_local_operator, routes=routes)
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost")


async def entry(client: httpx.AsyncClient, query: str) -> dict[str, object]:
    response = await client.post("/graphql", json={"query": query})
    error: dict[str, object] = response.json()["errors"][0]
    return error


async def test_an_expected_error_is_returned_with_its_code_and_remedy(client: httpx.AsyncClient) -> None:
    error = await entry(client, "{ refused }")
    assert error["message"] == "There is no stage `lead`. The stages are mql and customer."
    assert error["extensions"] == {"code": "UNKNOWN_STAGE", "remedy": "The stages are mql and customer."}
    assert error["path"] == ["refused"]


async def test_a_bug_is_masked_and_logged_under_the_id_in_the_response(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        error = await entry(client, "query Q { broken }")
    extensions = error["extensions"]
    assert isinstance(extensions, dict)
    assert extensions["code"] == "INTERNAL"
    assert "hunter2" not in str(error)
    assert extensions["errorId"] in str(error["message"])
    assert extensions["errorId"] in caplog.text
    assert "at broken" in caplog.text
    assert "hunter2" in caplog.text


async def test_a_value_that_a_type_rejects_is_reported_with_graphqls_message(client: httpx.AsyncClient) -> None:
    assert "Int" in str((await entry(client, '{ twice(number: "two") }'))["message"])
    wrong = {"query": "query ($n: Int!) { twice(number: $n) }", "variables": {"n": "two"}}
    message = (await client.post("/graphql", json=wrong)).json()["errors"][0]["message"]
    assert "$n" in message
    assert "two" in message


async def test_a_bug_outside_of_graphql_is_masked_and_its_response_has_the_security_headers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(_request: Request) -> Response:
        raise RuntimeError("password=hunter2")

    async def expected_error(_request: Request) -> Response:
        raise AccordError(ErrorCode.NO_ACCORD, "No accord is in force.", "Run `accord init`.")

    async with client_with(Route("/broken", broken), Route("/expected", expected_error)) as client:
        bug, expected = await client.get("/broken"), await client.get("/expected")
    assert (bug.status_code, expected.status_code) == (500, 400)
    assert "hunter2" not in bug.text
    assert bug.json()["errors"][0]["extensions"]["errorId"] in caplog.text
    assert bug.headers["x-content-type-options"] == "nosniff"
    assert expected.json()["errors"][0]["extensions"]["code"] == "NO_ACCORD"


@pytest.mark.parametrize(
    ("statement", "code"),
    [("select pg_sleep(5)", "TIMED_OUT"), ("select pg_terminate_backend(pg_backend_pid())", "DATABASE_UNREACHABLE")],
)
async def test_a_timeout_or_an_outage_of_the_database_is_an_expected_error(
    database: Database, statement: str, code: str
) -> None:
    async def run_statement(_request: Request) -> Response:
        async with database.read(timeout_ms=50) as session:
            await session.rows(Sql(statement))
        return Response()

    async with client_with(Route("/statement", run_statement)) as client:
        response = await client.get("/statement")
    assert (response.status_code, response.json()["errors"][0]["extensions"]["code"]) == (503, code)


async def test_every_way_the_driver_reports_a_lost_connection_is_an_expected_error() -> None:
    async def lost_while_idle(_request: Request) -> Response:
        raise asyncpg.InternalClientError("cannot switch to state 12; another operation (2) is in progress")

    async def lost_while_cancelled(_request: Request) -> Response:
        try:
            raise asyncio.CancelledError
        finally:
            raise asyncpg.InterfaceError("cannot perform operation: connection is closed")

    async with client_with(Route("/idle", lost_while_idle), Route("/cancelled", lost_while_cancelled)) as client:
        for path in ("/idle", "/cancelled"):
            response = await client.get(path)
            found = (response.status_code, response.json()["errors"][0]["extensions"]["code"])
            assert found == (503, "DATABASE_UNREACHABLE")


async def test_a_client_that_disconnects_while_it_sends_its_body_logs_no_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def disconnect() -> Message:
        return {"type": "http.disconnect"}

    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/graphql", "query_string": b"", "headers": headers}
    await build_site(small_gateway(Query), no_database, identify_local_operator)(scope, disconnect, send)
    assert sent[0]["status"] == 400
    assert caplog.records == []


async def test_an_unknown_address_is_a_json_404(client: httpx.AsyncClient) -> None:
    response = await client.get("/nothing")
    assert response.status_code == 404
    assert "/nothing" in response.json()["errors"][0]["message"]


async def test_an_unsupported_method_is_405_with_the_supported_ones(client: httpx.AsyncClient) -> None:
    response = await client.delete("/")
    assert response.status_code == 405
    assert {method.strip() for method in response.headers["allow"].split(",")} == {"GET", "HEAD"}
    assert response.json()["errors"][0]["message"] == "Method Not Allowed. The API is at /graphql."

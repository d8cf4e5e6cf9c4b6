"""Every request has an id, and a log line that says what happened and names nobody."""

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from api.access.principal import Principal
from api.db import Database
from api.errors import ErrorCode
from api.graph.contract import gateway
from api.graph.gateway import RequestPlan
from api.plan.cost.price import MAX_COST, ROWS_PER_UNIT, Price
from api.plan.explain_text import estimated_plan
from api.sql import Sql
from api.telemetry.correlation import sent_request_id, sent_trace_id
from api.telemetry.log_lines import FIELDS
from api.telemetry.request_record import row_count
from api.web.identification import identify_local_operator
from api.web.observed.request_log import PlanOf, SlowRequests
from api.web.website import build_site
from schema.access.rights import AccessLevel, Reach
from schema.base import new_id
from tests.support.api_keys import stored_member

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def client_of(database: Database, who: Principal | None = None, slow: SlowRequests | None = None) -> httpx.AsyncClient:
    async def identify(scope: Any) -> Principal:  # noqa: ANN401 - an ASGI scope
        return await identify_local_operator(scope) if who is None else who

    site = build_site(gateway(), lambda: database, identify, slow=slow or SlowRequests(3_600.0))
    transport = httpx.ASGITransport(app=site, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost")


@pytest.fixture
async def client(database: Database, caplog: pytest.LogCaptureFixture) -> AsyncIterator[httpx.AsyncClient]:
    caplog.set_level(logging.DEBUG, "accord.request")
    async with client_of(database) as opened:
        yield opened


def lines(caplog: pytest.LogCaptureFixture) -> list[tuple[logging.LogRecord, dict[str, Any]]]:
    return [(it, getattr(it, FIELDS)) for it in caplog.records if it.name == "accord.request" and hasattr(it, FIELDS)]


async def test_a_read_is_logged_with_its_operation_cost_rows_and_times(
    client: httpx.AsyncClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("Ada", "Grace"):
        await stored_member(database, member_name=name)
    query = "query People { members(first: 5) { nodes { name } } }"
    await client.post("/graphql", json={"query": query})
    [(record, found)] = lines(caplog)
    assert record.levelno == logging.INFO
    assert record.getMessage().startswith("POST /graphql 200 in ")
    assert {key: found[key] for key in ("method", "route", "status", "operation_kind", "operation", "rows")} == {
        "method": "POST",
        "route": "/graphql",
        "status": 200,
        "operation_kind": "query",
        "operation": "People",
        "rows": 2,
    }
    assert found["cost"] > 0
    assert found["statements"] == 1
    assert 0 < found["statement_ms"] <= found["duration_ms"]
    assert (found["principal_kind"], found["principal_id"]) == ("local", None)


async def test_a_request_that_is_refused_for_its_cost_is_logged_with_it(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RequestPlan, "price", Price((MAX_COST + 1) * ROWS_PER_UNIT))
    await client.post("/graphql", json={"query": "{ members { totalCount } }"})
    [(_, found)] = lines(caplog)
    assert (found["error"], found["cost"]) == (ErrorCode.TOO_LARGE, MAX_COST + 1)


async def test_the_hash_of_a_document_is_that_of_its_persisted_query(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await client.post("/graphql", json={"query": "{__typename}"})
    [(_, found)] = lines(caplog)
    assert found["document_hash"] == "ecf4edb46db40b5132295c0291d62fb65d6759a9eedfa4d5d612dd5ec54a6b38"
    assert found["operation"] is None


async def test_a_member_is_logged_by_id_and_not_by_name(database: Database, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "accord.request")
    member = new_id()
    who = Principal(Reach.ALL, member, AccessLevel.VIEWER, name="Ada Lovelace")
    async with client_of(database, who) as client:
        await client.post("/graphql", json={"query": "{ __typename }"})
    [(record, found)] = lines(caplog)
    assert (found["principal_kind"], found["principal_id"]) == ("member", str(member))
    assert "Ada" not in f"{record.getMessage()} {found}"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"query": "{ nothing }"}, ErrorCode.GRAPHQL_VALIDATION_FAILED),
        ({"query": "{"}, ErrorCode.GRAPHQL_PARSE_FAILED),
        ({"query": ""}, ErrorCode.BAD_REQUEST),
        ({"query": "{ kpi(key: MQL_TO_CUSTOMER) { value } }"}, ErrorCode.NO_ACCORD),
    ],
)
async def test_the_code_of_an_error_is_logged(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, body: dict[str, str], code: ErrorCode
) -> None:
    await client.post("/graphql", json=body)
    [(_, found)] = lines(caplog)
    assert found["error"] == code


@pytest.mark.parametrize("path", ["/graphql?query={__typename}", "/", "/nothing/alice@example.org", "/healthz"])
async def test_every_answer_has_the_id_that_came(client: httpx.AsyncClient, path: str) -> None:
    response = await client.get(path, headers={"X-Request-Id": "deploy-7"})
    assert response.headers.get_list("x-request-id") == ["deploy-7"]


async def test_a_refused_host_is_answered_with_an_id_and_logged(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    response = await client.post("/graphql", json={}, headers={"Host": "evil.example", "X-Request-Id": "two words"})
    assert response.status_code == 421
    assert response.headers["x-request-id"] not in ("", "two words")
    [(_, found)] = lines(caplog)
    assert (found["status"], found["error"]) == (421, "HOST_NOT_ALLOWED")


async def test_a_path_that_a_client_made_up_is_not_logged(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    await client.get("/people/alice@example.org")
    [(record, found)] = lines(caplog)
    assert found["route"] == "other"
    assert "alice" not in f"{record.getMessage()} {found}"


@pytest.mark.parametrize(
    ("header", "trace"),
    [
        (f"00-{TRACE}-00f067aa0ba902b7-01", TRACE),
        (f"cc-{TRACE}-00f067aa0ba902b7-01-more", TRACE),
        (f"ff-{TRACE}-00f067aa0ba902b7-01", None),
        (f"00-{'0' * 32}-00f067aa0ba902b7-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-00f067aa0ba902b7-01", None),
        ("alice@example.org", None),
    ],
)
def test_the_trace_of_a_traceparent_is_taken_if_it_is_well_formed(header: str, trace: str | None) -> None:
    assert sent_trace_id(header.encode()) == trace


def test_an_id_that_is_no_plain_word_is_not_taken() -> None:
    assert [sent_request_id(it) for it in (None, b"", b"a b", b"a\nb", b"x" * 101, b"ok:1")] == [*[None] * 5, "ok:1"]


async def test_a_health_check_is_logged_at_the_level_debug(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "accord.request")
    async with client_of(database) as client:
        await client.get("/favicon.ico")
    assert lines(caplog) == []


async def test_a_slow_request_is_a_warning_with_the_plan_of_its_slowest_statement(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def plan_of(text: str, values: Any) -> str:  # noqa: ANN401 - values of any SQL type
        async with database.read() as session:
            return await estimated_plan(session, text, values)

    caplog.set_level(logging.INFO, "accord.request")
    query = "query Find($name: String!) { members(first: 5, where: {name: {eq: $name}}) { nodes { id } } }"
    await stored_member(database, member_name="Ada Lovelace")
    async with client_of(database, slow=SlowRequests(0.0, plan_of)) as client:
        await client.post("/graphql", json={"query": query, "variables": {"name": "Ada Lovelace"}})
        await _logged_plan(caplog)
    records = [it for it in caplog.records if it.name == "accord.request"]
    assert {it.levelno for it in records} == {logging.WARNING}
    assert "(slow)" in records[0].getMessage()
    plan = getattr(records[1], FIELDS)["plan"]
    assert "member" in plan
    assert "(cost=" in plan
    assert "Lovelace" not in plan


async def test_a_statement_that_cannot_be_explained_is_said(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    async def no_plan(text: str, values: Any) -> str:  # noqa: ANN401 - values of any SQL type
        del text, values
        async with database.read() as session:
            return str(await session.value(Sql("select * from funnel_derived")))

    caplog.set_level(logging.INFO, "accord.request")
    plan_of: PlanOf = no_plan
    async with client_of(database, slow=SlowRequests(0.0, plan_of)) as client:
        await client.post("/graphql", json={"query": "{ members(first: 1) { nodes { id } } }"})
        await _logged_plan(caplog)
    assert "no plan by itself (UndefinedTableError)" in caplog.records[-1].getMessage()


async def _logged_plan(caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(10):
        while not any("The slowest statement" in it.getMessage() for it in caplog.records):  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        (b'{"contact":null}', 0),
        (b'{"contact":{"id":"contact_1"}}', 1),
        (b'{"a":{"nodes":[{"x":1,"company":{"y":1}},{"x":null}]},"b":{"nodes":[]}}', 3),
        (b'{"a": {"nodes": [{"deals": {"nodes": [{"id": 1}, \n {"id": 2}]}}]}}', 3),
        (b'{"tags":["a","b"]}', 0),
    ],
)
def test_rows_are_the_records_of_the_answer_with_linked_ones(data: bytes, rows: int) -> None:
    assert row_count(data) == rows

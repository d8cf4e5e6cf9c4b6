"""Spans of OpenTelemetry: one for each request and each statement, and none without the package."""

import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from api.db import Database
from api.graph.contract import gateway
from api.web.identification import identify_local_operator
from api.web.website import build_site
from tests.support.api_keys import stored_member

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
QUERY = "query Find($name: String!) { members(first: 5, where: {name: {eq: $name}}) { nodes { id } } }"


@pytest.fixture(scope="module")
def exporter() -> InMemorySpanExporter:
    exported = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exported))
    trace.set_tracer_provider(provider)
    return exported


@pytest.fixture
def spans(exporter: InMemorySpanExporter) -> Iterator[InMemorySpanExporter]:
    exporter.clear()
    yield exporter
    exporter.clear()


async def ask(database: Database, **headers: str) -> None:
    site = build_site(gateway(), lambda: database, identify_local_operator)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
        response = await client.post(
            "/graphql", json={"query": QUERY, "variables": {"name": "Ada Lovelace"}}, headers=headers
        )
        assert len(response.json()["data"]["members"]["nodes"]) == 1


async def test_a_request_is_a_span_of_the_trace_that_came_and_its_statement_is_one_within(
    database: Database, spans: InMemorySpanExporter
) -> None:
    await stored_member(database, member_name="Ada Lovelace")
    await ask(database)  # the first request of a process reads the statistics of the tables, too
    spans.clear()
    await ask(database, traceparent=f"00-{TRACE}-{PARENT}-01")
    statement, request = spans.get_finished_spans()
    assert (statement.name, request.name) == ("PostgreSQL statement", "POST /graphql")
    assert request.context is not None
    assert request.parent is not None
    assert statement.parent is not None
    assert f"{request.context.trace_id:032x}" == TRACE
    assert f"{request.parent.span_id:016x}" == PARENT
    assert statement.parent.span_id == request.context.span_id
    attributes = dict(request.attributes or {})
    assert attributes["graphql.operation.name"] == "Find"
    assert attributes["http.response.status_code"] == 200
    assert dict(statement.attributes or {}) == {"db.system.name": "postgresql"}


async def test_a_span_has_no_value_and_no_text(database: Database, spans: InMemorySpanExporter) -> None:
    await stored_member(database, member_name="Ada Lovelace")
    await ask(database)  # the first request of a process reads the statistics of the tables, too
    spans.clear()
    await ask(database)
    finished: tuple[ReadableSpan, ...] = spans.get_finished_spans()
    assert len(finished) == 2
    assert all("Lovelace" not in span.to_json() and "members" not in span.to_json() for span in finished)


def test_without_the_package_nothing_is_traced_and_everything_works() -> None:
    program = (
        "import sys; sys.modules['opentelemetry'] = None\n"
        "from api.telemetry import tracing\n"
        "from api.telemetry.statements import timed_statement\n"
        "with timed_statement('select 1'):\n"
        "    print(tracing.is_exporting())\n"
        "print(tracing.IS_INSTALLED, 'opentelemetry.trace' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\nFalse False\n"

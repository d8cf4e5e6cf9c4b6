"""Introspection: as GraphQL defines it, beside the event loop, and once in a document."""

import asyncio
import time

import orjson
import pytest
from graphql import ExecutionResult, execute_sync, get_introspection_query, parse

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import gateway
from api.graph.gateway import ExecutedResult, JsonResult
from api.graph.request import GraphQLRequest

TYPE = "query ($name: String!, $all: Boolean) { __type(name: $name) { name fields(includeDeprecated: $all) { name } } }"
QUERIES = (
    GraphQLRequest(get_introspection_query()),
    GraphQLRequest(TYPE, {"name": "Contact", "all": True}),
    GraphQLRequest(TYPE, {"name": "Deal"}),
    GraphQLRequest("query A { __typename } query B { t: __typename __schema { queryType { name } } }", {}, "B"),
)


async def answered(database: Database, request: GraphQLRequest) -> JsonResult | ExecutedResult:
    plan = await gateway().plan(database, request, gateway().validated(request), LOCAL_OPERATOR)
    return await gateway().execute(database, plan)


@pytest.mark.parametrize("request_of", QUERIES, ids=lambda it: it.query[:20])
async def test_the_answer_is_that_of_graphql_and_is_kept(database: Database, request_of: GraphQLRequest) -> None:
    schema = gateway()._schema
    expected = execute_sync(
        schema,
        parse(request_of.query),
        variable_values=dict(request_of.variables),
        operation_name=request_of.operation_name,
    )
    assert isinstance(expected, ExecutionResult)
    first, second = await answered(database, request_of), await answered(database, request_of)
    assert isinstance(first, JsonResult)
    assert isinstance(second, JsonResult)
    assert orjson.loads(first.data) == expected.data
    assert first.data is second.data


async def test_an_error_is_reported_at_its_field(database: Database) -> None:
    result = await answered(database, GraphQLRequest(TYPE, {"name": 5}))
    assert isinstance(result, ExecutedResult)
    assert "$name" in str(result.result.errors)


async def test_others_are_served_while_the_schema_is_read(database: Database) -> None:
    request = GraphQLRequest(get_introspection_query().replace("__schema", "notKeptYet: __schema"))
    gateway().validated(request)
    began = latest = time.monotonic()
    longest = 0.0
    reading = asyncio.create_task(answered(database, request))
    while not reading.done():
        await asyncio.sleep(0.001)
        now = time.monotonic()
        longest, latest = max(longest, now - latest), now
    assert longest < (time.monotonic() - began) / 3


async def test_the_schema_is_read_once_in_a_document() -> None:
    document = "{ __schema { ...S } other: __schema { ...S } } fragment S on __Schema { queryType { name } }"
    [error] = gateway().validated(GraphQLRequest(document)).errors
    assert isinstance(error.original_error, AccordError)
    assert error.original_error.code is ErrorCode.TOO_LARGE
    assert error.message == "The document has 2 fields `__schema`, with fragments expanded. The limit is 1."

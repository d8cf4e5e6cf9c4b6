"""Requests that become one statement, requests that run through the executor, and what the caches keep."""

import gc
from weakref import ref

import asyncpg
import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.graph.contract import gateway
from api.graph.gateway import JsonResult
from api.graph.request import GraphQLRequest
from schema.access.rights import Reach
from tests.support.graphql import answered, executed, planned, uid, with_personal_data
from tests.support.small_company import ACME, ADA, ANNA, BOB, DEAL, write_small_company
from tests.support.statement_log import LoggingDatabase


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
    return module_database


@pytest.fixture
def watched(world: Database) -> LoggingDatabase:
    return LoggingDatabase(world)


async def test_a_document_of_records_is_one_statement_whose_json_is_the_response(watched: LoggingDatabase) -> None:
    document = """query ($id: ID!) {
      __typename  ada: contact(id: $id) { firstName }  companies(first: 1) { totalCount }  nothing: contact(id: $id)
      @include(if: false) { id }  node(id: "deal_%s") { __typename ... on Deal { name } }
    }"""
    outcome = await executed(watched, document % DEAL, LOCAL_OPERATOR, id=f"contact_{ADA}")
    assert outcome.is_json
    assert outcome.data == {
        "__typename": "Query",
        "ada": {"firstName": "Ada"},
        "companies": {"totalCount": 2},
        "node": {"__typename": "Deal", "name": "First"},
    }
    assert list(outcome.data) == ["__typename", "ada", "companies", "node"]
    assert len(watched.texts) == 1


async def test_the_records_beside_other_fields_are_read_by_one_statement(watched: LoggingDatabase) -> None:
    document = "{ contacts { totalCount } kpiCatalogue { key } companies { totalCount } deals { totalCount } }"
    outcome = await executed(watched, document)
    assert not outcome.is_json
    assert outcome.errors is None
    assert list(outcome.data) == ["contacts", "kpiCatalogue", "companies", "deals"]
    assert outcome.data["contacts"] == {"totalCount": 3}
    assert len(watched.texts) == 1


async def test_a_document_is_planned_once_for_all_values_of_its_bound_variables(watched: LoggingDatabase) -> None:
    document = "query ($id: ID!, $name: String, $ids: [ID!]) { contact(id: $id) { firstName } contacts(where: {"
    document += " or: [{ firstName: { eq: $name } }, { id: { in: $ids } }] }) { nodes { firstName } } }"
    cases = [
        (ADA, "Bob", [], ["Bob"]),
        (BOB, "Ada", [f"contact_{BOB}"], ["Ada", "Bob"]),
        (ACME, "nobody", [f"contact_{ADA}"], ["Ada"]),
    ]
    for row, name, ids, found in cases:
        data = await answered(watched, document, LOCAL_OPERATOR, id=f"contact_{row}", name=name, ids=ids)
        assert [node["firstName"] for node in data["contacts"]["nodes"]] == found
    assert len({text for text, _ in watched.texts}) == 1
    # A missing or null value has another meaning: an operator that is left out tests nothing, and null is rejected.
    data = await answered(watched, document, LOCAL_OPERATOR, id=f"contact_{ADA}", ids=[])
    assert len(data["contacts"]["nodes"]) == 3
    rejected = await executed(watched, document, LOCAL_OPERATOR, id=f"contact_{ADA}", name=None, ids=[])
    assert rejected.errors
    assert "has no value to compare with" in rejected.errors[0].message


async def test_variables_in_filters_through_links_are_bound_too(watched: LoggingDatabase) -> None:
    document = """query ($name: String, $start: String, $role: String, $ids: [ID!]) {
      contacts(where: { or: [
        { company: { name: { eq: $name }, not: { parentId: { in: $ids } } } }
        { dealRoles: { some: { role: { startsWith: $start } }, none: { role: { contains: $role } } } }
      ] }, orderBy: [{ company: { name: DESC } }, { firstName: ASC }]) { nodes { firstName } } }"""
    cases: list[tuple[str, str, str, list[str]]] = [
        ("Acme", "none", "none", ["Ada", "Carl"]),
        ("Bolt", "none", "none", []),
        ("Bolt", "DEC", "%", ["Ada"]),
        ("Bolt", "DEC", "cid", []),
    ]
    kept = len(gateway()._plans)
    # The first request of a process finds out whether contacts are merged.
    await answered(watched, document, LOCAL_OPERATOR, name="Acme", start="none", role="none", ids=[])
    watched.texts.clear()
    for name, start, role, found in cases:
        data = await answered(watched, document, LOCAL_OPERATOR, name=name, start=start, role=role, ids=[])
        assert [node["firstName"] for node in data["contacts"]["nodes"]] == found
    assert len({text for text, _ in watched.texts}) == 1
    assert len(gateway()._plans) == kept + 1


async def test_every_value_of_a_structural_variable_has_a_plan_of_its_own(watched: LoggingDatabase) -> None:
    document = "query ($first: Int, $more: Boolean!, $where: ContactWhere) { contacts(first: $first, where: $where) {"
    document += " nodes { firstName email @include(if: $more) } } }"
    cases = [(1, True, None), (2, True, None), (2, False, None), (2, False, {"firstName": {"startsWith": "A"}})]
    for first, more, where in cases[:3]:
        nodes = (await answered(watched, document, LOCAL_OPERATOR, first=first, more=more, where=where))["contacts"][
            "nodes"
        ]
        assert len(nodes) == first
        assert all(("email" in node) == more for node in nodes)
    assert len({text for text, _ in watched.texts}) == 3


async def test_an_invalid_value_is_reported_as_the_executor_reports_it(watched: LoggingDatabase) -> None:
    document = "query ($id: ID!) { one: contact(id: $id) { id } other: companies { totalCount } }"
    assert (await executed(watched, document, LOCAL_OPERATOR, id=f"contact_{ADA}")).is_json
    invalid = await executed(watched, document, LOCAL_OPERATOR, id=f"company_{ACME}")
    assert invalid.data == {"one": None, "other": {"totalCount": 2}}
    assert invalid.errors is not None
    assert [error.path for error in invalid.errors] == [["one"]]
    for values in ({"id": None}, {"id": {"a": 1}}, {}):
        rejected = await executed(watched, document, LOCAL_OPERATOR, **values)
        assert rejected.data is None
        assert rejected.errors is not None
        assert rejected.errors[0].path is None


async def test_an_invalid_value_does_not_affect_the_plan_for_valid_ones(watched: LoggingDatabase) -> None:
    document = "query Unaffected($id: ID!) { contact(id: $id) { id } }"
    assert (await executed(watched, document, LOCAL_OPERATOR, id={"a": 1})).errors
    assert (await executed(watched, document, LOCAL_OPERATOR, id=f"contact_{ADA}")).is_json


async def test_principals_share_a_plan_only_if_their_plan_keys_are_equal(watched: LoggingDatabase) -> None:
    document = "query Scoped { contacts { totalCount } }"
    plans = len(gateway()._plans)
    counts = [
        (await answered(watched, document, principal))["contacts"]["totalCount"]
        for principal in (
            LOCAL_OPERATOR,
            with_personal_data(Reach.OWN, ANNA),
            with_personal_data(Reach.OWN, uid(999)),
            LOCAL_OPERATOR,
        )
    ]
    assert counts == [3, 2, 0, 3]
    assert len(gateway()._plans) == plans + 2


async def test_a_cached_plan_does_not_keep_its_document_in_memory(watched: LoggingDatabase) -> None:
    document = "query Kept { contacts(first: 1) { totalCount } }"
    assert (await executed(watched, document)).is_json
    plans = len(gateway()._plans)
    operation = ref(gateway().validated(GraphQLRequest(document)).operation("Kept"))
    gateway()._documents._kept.pop(document)
    gc.collect()
    assert operation() is None
    assert len(gateway()._plans) == plans


async def test_the_weight_of_a_cached_plan_includes_its_values_and_variables(watched: LoggingDatabase) -> None:
    def weight() -> float:
        return gateway()._plans.currsize

    names = [f"somebody {number}" for number in range(1_000)]
    written = f"{{ contacts(where: {{ firstName: {{ in: {names[:300]} }} }}) {{ totalCount }} }}".replace("'", '"')
    before = weight()
    assert (await executed(watched, written)).is_json
    assert weight() - before > 300 * 100
    before = weight()
    document = "query ($where: ContactWhere) { contacts(where: $where) { totalCount } }"
    assert (await executed(watched, document, LOCAL_OPERATOR, where={"firstName": {"in": names}})).is_json
    assert weight() - before > 1_000 * 100


def test_a_document_that_cannot_be_parsed_does_not_keep_the_parser_in_memory() -> None:
    [error] = gateway().validated(GraphQLRequest("{ contacts ")).errors
    assert "Syntax Error" in error.message
    assert error.__traceback__ is None


class _Lost(LoggingDatabase):
    """A database whose connection is lost."""

    def __init__(self, database: Database, reason: type[Exception]) -> None:
        super().__init__(database)
        self.reason = reason

    async def value(self, text: str, values: object) -> object:
        raise self.reason(f"lost while running {len(text)} characters with {values}")


@pytest.mark.parametrize("reason", [asyncpg.ConnectionDoesNotExistError, asyncpg.InternalClientError])
async def test_a_failed_statement_is_reported_at_every_field_that_reads(
    reason: type[Exception], world: Database
) -> None:
    lost = _Lost(world, reason)
    outcome = await executed(
        lost, f'{{ one: contact(id: "contact_{ADA}") {{ id }} two: node(id: "deal_{DEAL}") {{ id }} }}'
    )
    assert outcome.data == {"one": None, "two": None}
    assert outcome.errors is not None
    assert [error.path for error in outcome.errors] == [["one"], ["two"]]
    assert (await executed(lost, "{ contacts { totalCount } }")).data is None


async def test_an_unknown_directive_is_an_error(world: Database) -> None:
    outcome = await executed(world, "{ contacts { totalCount @cheap } }")
    assert outcome.errors is not None
    assert "Unknown directive" in outcome.errors[0].message


async def test_operation_name_decides_which_operation_runs(world: Database) -> None:
    document = "query People { contacts { totalCount } } query Firms { companies { totalCount } }"
    for name, found in (("People", {"contacts": {"totalCount": 3}}), ("Firms", {"companies": {"totalCount": 2}})):
        request = GraphQLRequest(document, {}, name)
        result = await gateway().execute(world, await planned(world, request))
        assert isinstance(result, JsonResult)
        assert b"totalCount" in result.data
        assert next(iter(found)).encode() in result.data


# A variable with a default is valid where null is not allowed; a null value of it is an error only at run time.
NEVER_NULL: list[tuple[str, str, list[str] | None]] = [
    ('query ($v: ID = "x") { company(id: $v) { id } }', "id", ["company"]),
    (
        'query ($v: String = "x") { companies(where: { name: { in: [$v] } }) { totalCount } }',
        "where",
        ["companies"],
    ),
    (
        'query ($v: String = "x") { companies { nodes { deals(where: { name: { in: [$v] } }) { totalCount } } } }',
        "where",
        ["companies"],
    ),
    ("query ($v: Boolean = true) { companies { nodes { id @include(if: $v) } } }", "if", ["companies"]),
    ("query ($v: Boolean = true) { companies { totalCount } members @skip(if: $v) { totalCount } }", "if", None),
]


@pytest.mark.parametrize(("document", "argument", "path"), NEVER_NULL)
async def test_a_null_that_a_default_allowed_is_reported_as_graphql_does(
    document: str, argument: str, path: list[str] | None, world: Database
) -> None:
    outcome = await executed(world, document, v=None)
    [error] = outcome.errors or ()
    assert error.message.startswith(f"Argument '{argument}' has invalid value")
    # Within a root field it is reported at that field, which could not be read.
    assert error.path == path

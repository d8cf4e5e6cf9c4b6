"""Records through the contract: visibility, filters, orders, pages, and errors in arguments."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_named_type

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import build_schema
from api.graph.derived.filter_types import where_type
from api.graph.derived.order_types import order_type
from schema.base import TableShape
from schema.tables import SHAPES
from tests.support.graphql import answered, executed, refused
from tests.support.small_company import ADA, DEAL, GONE_COMPANY, GONE_CONTACT, GONE_DEAL, write_small_company

HIDDEN = {"company": GONE_COMPANY, "contact": GONE_CONTACT, "deal": GONE_DEAL}


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
    return module_database


PLAIN = ("Money", "PresentStage", "PageInfo", "Aggregate", "DistinctCounts", "Numbers", "Extremes", "Key")
FIGURES = ("aggregate", "groupBy")  # fields of a list that are selected separately


def everything(kind: GraphQLObjectType, steps: int) -> str:
    """Return a selection of all fields, following links and lists for that number of steps."""
    return " ".join(("__typename", *(part for part in (field(kind, name, steps) for name in kind.fields) if part)))


def field(kind: GraphQLObjectType, name: str, steps: int) -> str:
    """Return a field with everything in it; an empty text if it is more steps away."""
    found = get_named_type(kind.fields[name].type)
    if name == "groupCount":
        return ""
    if isinstance(found, GraphQLInterfaceType):
        return f"{name} {{ __typename ... on Node {{ id }} }}"
    if not isinstance(found, GraphQLObjectType):
        return name
    if name in FIGURES and "nodes" in kind.fields:
        return ""
    is_within = found.name.endswith(PLAIN) or "nodes" in kind.fields or "node" in kind.fields
    if not is_within and not steps:
        return ""
    few = "(first: 5)" if "first" in kind.fields[name].args else ""
    return f"{name}{few} {{ {everything(found, steps if is_within else steps - 1)} }}"


def figures(kind: GraphQLObjectType) -> str:
    """Return a selection of all figures of a list, and of its groups by all keys."""
    key = get_named_type(kind.fields["groupBy"].args["keys"].type)
    assert isinstance(key, GraphQLInputObjectType)
    words = {"TimeGrain": "MONTH", "GroupByEach": "EACH"}
    keys = (f"{{{name}: {words[str(get_named_type(found.type))]}}}" for name, found in key.fields.items())
    aggregate, group = (get_named_type(kind.fields[name].type) for name in FIGURES)
    assert isinstance(aggregate, GraphQLObjectType)
    assert isinstance(group, GraphQLObjectType)
    which = f"keys: [{', '.join(keys)}]"
    groups = f"groupBy({which}) {{ {everything(group, 1)} }} groupCount({which})"
    return f"nodes {{ __typename }} aggregate {{ {everything(aggregate, 0)} }} {groups}"


def nodes_of(connection: GraphQLObjectType) -> GraphQLObjectType:
    found = get_named_type(connection.fields["nodes"].type)
    assert isinstance(found, GraphQLObjectType)
    return found


def lists() -> Iterator[tuple[str, GraphQLObjectType]]:
    """Yield the lists of one table by the name of their root field. The others have their own tests."""
    contract = build_schema()._schema
    assert isinstance(contract, GraphQLSchema)
    assert contract.query_type is not None
    for name, field in contract.query_type.fields.items():
        found = get_named_type(field.type)
        if (
            isinstance(found, GraphQLObjectType)
            and found.name.endswith("Connection")
            and name not in ("search", "changes", "accordVersions")
        ):
            yield name, found


@pytest.mark.parametrize("name", [name for name, _ in lists()])
async def test_a_deleted_record_is_not_visible_by_any_path(name: str, world: Database) -> None:
    connection = dict(lists())[name]
    rows = nodes_of(connection)
    documents = [f"{{ {name}(first: 20) {{ nodes {{ __typename {field(rows, key, 2)} }} }} }}" for key in rows.fields]
    selections = [everything(connection, 0)]
    selections += [figures(connection)] if "groupBy" in connection.fields else []
    documents += [f"{{ {name}(first: 20) {{ {selected} }} }}" for selected in selections]
    for document in documents:
        found = json.dumps(await answered(world, document))
        assert "nodes" in found
        for table, row in HIDDEN.items():
            assert f"{table}_{row}" not in found
        assert "Gone" not in found


@pytest.mark.parametrize(("table", "row"), HIDDEN.items())
async def test_a_deleted_record_is_not_found_by_its_id(table: str, row: object, world: Database) -> None:
    fields = f'{table}(id: "{table}_{row}") {{ id }} node(id: "{table}_{row}") {{ id }}'
    assert await answered(world, f"{{ {fields} }}") == {table: None, "node": None}


async def test_entries_of_another_evaluation_are_not_shown(world: Database) -> None:
    found = await answered(world, "{ stageEntries { totalCount nodes { stage occurrence } } }")
    assert found["stageEntries"]["totalCount"] == 2
    assert 9 not in [entry["occurrence"] for entry in found["stageEntries"]["nodes"]]


@pytest.mark.parametrize("table", [shape.name for shape in SHAPES.values() if not shape.is_hidden and shape.has_id])
async def test_node_returns_a_record_of_the_type_of_its_id(table: str, world: Database) -> None:
    plural = next(name for name, kind in lists() if kind.name == f"{SHAPES[table].type_name}Connection")
    some = (await answered(world, f"{{ {plural}(first: 1) {{ nodes {{ id }} }} }}"))[plural]["nodes"]
    for record in some:
        found = await answered(world, "query ($id: ID!) { node(id: $id) { __typename id } }", id=record["id"])
        assert found["node"] == {"__typename": SHAPES[table].type_name, "id": record["id"]}


async def test_lists_of_one_parent_have_their_own_pages(world: Database) -> None:
    document = """{ contact(id: "%s") {
      early: touchpoints(first: 1, orderBy: [{ occurredAt: ASC }]) { nodes { occurredAt } pageInfo { endCursor } }
      late: touchpoints(first: 1, orderBy: [{ occurredAt: DESC }]) { nodes { occurredAt } totalCount }
    } }"""
    found = (await answered(world, document % f"contact_{ADA}"))["contact"]
    assert found["early"]["nodes"] == [{"occurredAt": "2026-01-01T09:30:00Z"}]
    assert found["late"] == {"nodes": [{"occurredAt": "2026-01-03T09:30:00Z"}], "totalCount": 3}


async def test_an_empty_page_still_reports_whether_there_are_more_rows(world: Database) -> None:
    page = (await answered(world, "{ deals(first: 0) { nodes { id } pageInfo { hasNextPage endCursor } } }"))["deals"]
    assert page == {"nodes": [], "pageInfo": {"hasNextPage": True, "endCursor": None}}


BAD: list[tuple[str, ErrorCode, str]] = [
    ("contacts(first: -1) { totalCount }", ErrorCode.BAD_INPUT, "negative number of rows"),
    ("contacts(first: 501) { totalCount }", ErrorCode.TOO_LARGE, "500"),
    (
        "contacts { nodes { touchpoints(first: 501) { totalCount } } }",
        ErrorCode.TOO_LARGE,
        r"touchpoints\(first: 501\)",
    ),
    ('contacts(after: "x") { nodes { id } }', ErrorCode.BAD_INPUT, "not a cursor of this list"),
    ('contacts(after: "") { nodes { id } }', ErrorCode.BAD_INPUT, "not a cursor of this list"),
    ('contacts(after: "WyJpZCsiLCA1XQ==") { nodes { id } }', ErrorCode.BAD_INPUT, "not a cursor of this list"),
    ('contacts(after: "bnVsbA==") { nodes { id } }', ErrorCode.BAD_INPUT, "not a cursor of this list"),
    ("contacts(last: -1) { totalCount }", ErrorCode.BAD_INPUT, r"last: -1\)` asks for a negative number of rows"),
    ("contacts(last: 501) { totalCount }", ErrorCode.TOO_LARGE, r"contacts\(last: 501\)"),
    ("contacts(first: 1, last: 2) { totalCount }", ErrorCode.BAD_INPUT, r"first: 1, last: 2\)` asks for both ends"),
    ('contacts(after: "x") { totalCount }', ErrorCode.BAD_INPUT, "not a cursor of this list"),
    ('contacts(before: "x") { __typename }', ErrorCode.BAD_INPUT, "`before` is not a cursor of this list"),
    ('contacts(before: "x") { nodes { id } }', ErrorCode.BAD_INPUT, "`before` is not a cursor of this list"),
    (
        "deals(orderBy: [{ owner: { manager: { manager: { manager: { manager: { name: ASC } } } } } }]) { totalCount }",
        ErrorCode.TOO_LARGE,
        r"goes through 5 links to a field\. It may go through 4",
    ),
    (
        f"deals(orderBy: [{'{ name: ASC } ' * 11}]) {{ totalCount }}",
        ErrorCode.TOO_LARGE,
        r"names 11 fields\. It may name 10",
    ),
    ("contacts(where: { email: { eq: null } }) { totalCount }", ErrorCode.BAD_INPUT, "isNull: true"),
    (
        "contacts(where: { email: { isNull: null } }) { totalCount }",
        ErrorCode.BAD_INPUT,
        "has no value to compare with",
    ),
    ('contacts(where: { email: { eq: "\\u0000" } }) { totalCount }', ErrorCode.BAD_INPUT, "character"),
    ('contacts(where: { companyId: { eq: "contact_1" } }) { totalCount }', ErrorCode.BAD_INPUT, "is not an id"),
    (
        'contact(id: "company_00000000-0000-0000-0000-000000000001") { id }',
        ErrorCode.BAD_INPUT,
        "not an id of a Contact",
    ),
    ('node(id: "evaluation_00000000-0000-0000-0000-000000000001") { id }', ErrorCode.BAD_INPUT, "is not an id"),
    ('node(id: "nonsense") { id }', ErrorCode.BAD_INPUT, "is not an id"),
]


@pytest.mark.parametrize(("field", "code", "words"), BAD)
async def test_an_invalid_argument_is_rejected_with_a_code_and_a_remedy(
    field: str, code: ErrorCode, words: str, world: Database
) -> None:
    error = await refused(world, f"{{ {field} }}")
    assert isinstance(error, AccordError)
    assert error.code is code
    with pytest.raises(AccordError, match=words):
        raise error


async def test_a_cursor_of_another_order_is_rejected(world: Database) -> None:
    document = "query ($order: [ContactOrder!], $after: String) {"
    document += " contacts(first: 1, orderBy: $order, after: $after) { pageInfo { endCursor } } }"
    found = await answered(world, document, order=[{"createdAt": "ASC"}])
    cursor = found["contacts"]["pageInfo"]["endCursor"]
    error = await refused(world, document, order=[{"updatedAt": "ASC"}], after=cursor)
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT


FILTERS: list[tuple[str, dict[str, Any], int]] = [
    ("query { contacts(where: {}) { totalCount } }", {}, 3),
    ("query { contacts(where: null, orderBy: null, after: null, first: null) { totalCount } }", {}, 3),
    ("query { contacts(where: { and: [] }) { totalCount } }", {}, 3),
    ("query { contacts(where: { or: [] }) { totalCount } }", {}, 0),
    ("query { contacts(where: { not: {} }) { totalCount } }", {}, 0),
    ("query { contacts(where: { email: { in: [] } }) { totalCount } }", {}, 0),
    ("query { contacts(where: { email: {} }) { totalCount } }", {}, 3),
    ("query { contacts(where: { leadScore: { gt: 1 } }) { totalCount } }", {}, 1),
    ("query { contacts(where: { not: { leadScore: { gt: 1 } } }) { totalCount } }", {}, 2),
    ("query ($score: Int) { contacts(where: { leadScore: { gt: $score } }) { totalCount } }", {}, 3),
    (
        "query ($where: ContactWhere) { contacts(where: $where) { totalCount } }",
        {"where": {"emailOptOut": {"eq": True}}},
        1,
    ),
    ("query ($where: ContactWhere) { contacts(where: $where) { totalCount } }", {"where": None}, 3),
    ("query ($owner: MemberWhere) { contacts(where: { owner: $owner }) { totalCount } }", {}, 3),
    ("query ($not: ContactWhere) { contacts(where: { not: $not }) { totalCount } }", {}, 3),
    ("query { contacts(where: { company: {} }) { totalCount } }", {}, 2),
    ("query { contacts(where: { touchpoints: {} }) { totalCount } }", {}, 3),
    ("query ($some: TouchpointWhere) { contacts(where: { touchpoints: { some: $some } }) { totalCount } }", {}, 3),
    ("query { contacts(where: { touchpoints: { some: {} } }) { totalCount } }", {}, 2),
    ("query { contacts(where: { touchpoints: { none: {} } }) { totalCount } }", {}, 1),
    ("query { contacts(where: { touchpoints: { every: {} } }) { totalCount } }", {}, 3),
    ("query { contacts(where: { touchpoints: { every: { campaign: {} } } }) { totalCount } }", {}, 3),
    (
        'query { contacts(where: { owner: { reports: { every: { email: { contains: "@" } } } } }) { totalCount } }',
        {},
        0,  # a report without an address does not match
    ),
    (
        "query ($name: String) { contacts(where: { company: { name: { startsWith: $name } } }) { totalCount } }",
        {"name": "AC"},
        2,
    ),
]


@pytest.mark.parametrize(("document", "variables", "count"), FILTERS)
async def test_absent_and_empty_parts_of_a_filter(
    document: str, variables: dict[str, Any], count: int, world: Database
) -> None:
    assert (await answered(world, document, **variables))["contacts"]["totalCount"] == count


FORGED = [
    ("leadScore", [10**30]),
    ("leadScore", [1.5]),
    ("leadScore", [True]),
    ("leadScore", [{}]),
    ("firstName", ["\0"]),
    ("firstName", [5]),
    ("createdAt", ["0001-01-01T00:00:00+14:00"]),
    ("createdAt", [None]),
    ("createdAt", [0]),
]


@pytest.mark.parametrize(("key", "values"), FORGED)
async def test_a_forged_cursor_is_rejected_before_postgresql_receives_it(
    key: str, values: list[object], world: Database
) -> None:
    document = "query ($order: [ContactOrder!], $after: String) {"
    document += " contacts(first: 1, orderBy: $order, after: $after) { pageInfo { endCursor } } }"
    found = await answered(world, document, order=[{key: "ASC"}])
    mark, _, last = json.loads(base64.b64decode(found["contacts"]["pageInfo"]["endCursor"]))
    forged = base64.b64encode(json.dumps([mark, *values, last]).encode()).decode()
    error = await refused(world, document, order=[{key: "ASC"}], after=forged)
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT


async def test_a_sort_term_names_exactly_one_field(world: Database) -> None:
    result = await executed(world, "{ contacts(orderBy: [{ createdAt: ASC, email: ASC }]) { totalCount } }")
    assert result.data is None
    assert result.errors
    assert "exactly one" in result.errors[0].message


async def test_a_field_named_twice_in_an_order_sorts_at_its_first_place(world: Database) -> None:
    document = "query ($order: [DealOrder!]) { deals(orderBy: $order) { nodes { id } } }"
    twice = await answered(world, document, order=[{"name": "DESC"}, {"name": "ASC"}])
    assert twice == await answered(world, document, order=[{"name": "DESC"}])


async def test_one_invalid_field_leaves_the_others_unaffected(world: Database) -> None:
    result = await executed(world, f'{{ deal(id: "deal_{DEAL}") {{ name }} contact(id: "x") {{ id }} }}')
    assert result.data == {"deal": {"name": "First"}, "contact": None}
    assert result.errors is not None
    assert result.errors[0].path == ["contact"]


async def test_first_and_last_may_be_null_as_relay_specifies(world: Database) -> None:
    document = "query ($last: Int, $first: Int) { contacts(first: $first, last: $last) { nodes { firstName } } }"
    everybody = (await answered(world, document))["contacts"]["nodes"]
    assert [node["firstName"] for node in everybody] == ["Ada", "Bob", "Carl"]
    assert (await answered(world, document, last=2, first=None))["contacts"]["nodes"] == everybody[1:]
    assert (await answered(world, document, last=None, first=2))["contacts"]["nodes"] == everybody[:2]
    assert (await answered(world, document, last=0))["contacts"]["nodes"] == []


async def test_inner_lists_are_paged_from_their_end(world: Database) -> None:
    document = """query ($id: ID!, $before: String) { contact(id: $id) { touchpoints(
      last: 1, before: $before, orderBy: [{ campaign: { name: ASC } }, { occurredAt: ASC }]
    ) { nodes { occurredAt } pageInfo { hasPreviousPage hasNextPage startCursor } } } }"""
    walked, before = [], None
    while True:
        found = await answered(world, document, id=f"contact_{ADA}", before=before)
        page = found["contact"]["touchpoints"]
        assert page["pageInfo"]["hasNextPage"] == (before is not None)
        walked.append(page["nodes"][0]["occurredAt"][:10])
        before = page["pageInfo"]["startCursor"]
        if not page["pageInfo"]["hasPreviousPage"]:
            break
    assert walked == ["2026-01-03", "2026-01-02", "2026-01-01"]


@pytest.mark.parametrize("shape", [shape for shape in SHAPES.values() if not shape.is_hidden], ids=lambda s: s.name)
def test_the_fields_of_a_filter_and_of_an_order_have_different_names(shape: TableShape) -> None:
    for made in (where_type(shape), order_type(shape)):
        names = [declared.name for declared in made.fields]
        assert len(names) == len(set(names))

"""A null in a filter is refused with the form to use; `isNull` tests links, too, and variables left out are absent."""

from typing import Any

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import gateway
from api.graph.kpis.kpi_inputs import DIMENSION_FIELDS
from api.graph.request import GraphQLRequest
from tests.support.graphql import answered, executed, refused
from tests.support.small_company import ANNA, write_small_company


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    """Contacts: Ada (Acme, Anna), Bob (a deleted company, Anna), Carl (Acme, nobody). Carl has no touchpoints."""
    async with module_database.write() as session:
        await write_small_company(session)
    return module_database


NULLS = [
    ("leadScore", "IntFilter", "leadScore: {isNull: true}"),
    ("firstName", "StringFilter", "firstName: {isNull: true}"),
    ("isCounted", "BooleanFilter", "isCounted: {isNull: true}"),
    ("owner", "MemberWhere", "owner: {isNull: true}"),
    ("ownerId", "IDFilter", "ownerId: {isNull: true}"),
    ("stage", "PresentStageFilter", "stage: {isNull: true}"),
    ("touchpoints", "TouchpointListFilter", "touchpoints: {none: {}}"),
    ("and", "[ContactWhere!]", "Leave `and` out"),
    ("or", "[ContactWhere!]", "Leave `or` out"),
    ("not", "ContactWhere", "Leave `not` out"),
]


@pytest.mark.parametrize(("key", "of_type", "way"), NULLS)
async def test_a_null_in_place_of_a_part_of_a_filter_is_refused_with_the_way(
    key: str, of_type: str, way: str, world: Database
) -> None:
    head = f"query ($part: {of_type}) {{ contacts(where: "
    for where in (f"{{ {key}: null }}", f"{{ or: [{{ not: {{ {key}: null }} }}] }}"):
        await assert_refused(world, f"{{ contacts(where: {where}) {{ totalCount }} }}", way)
    for where in (f"{{ {key}: $part }}", f"{{ and: [{{ {key}: $part }}] }}"):
        await assert_refused(world, f"{head}{where}) {{ totalCount }} }}", way, part=None)
        # A variable that is left out leaves its part of the filter out.
        assert await answered(world, f"{head}{where}) {{ totalCount }} }}") == {"contacts": {"totalCount": 3}}
    whole = "query ($where: ContactWhere) { contacts(where: $where) { totalCount } }"
    await assert_refused(world, whole, way, where={key: None})


async def assert_refused(world: Database, document: str, way: str, **variables: Any) -> None:  # noqa: ANN401 - JSON
    error = await refused(world, document, **variables)
    assert isinstance(error, AccordError), error
    assert error.code is ErrorCode.BAD_INPUT
    assert "null" in error.message
    assert way in error.remedy


@pytest.mark.parametrize(
    "field",
    [
        "contacts(where: {owner: {name: null}})",
        "contacts(where: {owner: {isNull: null}})",
        "contacts(where: {owner: {id: {isNull: null}}})",
        "contacts(where: {owner: {or: [{not: null}]}})",
        "contacts(where: {stage: {key: null}})",
        "contacts(where: {stage: {isNull: null}})",
        "contacts(where: {touchpoints: {some: null}})",
        "contacts(where: {touchpoints: {count: null}})",
        "contacts(where: {touchpoints: {where: null, count: {gt: 1}}})",
        "contacts(where: {touchpoints: {max: {occurredAt: null}}})",
        "contacts(where: {touchpoints: {count: {gt: null}}})",
        "contacts(orderBy: [{touchpoints: {where: null, count: ASC}}])",
        "contacts(where: {leadScore: {eq: null}})",
        "contacts(where: {leadScore: {in: null}})",
        "deals(where: {amountConverted: null})",
    ],
)
async def test_a_null_within_a_part_is_refused(field: str, world: Database) -> None:
    error = await refused(world, f"{{ {field} {{ totalCount }} }}")
    assert isinstance(error, AccordError), error
    assert error.code is ErrorCode.BAD_INPUT


@pytest.mark.parametrize("having", ["count: null", "sum: null", "sum: {leadScore: null}", "or: null", "not: null"])
async def test_a_null_in_the_filter_of_groups_is_refused(having: str, world: Database) -> None:
    document = f"{{ contacts {{ groupBy(keys: [{{owner: EACH}}], having: {{{having}}}) {{ count }} }} }}"
    error = await refused(world, document)
    assert isinstance(error, AccordError), error
    assert error.code is ErrorCode.BAD_INPUT


@pytest.mark.parametrize("field", ["contacts(where: {and: [null]})", "contacts(where: {leadScore: {in: [null]}})"])
def test_a_null_among_the_items_of_a_list_does_not_fit_the_schema(field: str) -> None:
    [error] = gateway().validated(GraphQLRequest(f"{{ {field} {{ totalCount }} }}", {})).errors
    assert "not to be None" in error.message


async def test_arguments_that_are_null_are_left_out(world: Database) -> None:
    arguments = "where: null, orderBy: null, search: null, first: null, after: null, asOf: null, includeMerged: null"
    found = await answered(world, f"{{ contacts({arguments}) {{ totalCount }} }}")
    assert found == {"contacts": {"totalCount": 3}}


# ------------------------------------------------------------------------------------------------------------ isNull

BY_OWNER: list[tuple[str, list[str]]] = [
    ("{isNull: true}", ["Carl"]),
    ("{isNull: false}", ["Ada", "Bob"]),
    ("{id: {isNull: true}}", ["Carl"]),
    ("{id: {isNull: false}}", ["Ada", "Bob"]),
    (f'{{id: {{isNull: true, eq: "member_{ANNA}"}}}}', []),
    (f'{{id: {{isNull: false, eq: "member_{ANNA}"}}}}', ["Ada", "Bob"]),
    ("{}", ["Ada", "Bob"]),
    ('{or: [{isNull: true}, {name: {eq: "Anna"}}]}', ["Ada", "Bob", "Carl"]),
    ('{or: [{isNull: true}, {name: {eq: "Ben"}}]}', ["Carl"]),
    ('{isNull: true, name: {eq: "Anna"}}', []),
    ('{isNull: false, name: {eq: "Anna"}}', ["Ada", "Bob"]),
    ("{not: {isNull: true}}", ["Ada", "Bob"]),
    ("{not: {isNull: false}}", ["Carl"]),
    ('{not: {name: {eq: "Ben"}}}', ["Ada", "Bob"]),
    ('{and: [{isNull: true}, {not: {name: {eq: "Anna"}}}]}', ["Carl"]),
    ("{team: {isNull: true}}", []),
    ("{manager: {isNull: true}}", ["Ada", "Bob"]),
]


@pytest.mark.parametrize(("owner", "names"), BY_OWNER)
async def test_is_null_tests_whether_a_link_has_a_record(owner: str, names: list[str], world: Database) -> None:
    document = f"{{ contacts(where: {{owner: {owner}}}) {{ totalCount nodes {{ firstName }} }} }}"
    found = (await answered(world, document))["contacts"]
    assert [row["firstName"] for row in found["nodes"]] == names
    assert found["totalCount"] == len(names)


async def test_a_deleted_record_counts_as_none(world: Database) -> None:
    found = await answered(world, "{ contacts(where: {company: {isNull: true}}) { nodes { firstName } } }")
    assert found == {"contacts": {"nodes": [{"firstName": "Bob"}]}}


async def test_is_null_may_be_a_variable(world: Database) -> None:
    document = "query ($none: Boolean) { contacts(where: {owner: {isNull: $none}}) { totalCount } }"
    counts = [(await answered(world, document, none=none))["contacts"]["totalCount"] for none in (True, False)]
    assert counts == [1, 2]
    # Without a value there is no condition, but the filter of a link: the record must exist.
    assert await answered(world, document) == {"contacts": {"totalCount": 2}}


@pytest.mark.parametrize(
    "field",
    [
        "contacts(where: {isNull: true})",
        "contacts(where: {and: [{isNull: false}]})",
        "contacts(where: {touchpoints: {some: {isNull: true}}})",
    ],
)
async def test_is_null_of_the_rows_of_a_list_is_refused(field: str, world: Database) -> None:
    error = await refused(world, f"{{ {field} {{ totalCount }} }}")
    assert isinstance(error, AccordError), error
    assert error.code is ErrorCode.BAD_INPUT
    assert "filter of a link" in error.message


async def test_is_null_of_a_list_is_refused_with_the_form_to_use(world: Database) -> None:
    way = "Write `none: {}` for the records without such rows"
    text = "{ contacts(where: {touchpoints: {isNull: true}}) { totalCount } }"
    [error] = gateway().validated(GraphQLRequest(text, {})).errors
    assert way in error.message
    by_variable = "query ($where: ContactWhere) { contacts(where: $where) { totalCount } }"
    result = await executed(world, by_variable, where={"touchpoints": {"isNull": True}})
    assert result.errors is not None
    assert way in result.errors[0].message


# -------------------------------------------------------------------------------------------------------------- KPIs


@pytest.mark.parametrize("field", ["kpi(key: DEALS_WON, where: {%s}) { value }", "funnel(where: {%s}) { isCanonical }"])
@pytest.mark.parametrize("key", [*DIMENSION_FIELDS, "and", "or", "not"])
async def test_a_null_in_the_filter_of_a_kpi_is_refused(key: str, field: str, world: Database) -> None:
    way = f"Leave `{key}` out" if key in ("and", "or", "not") else f"`{key}: {{isNull: true}}`"
    error = await refused(world, f"{{ {field % f'{key}: null'} }}")
    assert isinstance(error, AccordError), error
    assert error.code is ErrorCode.BAD_INPUT
    assert way in error.remedy

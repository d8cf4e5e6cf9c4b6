"""Texts that a request compares are bounded, wherever they stand, and the pattern of a filter is prepared once."""

from datetime import date

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.plan.json_objects import MAX_CURSOR
from api.plan.value_checks.storable_text import MAX_COMPARED
from api.workflows.make_sample import make_sample
from tests.support.graphql import answered, code_of, executed, refused
from tests.support.statement_log import LoggingDatabase

LONG = "x" * 100_000
LONGEST = "ß" * MAX_COMPARED


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=200, seed=4, until=date(2026, 6, 30))
    return module_database


FILTERED = [
    *(f"contacts(where: {{email: {{{sign}: $text}}}}) {{ totalCount }}" for sign in ("eq", "contains", "startsWith")),
    *(f"contacts(where: {{lastName: {{{sign}: $text}}}}) {{ totalCount }}" for sign in ("lt", "lte", "gt", "gte")),
    'contacts(where: {lastName: {in: ["a", $text]}}) { totalCount }',
    "contacts(where: {or: [{not: {company: {name: {contains: $text}}}}]}) { nodes { id } }",
    "contacts(where: {touchpoints: {where: {campaign: {name: {eq: $text}}}, count: {gte: 1}}}) { totalCount }",
    "contacts(where: {stage: {key: {eq: $text}}}) { totalCount }",
    "contacts(orderBy: [{dealRoles: {where: {deal: {name: {eq: $text}}}, count: DESC}}]) { nodes { id } }",
    "companies { nodes { contacts(where: {lastName: {contains: $text}}) { totalCount } } }",
    "deals(where: {company: {domain: {eq: $text}}}, first: 0) { groupBy(keys: [{currency: EACH}]) { count } }",
    "kpi(key: MQLS, where: {contact: {lastName: {contains: $text}}}) { value }",
    "kpi(key: MQLS, where: {leadSource: {eq: $text}}) { value }",
    "kpi(key: MQLS, where: {or: [{leadSource: {in: [$text]}}]}) { value }",
    "kpi(key: MQLS, where: {owner: {named: [$text]}}) { value }",
    "funnel(where: {channel: {eq: $text}}) { stages { title } }",
]


@pytest.mark.parametrize("field", FILTERED)
@pytest.mark.parametrize("is_variable", [True, False])
async def test_a_text_in_a_filter_is_bounded(field: str, is_variable: bool, world: Database) -> None:
    if is_variable:
        error = await refused(world, f"query ($text: String!) {{ {field} }}", text=LONG)
    else:
        error = await refused(world, f"{{ {field} }}".replace("$text", f'"{LONG}"'))
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.TOO_LARGE
    assert "100,000 characters. The limit is 1,000" in error.message
    assert len(error.message) < 200


@pytest.mark.parametrize("sign", ["eq", "contains", "startsWith"])
async def test_the_longest_text_is_compared(sign: str, world: Database) -> None:
    document = f"query ($text: String!) {{ contacts(where: {{lastName: {{{sign}: $text}}}}) {{ totalCount }} }}"
    assert await answered(world, document, text=LONGEST) == {"contacts": {"totalCount": 0}}
    error = await refused(world, document, text=f"{LONGEST}x")
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.TOO_LARGE


@pytest.mark.parametrize(
    "field",
    [
        "contacts(after: $text) { nodes { id } }",
        "contacts(last: 3, before: $text) { nodes { id } }",
        "contacts(orderBy: [{lastName: ASC}], after: $text) { nodes { id } }",
        'search(text: "a", after: $text) { nodes { __typename } }',
        "likelyDuplicates(after: $text) { nodes { reasons } }",
        "companies { nodes { contacts(after: $text) { nodes { id } } } }",
    ],
)
async def test_a_cursor_is_bounded(field: str, world: Database) -> None:
    error = await refused(world, f"query ($text: String!) {{ {field} }}", text="A" * (MAX_CURSOR + 4))
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.TOO_LARGE
    error = await refused(world, f"query ($text: String!) {{ {field} }}", text="A" * MAX_CURSOR)
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT


@pytest.mark.parametrize(
    "field",
    [
        "contact(id: $text) { id }",
        "node(id: $text) { id }",
        "nodes(ids: [$text]) { id }",
        "contacts(where: {companyId: {eq: $text}}) { totalCount }",
        "kpi(key: MQLS, where: {owner: {eq: $text}}) { value }",
        'kpi(key: STAGE_CONVERSION, stages: {from: $text, to: "mql"}) { value }',
        "kpi(key: MQLS, switches: {timezone: $text}) { value }",
        "kpi(key: MQLS, period: {named: $text}) { value }",
        "contacts(search: $text) { totalCount }",
        "search(text: $text) { totalCount }",
        "changes(after: $text) { pageInfo { endCursor } }",
        "personReport(contact: $text)",
    ],
)
async def test_other_long_texts_are_refused_without_repeating_them(field: str, world: Database) -> None:
    kind = "ID" if "id" in field.partition("$")[0].lower() or "personReport" in field or "owner" in field else "String"
    outcome = await executed(world, f"query ($text: {kind}!) {{ {field} }}", text=LONG)
    errors = outcome.errors or ()
    assert errors
    for error in errors:
        assert code_of(error) in {
            ErrorCode.BAD_INPUT,
            ErrorCode.TOO_LARGE,
            ErrorCode.UNKNOWN_STAGE,
            ErrorCode.BAD_PERIOD,
        }
        assert len(error.message) < 1_000


async def test_the_pattern_of_a_filter_is_put_into_lower_case_once(world: Database) -> None:
    document = "query ($text: String!) { contacts(where: {lastName: {contains: $text}}) { totalCount } }"
    database = LoggingDatabase(world)
    await answered(database, document, text="Ö")
    text, values = database.texts[-1]
    async with world.read() as session:
        plan = await session.connection.fetch(f"explain (verbose) {text}", *values)
    lines = [str(row[0]) for row in plan]
    # A sub-plan without a parameter of the row: PostgreSQL runs it once.
    assert any("InitPlan" in line for line in lines)
    assert not any("~~*" in line for line in lines)


@pytest.mark.parametrize("text", ["AN", "an", "aN", "%", "_", "a_", "\\", ""])
async def test_case_is_ignored_and_the_signs_of_patterns_are_letters(text: str, world: Database) -> None:
    document = "query ($text: String!) { contacts(where: {firstName: {contains: $text}}) { totalCount } }"
    people = (await answered(world, "{ contacts(first: 500) { nodes { firstName } } }"))["contacts"]["nodes"]
    expected = sum(text.lower() in person["firstName"].lower() for person in people if person["firstName"] is not None)
    assert (await answered(world, document, text=text))["contacts"]["totalCount"] == expected
    assert (expected > 0) is (text.lower() in ("an", ""))

"""The example queries fit the available data."""

from datetime import UTC, date, datetime, timedelta
from uuid import uuid4

import pytest
from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSchema,
    InlineFragmentNode,
    SelectionSetNode,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    build_schema,
    get_named_type,
    is_object_type,
    parse,
    validate,
    visit,
)

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.graph.contract import sdl
from api.metrics.available_data import AvailableData, available_data
from api.sql import Sql
from api.web.examples_route import examples_for
from api.web.screen_examples import GROUP
from api.workflows.adopt_accord import adopt_accord
from tests.web.test_screens import operation_name

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
STANDARD = ("suspect", "inquiry", "mql", "sal", "sql", "opportunity", "customer")
SAMPLE = AvailableData("sample", STANDARD, date(2026, 2, 14))
OLIST = AvailableData("olist", ("mql", "customer"), date(2018, 5, 31))
OWN = AvailableData("hubspot", ("lead", "client"), None)
ALL = [SAMPLE, OLIST, OWN, AvailableData("own", ("only",), date(2020, 1, 1)), AvailableData()]
RECORDS = {table: f"{table}_1" for table in ("contact", "company", "campaign", "member")}
# What to read before a number is used, with what is read of each.
CAVEATS = {
    "warnings": {"code", "message", "count"},
    "excluded": {"count", "reasons"},
    "period": {"from", "before", "isOver"},
}


@pytest.mark.parametrize("data", ALL, ids=lambda data: str(data.preset))
def test_every_example_has_an_operation_name_and_a_title_of_its_own(data: AvailableData) -> None:
    examples = examples_for(data)
    names = [parse(example.query).definitions[0].to_dict()["name"]["value"] for example in examples]
    assert len(examples) >= 1
    assert len(set(names)) == len(names) == len({example.title for example in examples})


@pytest.mark.parametrize("data", ALL, ids=lambda data: str(data.preset))
def test_every_example_is_valid_against_the_schema(data: AvailableData) -> None:
    schema = build_schema(sdl())
    for example in examples_for(data):
        assert validate(schema, parse(example.query)) == [], example.title


def test_every_example_with_a_number_selects_what_to_read_before_using_it() -> None:
    schema = build_schema(sdl())
    with_records = AvailableData("sample", STANDARD, date(2026, 2, 14), RECORDS)
    answers = [
        (example.title, found)
        for data in (*ALL, with_records)
        for example in examples_for(data)
        for found in selections_of_answers(schema, example.query)
    ]
    assert {"How far did the people of each quarter get?", "Who is contacted too often?"} <= {
        name for name, _ in answers
    }
    for title, (type_name, selected) in answers:
        answer = schema.type_map[type_name]
        assert is_object_type(answer)
        for caveat in CAVEATS.keys() & answer.fields.keys():
            assert selected.get(caveat, set()) >= CAVEATS[caveat], (title, caveat)


def selections_of_answers(schema: GraphQLSchema, document: str) -> list[tuple[str, dict[str, set[str]]]]:
    """The type of every answer of a document, and the names of the selected fields with those selected of each."""
    found: list[tuple[str, dict[str, set[str]]]] = []
    parsed, types = parse(document), TypeInfo(schema)
    fragments = {part.name.value: part for part in parsed.definitions if isinstance(part, FragmentDefinitionNode)}

    def fields(selections: SelectionSetNode | None) -> list[FieldNode]:
        nodes: list[FieldNode] = []
        for node in selections.selections if selections else ():
            if isinstance(node, FieldNode):
                nodes.append(node)
            elif isinstance(node, InlineFragmentNode):
                nodes += fields(node.selection_set)
            elif isinstance(node, FragmentSpreadNode):
                nodes += fields(fragments[node.name.value].selection_set)
        return nodes

    class Answers(Visitor):
        def enter_field(self, node: FieldNode, *_: object) -> None:
            type_name = str(get_named_type(types.get_type()))
            if type_name in ("KpiAnswer", "FunnelAnswer"):
                selected = {
                    field.name.value: {part.name.value for part in fields(field.selection_set)}
                    for field in fields(node.selection_set)
                }
                found.append((type_name, selected))

    visit(parsed, TypeInfoVisitor(types, Answers()))
    return found


def test_the_quarters_are_the_last_four_of_the_data() -> None:
    funnel = examples_for(SAMPLE)[0].query
    assert [line.strip() for line in funnel.splitlines() if "named" in line] == [
        'q2: funnel(period: {named: "2025-Q2"}) {',
        'q3: funnel(period: {named: "2025-Q3"}) {',
        'q4: funnel(period: {named: "2025-Q4"}) {',
        'q1: funnel(period: {named: "2026-Q1"}) {',
    ]
    assert 'range: {from: "2025-04-01", before: "2026-04-01"}' in examples_for(SAMPLE)[1].query


def test_the_lines_of_an_example_fit_the_editor() -> None:
    lines = {line for data in ALL for example in examples_for(data) for line in example.query.splitlines()}
    assert {line for line in lines if len(line) > 60} == set()


def test_olist_gets_a_query_by_lead_source_and_another_accord_one_with_its_own_stages() -> None:
    assert "by: [LEAD_SOURCE]" in examples_for(OLIST)[1].query
    assert 'stages: {from: "lead", to: "client"}' in examples_for(OWN)[1].query


def test_a_screen_without_a_required_value_is_left_out() -> None:
    def screens(data: AvailableData) -> set[str]:
        return {operation_name(example.query) for example in examples_for(data) if example.group == GROUP}

    record = AvailableData("sample", STANDARD, date(2026, 2, 14), {"contact": "contact_1"})
    assert screens(record) - screens(SAMPLE) == {"ContactPage"}
    assert screens(SAMPLE) - screens(OLIST) == {"KpiTiles", "TwoPeriods", "OverContacted"}
    assert "FunnelByChannel" in screens(OLIST) & screens(OWN)


async def test_an_empty_database_gets_the_catalogue_query_only(database: Database) -> None:
    async with database.read() as session:
        data = await available_data(session, LOCAL_OPERATOR)
    assert data == AvailableData()
    assert ["kpiCatalogue" in example.query for example in examples_for(data)] == [True]


async def test_available_data_has_the_last_import_and_the_accord_in_force(
    database: Database,
) -> None:
    hour = timedelta(hours=1)
    async with database.write() as session:
        for preset, at in (("olist", NOON + hour), ("sample", NOON)):
            await session.run(
                Sql(
                    "insert into import_job (id, preset, origin, started_at, finished_at, counts)"
                    " values ({}, {}, 'here', {}, {}, {})",
                    *(uuid4(), preset, at - hour, at, {}),
                )
            )
        await adopt_accord(session, read_accord("olist"))
    async with database.read() as session:
        assert await available_data(session, LOCAL_OPERATOR) == AvailableData("olist", ("mql", "customer"), None)

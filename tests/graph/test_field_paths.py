"""Field paths read what a document selects of the same records, and are refused with the nearest field."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from graphql import GraphQLSchema, build_schema, get_named_type, is_leaf_type, is_object_type

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import sdl
from api.graph.reading.field_paths import read_field_paths
from api.identity.ids import parse_id
from schema.tables import SHAPES
from tests.support.graphql import answered
from tests.support.small_company import write_small_company
from tests.support.statement_log import LoggingDatabase

LISTS = {"contact": "contacts", "deal": "deals"}


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
    return module_database


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(sdl())


def value_paths(schema: GraphQLSchema, type_name: str, depth: int) -> Iterator[str]:
    """All paths to a value, through at most `depth` objects. Conversion needs an accord, which there is none of."""
    type_ = schema.type_map[type_name]
    assert is_object_type(type_)
    for name, field in type_.fields.items():
        inner = get_named_type(field.type)
        if field.args or name.endswith("Converted") or name in ("stage", "isCounted", "notCountedBecause"):
            continue
        if is_leaf_type(inner):
            yield name
        elif depth:
            yield from (f"{name}.{path}" for path in value_paths(schema, inner.name, depth - 1))


def selection(paths: tuple[str, ...]) -> str:
    """The selection of a document that has the same fields."""
    return " ".join(" { ".join(path.split(".")) + " }" * path.count(".") for path in paths)


def at(row: object, path: str) -> object:
    for name in path.split("."):
        assert row is None or isinstance(row, dict)
        row = None if row is None else row[name]
    return row


@pytest.mark.parametrize("table", LISTS)
async def test_every_value_within_two_links_is_that_of_the_list(
    company: Database, schema: GraphQLSchema, table: str
) -> None:
    paths = tuple(value_paths(schema, SHAPES[table].type_name, 2))
    assert {"id", "owner.name", "owner.team.name", "company.name", "company.annualRevenue.amount"} <= set(paths)
    document = f"{{ {LISTS[table]} {{ nodes {{ {selection(paths)} }} }} }}"
    nodes = (await answered(company, document))[LISTS[table]]["nodes"]
    fields = read_field_paths(table, paths)
    ids = [parse_id(table, node["id"]) for node in nodes]
    async with company.read() as session:
        rows = await fields.read(session, LOCAL_OPERATOR, [*ids, UUID(int=404)])
    assert len(nodes) > 1
    assert rows.keys() == set(ids)
    for id_, node in zip(ids, nodes, strict=True):
        assert dict(zip(paths, fields.values(rows[id_]), strict=True)) == {path: at(node, path) for path in paths}


async def test_all_fields_of_all_records_take_one_statement(company: Database) -> None:
    nodes = (await answered(company, "{ contacts { nodes { recordId } } }"))["contacts"]["nodes"]
    fields = read_field_paths("contact", ("email", "owner.name", "owner.team.name", "company.name", "email"))
    assert fields.paths == ("email", "owner.name", "owner.team.name", "company.name")
    logged = LoggingDatabase(company)
    async with logged.read() as session:
        await fields.read(session, LOCAL_OPERATOR, [parse_id("contact", node["recordId"]) for node in nodes])
    assert len(logged.statements) == 1


@pytest.mark.parametrize(
    ("path", "message", "remedy"),
    [
        ("emial", "Contact has no field 'emial'", "Did you mean email?"),
        ("lead_source", "Contact has no field 'lead_source'", "Did you mean leadSource or leadScore?"),
        ("owner.nmae", "Member has no field 'nmae'", "Did you mean name?"),
        ("owner", "'owner' is no value", "owner.name"),
        ("stage", "'stage' is no value", "stage.title"),
        ("company.annualRevenue", "is no value", "company.annualRevenue.amount"),
        ("email.domain", "email is a value and has no fields", "Write email alone"),
        ("touchpoints", "touchpoints is a list of records", "one value"),
        ("company.deals.name", "deals is a list of records", "one value"),
        ("", "Contact has no field ''", "The fields of Contact are id"),
    ],
)
def test_a_path_that_leads_to_no_value_is_refused_with_what_to_write(path: str, message: str, remedy: str) -> None:
    with pytest.raises(AccordError) as refusal:
        read_field_paths("contact", ("email", path))
    assert refusal.value.code is ErrorCode.BAD_INPUT
    assert message in refusal.value.message
    assert remedy in refusal.value.remedy

"""Every level, reach and right, with every table and column of the declarations: a value, a null, or a refusal."""

from collections.abc import Iterator, Mapping
from functools import cache
from itertools import product
from typing import Any

import pytest

from api.access.principal import LOCAL_OPERATOR, Principal
from api.access.scope import can_be_merged
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import registered_types
from api.graph.declared import InputType, ObjectType
from api.graph.derived.links import visible_shapes
from api.graph.derived.naming import camel
from api.graph.derived.record_types import MAX_PAGE_SIZE
from schema.access.rights import AccessLevel, Reach, Right, level_allows
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES
from tests.plan.generated.rows import all_rows, write_generated_rows
from tests.plan.oracle.records import Records
from tests.plan.oracle.shapes import KEYS, Row, Rows
from tests.support.graphql import Outcome, executed, put, uid
from tests.support.small_company import ADA, ANNA, BEN, CREATED, row_of

TABLES = {shape.name: shape for shape in visible_shapes()}
PRINCIPALS = [
    Principal(reach, BEN if reach is Reach.TEAM else ANNA, level, frozenset(rights))
    for level, reach, rights in product(AccessLevel, Reach, ((), (Right.PERSONAL_DATA,)))
]
JOB, FILE = uid(901), uid(902)


declared_types = cache(registered_types)


class World:
    """A database with rows in every visible table, its rows, and what the local operator reads of them."""

    def __init__(self, database: Database, rows: Rows) -> None:
        self.database = database
        self.rows = rows
        self.everything: dict[str, list[Mapping[str, Any]]] = {}


@pytest.fixture(scope="module")
async def world(module_database: Database) -> World:
    async with module_database.write() as session:
        await write_generated_rows(session)
        await session.script(f"update contact set phone = '+4930123' where id = '{ADA}'")
        ended = {"preset": "crm", "origin": "/a/folder", "started_at": CREATED, "finished_at": CREATED, "counts": {}}
        await put(session, "import_job", row_of(id=JOB, source="crm", **ended))
        numbers = {"rows_read": 3, "rows_rejected": 1, "rows_unused": 0, "values_left_out": 0}
        await put(session, "import_file", {"id": FILE, "import_job_id": JOB, "name": "people.csv"} | numbers)
        counts = {"record_type": "contact", "created": 2, "changed": 0, "unchanged": 0}
        await put(session, "import_count", {"id": uid(903), "import_job_id": JOB} | counts)
        reason = {"column_name": "mail", "reason": "is empty", "is_left_out": False, "occurrences": 1}
        await put(session, "import_reason", {"id": uid(904), "import_file_id": FILE} | reason)
        await put(session, "product", row_of(id=uid(907), name="In use"))
        change = {"change_type": "CHANGED", "record_type": "contact", "changed_id": ADA, "action": "updateContact"}
        await put(session, "audit_event", {"id": uid(905), "principal": "Anna", "member_id": ANNA} | change)
        grant = {"level": "VIEWER", "reach": "OWN", "has_personal_data": True, "has_export": False}
        await put(
            session,
            "api_key",
            {"id": uid(906), "name": "Till", "key_id": "k", "secret_hash": "-", "member_id": ANNA} | grant,
        )
    world = World(module_database, await all_rows(module_database))
    for table, shape in TABLES.items():
        found = await executed(module_database, document_of(shape), LOCAL_OPERATOR)
        assert found.errors is None, (table, found.errors)
        world.everything[table] = found.data["rows"]["nodes"]
        assert world.everything[table], f"{table} has no row to compare"
    return world


def selected(column: ColumnShape) -> str:
    """Return the selection of a column: of a link, whether there is a record; of money, its amount."""
    field = camel(column.link.name if column.link else column.name)
    if column.link is not None:
        return f"{field} {{ __typename }}"
    return f"{field} {{ amount }}" if column.note.currency is not None else field


def columns_of(shape: TableShape) -> list[ColumnShape]:
    """Return the columns that are fields of their own; a currency is part of its amount."""
    currencies = {column.note.currency for column in shape.columns}
    return [column for column in shape.visible if column.name not in currencies]


def document_of(shape: TableShape) -> str:
    """Return a document with every column of a table, and the number of its rows."""
    fields = " ".join(map(selected, columns_of(shape)))
    return f"{{ rows: {camel(shape.plural)}(first: {MAX_PAGE_SIZE}) {{ totalCount nodes {{ {fields} }} }} }}"


def in_order(table: str, rows: list[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: tuple(row[column] for column in KEYS[table]))


def expected_rows(world: World, table: str, principal: Principal) -> Iterator[dict[str, Any]]:
    """Yield what a principal reads of a table: the rows that it reaches, with null for what it may not read."""
    records = Records(world.rows, principal)
    reached = [id(row) for row in records.unmerged(table)]
    every = in_order(table, Records(world.rows, LOCAL_OPERATOR).unmerged(table))
    for row, whole in zip(every, world.everything[table], strict=True):
        if id(row) not in reached:
            continue
        read = dict(whole)
        for column in columns_of(SHAPES[table]):
            field = camel(column.link.name if column.link else column.name)
            if column.link is not None and records.linked(table, row, field) is None:
                read[field] = None
            if column.note.personal and not principal.has(Right.PERSONAL_DATA):
                read[field] = None
        yield read


def redacted_of(shape: TableShape, principal: Principal) -> list[str]:
    if principal.has(Right.PERSONAL_DATA):
        return []
    return sorted(f"{shape.type_name}.{camel(column.name)}" for column in shape.visible if column.note.personal)


@pytest.mark.parametrize("table", TABLES)
async def test_a_principal_reads_a_value_a_null_or_nothing(world: World, table: str) -> None:
    shape = TABLES[table]
    for principal in PRINCIPALS:
        found = await executed(world.database, document_of(shape), principal)
        if not level_allows(principal.level, shape.permission):
            require_not_allowed(found, principal)
            continue
        assert found.errors is None, (principal, found.errors)
        expected = list(expected_rows(world, table, principal))
        assert found.data["rows"] == {"totalCount": len(expected), "nodes": expected}, principal
        assert list(found.redacted) == redacted_of(shape, principal), principal


def require_not_allowed(found: Outcome, where: object) -> None:
    """Require one error, NOT_ALLOWED, and no data."""
    assert found.errors is not None, where
    (error,) = found.errors
    assert isinstance(error.original_error, AccordError), where
    assert error.original_error.code is ErrorCode.NOT_ALLOWED, where
    assert not any((found.data or {}).values()), where


def test_the_declarations_have_all_three_outcomes() -> None:
    assert any(not level_allows(AccessLevel.VIEWER, shape.permission) for shape in TABLES.values())
    assert any(column.note.personal for shape in TABLES.values() for column in shape.visible)
    assert any(shape.needs_reach_all for shape in TABLES.values())


# Hidden tables whose rows the fields of `accord` show, with types of their own.
SHOWN_BY_ACCORD = {"AccordSignature", "AccordComment", "AccordPreview"}


def test_hidden_columns_are_no_fields() -> None:
    types = declared_types()
    for shape in TABLES.values():
        # `recordId` is the plain id of every record.
        hidden = {camel(column.name) for column in shape.columns if column.note.hidden} - {"recordId"}
        hidden -= {"before", "after", "changedId"} if shape.name == "audit_event" else set()  # fields of their own
        for suffix in ("", "Where", "Order", "GroupKey", "Key", "DistinctCounts"):
            declared = types.get(f"{shape.type_name}{suffix}")
            if isinstance(declared, ObjectType | InputType):
                assert not hidden & {field.name for field in declared.fields}, (shape.name, suffix)
    hidden_types = {shape.type_name for shape in SHAPES.values() if shape.is_hidden} - SHOWN_BY_ACCORD
    assert hidden_types
    assert not hidden_types & types.keys()


# ---------------------------------------------------------------------------------------- uses that reveal a value


def uses_of(shape: TableShape, column: ColumnShape) -> dict[str, str]:
    """Return the fields of a document that use a column in every way that the contract has for it, by way."""
    types = declared_types()
    list_, field = camel(shape.plural), camel(column.link.name if column.link else column.name)

    def has(suffix: str) -> bool:
        declared = types.get(f"{shape.type_name}{suffix}")
        return isinstance(declared, ObjectType | InputType) and field in {own.name for own in declared.fields}

    ways: dict[str, str] = {}
    merged = "includeMerged: true, " if can_be_merged(shape.name) else ""
    if has("Where"):
        ways["where"] = f"{list_}({merged}where: {{{field}: {{isNull: false}}}}) {{ totalCount }}"
        ways["where not"] = f"{list_}({merged}where: {{not: {{or: [{{{field}: {{isNull: true}}}}]}}}}) {{ totalCount }}"
    if has("Order") and column.link is None and column.note.currency is None:  # bare amounts need one currency
        ways["orderBy"] = f"{list_}(orderBy: [{{{field}: DESC}}]) {{ edges {{ cursor }} }}"
    if has("DistinctCounts"):
        ways["countDistinct"] = f"{list_} {{ aggregate {{ countDistinct {{ {field} }} }} }}"
    for function in ("min", "max", "sum", "avg"):
        if has("Extremes" if function in ("min", "max") else "Numbers"):
            money = " { amount }" if column.note.currency else ""
            ways[function] = f"{list_} {{ aggregate {{ {function} {{ {field}{money} }} }} }}"
    if has("GroupKey"):
        grain = "MONTH" if column.python.__name__ in ("datetime", "date") else "EACH"
        ways["groupBy"] = f"{list_} {{ groupBy(keys: [{{{field}: {grain}}}], first: 1) {{ count }} }}"
        ways["groupCount"] = f"{list_} {{ groupCount(keys: [{{{field}: {grain}}}]) }}"
    if column.note.search:
        ways["search"] = f'{list_}(search: "a") {{ totalCount }}'
    return ways


@pytest.mark.parametrize("table", TABLES)
async def test_a_column_decides_only_for_who_may_read_it(world: World, table: str) -> None:
    shape = TABLES[table]
    without, with_right = (
        Principal(Reach.ALL, None, AccessLevel.ADMIN, rights) for rights in (frozenset(), frozenset(Right))
    )
    for column in columns_of(shape):
        if column.name == "id":
            continue
        ways = uses_of(shape, column)
        document = "{ " + " ".join(f"k{number}: {way}" for number, way in enumerate(ways.values())) + " }"
        searches_personal = any(SHAPES[table].column(name).note.personal for name in shape.searched)
        if not ways:
            assert not column.note.personal, column.name
            continue
        allowed = await executed(world.database, document, with_right)
        assert allowed.errors is None, (document, allowed.errors)
        if not column.note.personal and not (column.note.search and searches_personal):
            assert (await executed(world.database, document, without)).errors is None, document
            continue
        for way in ways.values():
            require_not_allowed(await executed(world.database, f"{{ {way} }}", without), way)


# -------------------------------------------------------------------------------------- tables that need a permission


@pytest.mark.parametrize(
    "table", [table for table, shape in TABLES.items() if shape.permission is not SHAPES["team"].permission]
)
async def test_a_table_that_needs_a_permission_is_refused_in_every_way(world: World, table: str) -> None:
    shape = TABLES[table]
    row = world.rows[table][0]
    for level in AccessLevel:
        principal = Principal(Reach.ALL, None, level, frozenset(Right))
        documents = [
            f"{{ {camel(shape.plural)} {{ totalCount }} }}",
            f"{{ {camel(shape.plural)} {{ groupBy(keys: [{{member: EACH}}]) {{ count }} }} }}",
            *(
                text
                for id_ in (row["id"], uid(999_999))
                for text in (
                    f'{{ node(id: "{table}_{id_}") {{ id }} }}',
                    f'{{ nodes(ids: ["{table}_{id_}", "contact_{ADA}"]) {{ id }} }}',
                    f'{{ {camel(table)}(id: "{table}_{id_}") {{ id }} }}',
                )
            ),
        ]
        found = [await executed(world.database, document, principal) for document in documents]
        if level_allows(level, shape.permission):
            assert [outcome.errors for outcome in found] == [None] * len(found)
            continue
        for outcome, document in zip(found, documents, strict=True):
            require_not_allowed(outcome, document)
        # An id that exists and one that does not are answered alike.
        existing, made_up = found[2:5], found[5:8]
        assert [str(one.errors[0].message) for one in existing if one.errors] == [
            str(one.errors[0].message) for one in made_up if one.errors
        ]

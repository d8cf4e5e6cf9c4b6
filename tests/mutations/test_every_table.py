"""The derived mutations of every editable table, with all of its fields: generated from the declarations."""

from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from api.db import Database
from api.graph.derived.naming import camel
from api.graph.mutations.record_mutations import editable_shapes
from api.sql import Sql
from api.workflows.records.record_input import settable_columns
from schema.base import ColumnShape, TableShape
from schema.formats import Format
from schema.tables import SHAPES
from tests.support.mutations import codes, run

_TEXTS = {
    Format.EMAIL: "eve@bolt.example",
    Format.PHONE: "+493012345",
    Format.COUNTRY: "DE",
    Format.TIMEZONE: "Europe/Berlin",
    Format.DOMAIN: "bolt.example",
}
_DAYS = {"from_on": "2026-01-01", "before_on": "2026-02-01"}
_WORDS = {"quote_currency": "USD", "currency": "EUR"}
_OPEN = {"category": "OPEN"}  # a deal begins in such a stage
EACH_TABLE = pytest.mark.parametrize("shape", editable_shapes(), ids=lambda shape: shape.name)


def key(name: str) -> dict[str, str]:
    return {"source": "crm", "externalId": name}


class Record:
    """A record of a table, which mutations write, and its version."""

    def __init__(self, database: Database, shape: TableShape) -> None:
        self.database, self.shape = database, shape
        self.field, self.id, self.version = camel(shape.name), "", 0

    @property
    def named(self) -> dict[str, object]:
        return {"id": self.id, "expectedVersion": self.version}

    async def run(self, verb: str, given: Mapping[str, object], selected: str = "") -> Any:  # noqa: ANN401 - JSON
        """Run `verb` + type, and take the record's id and version from the payload."""
        ends = verb == "delete"
        shown = "deletedId" if ends else f"{self.field} {{ id rowVersion {selected} }}"
        payload = await run(self.database, f"{verb}{self.shape.type_name}", shown, given)
        if not payload["userErrors"]:
            self.version += 1
            if not ends:
                self.id, self.version = payload[self.field]["id"], payload[self.field]["rowVersion"]
        return payload

    async def refused(self, verb: str, given: Mapping[str, object]) -> dict[str, str]:
        """Run a mutation that must be refused. Return the codes by path."""
        found = codes(await self.run(verb, given))
        assert found != {}
        return found


def fields(shape: TableShape, *, is_new: bool = True) -> Iterator[tuple[str, ColumnShape]]:
    """Yield the input fields of a table with their columns; that of a currency is part of its amount."""
    currencies = {column.note.currency for column in shape.columns if column.note.currency is not None}
    for column in settable_columns(shape, is_new=is_new).values():
        if column.name not in currencies:
            yield camel(column.link.name if column.link is not None else column.name), column


async def full_input(database: Database, shape: TableShape, depth: int = 0) -> dict[str, object]:
    """Return an input with a value in every field, and the records that it links to."""
    given: dict[str, object] = {}
    for name, column in fields(shape):
        if column.link is None:
            given[name] = _value(column, shape.name + name + "!" * depth)
        elif depth == 0 or not column.is_nullable:
            target = Record(database, SHAPES[column.link.target])
            row = await full_input(database, target.shape, depth + 1)
            assert codes(await target.run("create", row)) == {}
            given[name] = {"id": target.id}
    return given


def _value(column: ColumnShape, text: str) -> object:
    note = column.note
    if note.currency is not None:
        return {"amount": "12.50", "currency": "EUR"}
    if note.vocab is not None:
        return _WORDS.get(column.name) or _OPEN.get(column.name) or next(iter(note.vocab)).name
    if column.python is str:
        return _TEXTS[note.format] if note.format is not None else text
    values: dict[type, object] = {bool: True, int: 7, Decimal: "0.5000", date: _DAYS.get(column.name, "2026-03-01")}
    return values.get(column.python, "2026-01-01T10:00:00Z")


@EACH_TABLE
async def test_every_field_is_written_left_alone_and_emptied(database: Database, shape: TableShape) -> None:
    record = Record(database, shape)
    given = await full_input(database, shape)
    # Twins of links to the same table, such as parents, have the names of their children.
    unique = {name: f"{value} 0" if name == "name" else value for name, value in given.items()}
    assert codes(await record.run("create", {**unique, "externalKey": key("1")})) == {}
    shown = " ".join(_shown(name, column) for name, column in fields(shape))
    kept = await record.run("update", record.named, shown)
    assert (kept["userErrors"], record.version) == ([], 1)
    for name, column in fields(shape):
        found = kept[record.field][name]
        if column.python is Decimal and column.note.currency is None:
            assert Decimal(found) == Decimal(str(unique[name]))
        else:
            assert found == unique[name], name
    nullable = {name: None for name, column in fields(shape, is_new=False) if column.is_nullable}
    required = {name: None for name, column in fields(shape, is_new=False) if not column.is_nullable}
    if required:
        refused = await record.refused("update", {**record.named, **nullable, **required})
        assert refused == dict.fromkeys((f"input.{name}" for name in required), "REQUIRED")
    emptied = await record.run("update", {**record.named, **nullable}, shown)
    assert all(emptied[record.field][name] is None for name in nullable)
    assert all(emptied[record.field][name] == kept[record.field][name] for name in required)


def _shown(name: str, column: ColumnShape) -> str:
    if column.link is not None:
        return f"{name} {{ id }}"
    return f"{name} {{ amount currency }}" if column.note.currency is not None else name


@EACH_TABLE
async def test_versions_keys_and_the_end_of_a_record(database: Database, shape: TableShape) -> None:
    record, other = Record(database, shape), Record(database, shape)
    given = {**await full_input(database, shape, 1), "externalKey": key("1")}
    assert codes(await record.run("create", given)) == {}
    assert (await record.refused("create", given))["input.externalKey"] == "DUPLICATE"
    assert await record.refused("update", {**record.named, "expectedVersion": 7}) == {
        "input.expectedVersion": "STALE_VERSION"
    }
    stranger = "deal_" if shape.name != "deal" else "team_"
    wrong = {**record.named, "id": stranger + record.id.rpartition("_")[2]}
    assert await record.refused("update", wrong) == {"input.id": "INVALID"}
    assert codes(await record.run("upsert", given)) == {}
    assert record.version == 1
    assert await other.refused("upsert", {**given, "externalKey": key("2"), "expectedVersion": 1}) != {}

    is_deleted = any(column.name == "deleted_at" for column in shape.columns)
    end, resume, ended = ("delete", "restore", "DELETED") if is_deleted else ("deactivate", "reactivate", "INACTIVE")
    if shape.name == "member":
        await run(database, "deactivateMember", "", {"member": {"id": record.id}})
        record.version += 1
    else:
        assert await record.refused(end, {**record.named, "expectedVersion": 7}) == {
            "input.expectedVersion": "STALE_VERSION"
        }
        assert codes(await record.run(end, record.named)) == {}
        assert await record.refused(end, record.named) == {"input.id": ended}
    if is_deleted:
        assert await record.refused("update", record.named) == {"input.id": "DELETED"}
        assert await record.refused("upsert", given) == {"input.externalKey": "DELETED"}
        assert (await other.refused("create", given))["input.externalKey"] == "DUPLICATE"
    assert await record.refused(resume, {**record.named, "expectedVersion": 7}) == {
        "input.expectedVersion": "STALE_VERSION"
    }
    assert codes(await record.run(resume, record.named)) == {}
    resumed = "NOT_DELETED" if is_deleted else "WRONG_STATE"
    assert await record.refused(resume, record.named) == {"input.id": resumed}
    async with database.read() as session:
        audited = await session.value(
            Sql(
                "select array_agg(change_type order by id) from audit_event where changed_id = {}::uuid",
                record.id.rpartition("_")[2],
            )
        )
    assert audited == (["CREATED", "DELETED", "RESTORED"] if is_deleted else ["CREATED", "CHANGED", "CHANGED"])

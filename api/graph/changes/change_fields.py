"""The root field `changes`: a connection of what happened to records, for whoever keeps a copy of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from api.access.reached_changes import ChangePage, ReachedChange, followed_tables, identified_table, read_changes
from api.graph.changes.changed_records import ChangedRecords, read_changed_records
from api.graph.context import Info
from api.graph.declared import Declared, EnumType, EnumWord, Input, ObjectType, Output, TypeRef
from api.graph.derived.record_types import MAX_PAGE_SIZE, NODE, PAGE_INFO, PAGE_SIZE
from api.graph.reading.page_value import read_page_size
from api.graph.reading.selection_reader import Path, RecordSelection
from api.outbox.positions import place_events
from schema.writes.changes import ChangeType

CHANGE, CHANGE_CONNECTION, CHANGE_EDGE = "RecordChange", "RecordChangeConnection", "RecordChangeEdge"
RECORD_TYPE = "ChangedRecordType"
# A reader numbers so many batches of new events at most; after a large import, the job does the rest.
_MOST_BATCHES = 4

_RecordType = Enum("_RecordType", {shape.name.upper(): shape.name for shape in followed_tables()})  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class ChangedPage:
    """A page of changes with what is selected of their records."""

    page: ChangePage
    records: ChangedRecords


@dataclass(frozen=True, slots=True)
class ChangedItem:
    """One change of a page. `place` is the path of response keys from the connection to it."""

    page: ChangedPage
    change: ReachedChange
    place: Path


def change_fields() -> tuple[Output, ...]:
    """Return the root field."""
    doc = (
        "What happened to the records that you reach, oldest first, in an order without gaps: follow it to keep a copy."
        " `changes(first: 0) { pageInfo { endCursor } }` is the end of what there is: take it, read the lists, then ask"
        " for the changes after it, again and again; `endCursor` is there also on an empty page. Each change has the"
        " record as it is now, so that applying one twice does no harm. Forget a record whose `record` is null, or that"
        " is MERGED, and with it the rows about it and the links to it; if you do not have the record of a change, it"
        " has come into your reach: read the rows about it, and those that name it, too. Changes are kept for 30 days."
        " An older cursor is an error (CURSOR_EXPIRED), and so is one from before a first import or a change of the"
        " members of your team: copy the records anew."
    )
    arguments = (
        Input("after", "Only changes after this cursor. If left out or null: from the oldest that is kept.", _STRING),
        Input(
            "first",
            f"The number of changes: {PAGE_SIZE} by default, {MAX_PAGE_SIZE} at most. A page may have fewer although"
            " there are more; `hasNextPage` says so.",
            TypeRef("Int"),
        ),
        Input("types", "Only changes of these types. If left out or null: all.", TypeRef(ChangeType.__name__).listed),
        Input("recordTypes", "Only changes of these records. If left out or null: all.", TypeRef(RECORD_TYPE).listed),
    )
    return (Output("changes", doc, TypeRef(CHANGE_CONNECTION).required, _changes, arguments),)


async def _changes(
    _source: object,
    info: Info,
    *,
    after: str | None = None,
    first: int | None = None,
    types: Sequence[ChangeType] | None = None,
    recordTypes: Sequence[Enum] | None = None,  # noqa: N803 - the argument's name
) -> ChangedPage:
    context = info.context
    size = read_page_size("changes", {"first": first})
    await place_events(context.database, batches=_MOST_BATCHES)
    tables = None if recordTypes is None else [str(word.value) for word in recordTypes]
    async with context.snapshot() as session:
        page = await read_changes(session, context.principal, after=after, first=size, types=types, tables=tables)
        records = await read_changed_records(session, context.principal, page, partial(_selections, info))
    context.redacted.update(records.redacted)
    return ChangedPage(page, records)


def _selections(info: Info, table: str) -> Mapping[Path, RecordSelection]:
    """What is selected of records of a table, and if it is that of contacts, of the contacts of facts."""
    planned = info.context.document.planned(info.field_nodes, CHANGE_CONNECTION, table)
    return {path: selection for path, selection in planned.items() if selection.table == table}


def _nodes(source: ChangedPage, info: Info) -> list[ChangedItem]:
    return [ChangedItem(source, change, (str(info.path.key),)) for change in source.page.changes]


def _edges(source: ChangedPage, info: Info) -> list[ChangedItem]:
    return _nodes(source, info)


def _node(source: ChangedItem, info: Info) -> ChangedItem:
    return ChangedItem(source.page, source.change, (*source.place, str(info.path.key)))


def _page_info(source: ChangedPage, info: Info) -> dict[str, object]:
    page = source.page
    values = {
        "hasNextPage": page.has_more,
        "hasPreviousPage": False,
        "startCursor": page.changes[0].cursor if page.changes else None,
        "endCursor": page.end_cursor,
    }
    selected = info.context.document.collector.collect(info.field_nodes, PAGE_INFO)
    return {key: values.get(nodes[0].name.value) for key, nodes in selected.items()}


def _record(source: ChangedItem, info: Info) -> object:
    return source.page.records.record((*source.place, str(info.path.key)), source.change)


def _contact(source: ChangedItem, info: Info) -> object:
    return source.page.records.contact((*source.place, str(info.path.key)), source.change)


def _record_id(source: ChangedItem, _info: Info) -> str:
    return f"{identified_table(source.change.record_type)}_{source.change.record_id}"


_STRING = TypeRef("String")
_CURSOR = "The change's position, for `after`."


def _change_value(name: str, doc: str, type_: TypeRef, attribute: str) -> Output:
    def resolve(source: ChangedItem, _info: Info) -> Any:  # noqa: ANN401 - a value of the declared type
        return getattr(source.change, attribute)

    return Output(name, doc, type_, resolve)


CHANGE_TYPES: tuple[Declared, ...] = (
    EnumType(
        RECORD_TYPE,
        "The records whose changes can be followed.",
        _RecordType,
        tuple(EnumWord(shape.name.upper(), f"{shape.type_name}: {shape.doc}") for shape in followed_tables()),
    ),
    ObjectType(
        CHANGE_CONNECTION,
        "One page of changes.",
        (
            Output("nodes", "The changes of the page.", TypeRef(CHANGE).required.listed.required, _nodes),
            Output(
                "edges",
                "The changes of the page, with their cursors.",
                TypeRef(CHANGE_EDGE).required.listed.required,
                _edges,
            ),
            Output(
                "pageInfo",
                "The position of the page. `endCursor` is there also if the page is empty: ask again with it later.",
                TypeRef(PAGE_INFO).required,
                _page_info,
            ),
        ),
    ),
    ObjectType(
        CHANGE_EDGE,
        "A change with its cursor.",
        (
            _change_value("cursor", _CURSOR, _STRING.required, "cursor"),
            Output("node", "The change.", TypeRef(CHANGE).required, _node),
        ),
    ),
    ObjectType(
        CHANGE,
        "Something that happened to a record.",
        (
            _change_value("cursor", _CURSOR, _STRING.required, "cursor"),
            _change_value("at", "When it was written.", TypeRef("DateTime").required, "at"),
            _change_value("type", "What happened.", TypeRef(ChangeType.__name__).required, "type"),
            Output(
                "recordType",
                "The type of the record.",
                TypeRef(RECORD_TYPE).required,
                lambda source, _info: _RecordType(source.change.record_type),
            ),
            Output(
                "recordId",
                "The id of the record. A role in a deal has none: then it is the id of the deal.",
                TypeRef("ID").required,
                _record_id,
            ),
            Output(
                "record",
                "The record as it is now; null if it is deleted or voided, or out of your reach. Of a role in a deal,"
                " the deal.",
                TypeRef(NODE),
                _record,
            ),
            Output(
                "contact",
                "The contact that a fact belongs to, such as a touchpoint or a role, or who entered or left a stage,"
                " as it is now. Null for other records, and as `record` is.",
                TypeRef("Contact"),
                _contact,
            ),
            _change_value("stage", "The key of the stage, for ENTERED and LEFT.", _STRING, "stage"),
        ),
    ),
)

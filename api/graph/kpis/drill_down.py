"""Drilling down: the field `records` of every figure lists the records that the figure counts.

The records are read in the same snapshot as the figures. The executor resolves the fields of a result only after the
snapshot has ended, so the root field looks ahead: it finds every `records` in its selection, reads those lists, and
leaves each in the context under its path in the response.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args, get_type_hints

from graphql import FieldNode, get_named_type

from api.access.principal import Principal
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.graph.context import Info
from api.graph.declared import Input, ObjectType, Output, TypeRef, object_type
from api.graph.derived.record_types import NODE, PAGE_INFO, TYPE_KEY, page_arguments
from api.graph.kpis.record_order_types import ORDER, read_record_order
from api.graph.reading.aggregate_reader import TYPENAME
from api.graph.reading.page_value import read_page_size
from api.graph.reading.planned import PlannedDocument
from api.graph.reading.selection_reader import Path, RecordSelection
from api.graph.sources import FromAttribute, FromDrillDown
from api.metrics.answer import ComparedFigure, ContactPressure, DrillDown
from api.metrics.record_lists.record_order import CountedRecord
from api.metrics.record_lists.record_pages import RecordPage, read_page
from api.plan.list_arguments import page_of_ids
from api.plan.prepared_statements import read_selection
from api.plan.selection import ColumnValue, Connection, Edges, Nodes
from schema.tables import SHAPES
from schema.vocab import RecordSide

ResponsePath = tuple[str | int, ...]  # response keys and list positions, from the root of the response

MAX_LISTS = 100  # every list takes one or two statements
CONNECTION, EDGE = "CountedRecordConnection", "CountedRecordEdge"
_PRESSURE = "contactPressure"  # the field of an edge that takes a longer statement


def records_fields(model: type) -> tuple[Output, ...]:
    """Return the field `records` if the values of a model are figures with records behind them, else nothing."""
    names = (name for name, annotation in get_type_hints(model).items() if DrillDown in get_args(annotation))
    arguments = (
        Input(
            "side",
            "BASE: the records that `n` counts. CONVERTED: those that the numerator counts. If left out: BASE.",
            TypeRef("CountedRecordSide"),
        ),
        Input(
            "orderBy",
            "The sort terms, most significant first. If left out: by the instant at which the records count, earliest"
            " first. A term that the figure's records have no value for is an error.",
            TypeRef(ORDER).listed,
        ),
        *page_arguments(),
    )
    doc = "The records that the number counts, in the requested order."
    if issubclass(model, ComparedFigure):
        doc += " Null for a target, and for a group or bucket that this side of the comparison does not have."
    return tuple(
        Output("records", doc, TypeRef(CONNECTION), _records, arguments, FromDrillDown(name)) for name in names
    )


async def read_records(
    session: ReadSession, info: Info, results: Iterable[tuple[ResponsePath, object]], type_name: str | None = None
) -> None:
    """Read every list of records that the selection of a root field contains, for each of its results, by path.

    `type_name` is the type of the results, if the field's own is an interface.

    Errors: TOO_LARGE for too many lists. An error in one list is kept, and raised when that list is resolved.
    """
    reader = _RecordListReader(session, info.context.principal, info.context.document)
    type_name = type_name or str(get_named_type(info.return_type))
    lists = [found for path, result in results for found in reader.lists(type_name, info.field_nodes, result, path)]
    if len(lists) > MAX_LISTS:
        message = f"The request selects {len(lists):,} lists of records. The limit is {MAX_LISTS}."
        remedy = "Select the records of one figure at a time: use `where` for a group, `period` for a bucket."
        raise AccordError(ErrorCode.TOO_LARGE, message, remedy)
    for found in lists:
        try:
            records: object = await reader.read(found)
        except AccordError as error:
            records = error
        info.context.drilled[found.path] = records
    info.context.redacted.update(reader.redacted)


@dataclass(frozen=True, slots=True)
class _RecordList:
    """One list to read: its path in the response, the records that the figure counts, and the field that selects it."""

    path: ResponsePath
    counted: DrillDown
    nodes: tuple[FieldNode, ...]
    parent_type: str


@dataclass(frozen=True, slots=True)
class _ListSelection:
    """What is selected of a list. It is the same for all figures of one kind, so it is read once for them."""

    arguments: Mapping[str, Any]
    records: Mapping[Path, RecordSelection]
    has_total: bool
    has_pressure: bool


@dataclass(frozen=True, slots=True)
class _CountedPage:
    """One page of the records that a figure counts. `rows` has what is selected of them, by place and by id."""

    page: RecordPage
    is_last: bool
    rows: Mapping[Path, Mapping[object, object]]


@dataclass(frozen=True, slots=True)
class _CountedEdge:
    """One record of the page, selected by the field `edges` with the response key `key`."""

    page: _CountedPage
    key: str
    record: CountedRecord


@dataclass(frozen=True, slots=True)
class _RecordListReader:
    """Reads the lists of one root field. What depends only on the types and the document is computed once."""

    session: ReadSession
    principal: Principal
    document: PlannedDocument
    selections: dict[tuple[tuple[int, ...], str], _ListSelection] = field(default_factory=dict)
    redacted: set[str] = field(default_factory=set)  # the fields that are null because the principal may not read them
    known: dict[str, bool] = field(default_factory=dict)

    def lists(
        self, type_name: str, nodes: Sequence[FieldNode], value: object, path: ResponsePath
    ) -> Iterator[_RecordList]:
        """Yield the lists that are selected of a value and of the values within it."""
        declared = object_type(self.document.types, type_name)
        for key, selected in self.document.collector.collect(nodes, type_name).items():
            field_name = selected[0].name.value
            if field_name == TYPENAME:
                continue
            output = declared.field(field_name)
            if isinstance(output.source, FromDrillDown):
                counted = getattr(value, output.source.attribute)
                if counted is None and isinstance(value, ComparedFigure):
                    continue  # a target, or a group or bucket that this side does not have
                if counted is None:
                    raise TypeError(f"the figure at {path} does not say which records it counts")
                yield _RecordList((*path, key), counted, tuple(selected), type_name)
            elif isinstance(output.source, FromAttribute) and self._has_records(output.type.name):
                inner = getattr(value, output.source.attribute)
                if isinstance(inner, tuple):
                    for place, item in enumerate(inner):
                        yield from self.lists(output.type.name, selected, item, (*path, key, place))
                elif inner is not None:
                    yield from self.lists(output.type.name, selected, inner, (*path, key))

    def _has_records(self, type_name: str) -> bool:
        """Return whether a type, or a type within it, has the field `records`."""
        if type_name not in self.known:
            declared = self.document.types.get(type_name)
            outputs = declared.fields if isinstance(declared, ObjectType) else ()
            self.known[type_name] = any(
                isinstance(output.source, FromDrillDown)
                or (isinstance(output.source, FromAttribute) and self._has_records(output.type.name))
                for output in outputs
            )
        return self.known[type_name]

    async def read(self, found: _RecordList) -> _CountedPage:
        """Read one page of a list, and what is selected of its records."""
        selection = self._selection(found)
        arguments = selection.arguments
        is_last = arguments.get("last") is not None
        page = await read_page(
            self.session,
            found.counted,
            arguments.get("side") or RecordSide.BASE,
            size=read_page_size("records", arguments),
            after=arguments.get("after"),
            before=arguments.get("before"),
            is_last=is_last,
            needs_total=selection.has_total,
            needs_pressure=selection.has_pressure,
            order=read_record_order(arguments.get("orderBy") or ()),
        )
        return _CountedPage(page, is_last, await self._rows(found.counted.table, selection.records, page))

    def _selection(self, found: _RecordList) -> _ListSelection:
        # Fragments may merge the same field into different selections, so all of its nodes identify one.
        place = (tuple(map(id, found.nodes)), found.counted.table)
        if place not in self.selections:
            collector = self.document.collector
            fields = collector.collect(found.nodes, CONNECTION).values()
            edges = [
                selected[0].name.value
                for nodes in fields
                if nodes[0].name.value == "edges"
                for selected in collector.collect(nodes, EDGE).values()
            ]
            self.selections[place] = _ListSelection(
                collector.arguments(found.parent_type, found.nodes[0]),
                self.document.planned(found.nodes, CONNECTION, found.counted.table),
                has_total=any(selected[0].name.value == "totalCount" for selected in fields),
                has_pressure=_PRESSURE in edges,
            )
        return self.selections[place]

    async def _rows(
        self, table: str, selections: Mapping[Path, RecordSelection], page: RecordPage
    ) -> dict[Path, dict[object, object]]:
        """Read what is selected of the page's records, in every place, by one statement of the planner."""
        ids = tuple({record.id for record in page.records})
        if not selections or not ids:
            return {}
        places = [Nodes(f"n{number}", selection.fields) for number, selection in enumerate(selections.values())]
        edges = Edges("edges", (Nodes("id", (ColumnValue("id", "id"),)), *places))
        read = await read_selection(
            self.session, Connection(table, page_of_ids(ids, with_merged=True), (edges,)), self.principal
        )
        self.redacted.update(read.redacted)
        found: Any = read.value
        kind = {TYPE_KEY: SHAPES[table].type_name}
        by_id = {edge["id"]["id"]: edge for edge in found["edges"]}
        visible = {record.id: by_id[key] for record in page.records if (key := f"{table}_{record.id}") in by_id}
        return {
            path: {id_: row[place.key] | kind for id_, row in visible.items()}
            for path, place in zip(selections, places, strict=True)
        }


def _records(source: object, info: Info, **_: object) -> object:
    if isinstance(source, ComparedFigure) and source.drill_down is None:
        return None
    found = info.context.drilled[tuple(info.path.as_list())]
    if isinstance(found, AccordError):
        raise found
    return found


def _nodes(source: _CountedPage, info: Info) -> list[object]:
    rows = source.rows.get((str(info.path.key),), {})
    return [rows.get(record.id) for record in source.page.records]


def _edges(source: _CountedPage, info: Info) -> list[_CountedEdge]:
    return [_CountedEdge(source, str(info.path.key), record) for record in source.page.records]


def _node(source: _CountedEdge, info: Info) -> object:
    return source.page.rows[source.key, str(info.path.key)].get(source.record.id)


def _page_info(source: _CountedPage, info: Info) -> dict[str, object]:
    page, is_last = source.page, source.is_last
    values = {
        "hasNextPage": page.is_before_some or (page.has_more and not is_last),
        "hasPreviousPage": page.is_after_some or (page.has_more and is_last),
        "startCursor": page.records[0].cursor if page.records else None,
        "endCursor": page.records[-1].cursor if page.records else None,
    }
    selected = info.context.document.collector.collect(info.field_nodes, PAGE_INFO)
    return {key: values.get(nodes[0].name.value) for key, nodes in selected.items()}


DRILL_DOWN_TYPES = (
    ObjectType(
        CONNECTION,
        "One page of the records that a number counts. A record that counts twice is listed twice.",
        (
            Output(
                "nodes",
                "The records of the page; null in place of a record that is not visible to you.",
                TypeRef(NODE, is_required=True, is_list=True, has_required_items=False),
                _nodes,
            ),
            Output(
                "edges",
                "The records of the page, with the instants at which they count and their cursors.",
                TypeRef(EDGE).required.listed.required,
                _edges,
            ),
            Output("pageInfo", "The position of the page in the list.", TypeRef(PAGE_INFO).required, _page_info),
            Output(
                "totalCount",
                "The number of records over all pages: the number's `n`, or its numerator.",
                TypeRef("Int").required,
                lambda source, _info: source.page.total,
            ),
        ),
    ),
    ObjectType(
        EDGE,
        "A record that a number counts, with the instant at which it counts.",
        (
            Output(
                "cursor",
                "The record's position in the list, for `after` and `before`.",
                TypeRef("String").required,
                lambda source, _info: source.record.cursor,
            ),
            Output(
                "at",
                "The instant at which it counts: when it entered the stage, was closed, …",
                TypeRef("DateTime").required,
                lambda source, _info: source.record.at,
            ),
            Output(
                "value",
                "What the record gives to the number, in the answer's unit and currency: an amount as it was then,"
                " converted and weighted as the number is; a duration in seconds; a number of touches; 1 for a record"
                " that is counted. Null for an amount that is kept `apart`. Over all pages the values of a count or sum"
                " add up to the number, and those of the two sides to numerator and denominator; of a duration the"
                " number is their median.",
                TypeRef("Decimal"),
                lambda source, _info: source.record.value,
            ),
            Output(
                _PRESSURE,
                "For OVER_PRESSURE_RATE: what put the person over the contact policy. Null for people who were never"
                " over it in the figure's time, and for all other KPIs.",
                TypeRef(ContactPressure.__name__),
                lambda source, _info: source.record.pressure,
            ),
            Output(
                "node",
                "The record, such as a Contact or a Deal; null if it is not visible to you.",
                TypeRef(NODE),
                _node,
            ),
        ),
    ),
)

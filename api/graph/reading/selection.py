"""From a document's fields to the planner's selection of records."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from graphql import FieldNode

from api.errors import AccordError, ErrorCode
from api.graph.declared import Declared, ObjectType
from api.graph.derived.filter_types import read_where, size_of
from api.graph.derived.order_types import read_order
from api.graph.derived.record_types import MAX_PAGE_SIZE, PAGE_SIZE
from api.graph.reading.aggregates import FigureReader
from api.graph.reading.document import Document
from api.graph.reading.search_values import read_search
from api.graph.sources import FromBack, FromColumn, FromId, FromIds, FromLink, FromMoney, FromStage, FromTable
from api.identity.ids import read_id, split_id
from api.plan.selection import (
    Aggregate,
    Amount,
    Condition,
    Connection,
    Cursor,
    Edges,
    Field,
    Groups,
    ManyRecords,
    Member,
    Nodes,
    OneRecord,
    Page,
    PageInfo,
    PresentStage,
    Root,
    ToMany,
    ToOne,
    TotalCount,
    Typename,
    Value,
)
from api.sql import Slot, through
from schema.tables import SHAPES

_TYPENAME, _QUERY = "__typename", "Query"
# A statement is planned whole, whatever the data: nested fragments double a short document with each level.
MAX_FIELDS = 5_000
MAX_FILTERS = 2_000
MAX_IDS = 100


@dataclass(slots=True)
class _Usage:
    """What was read so far of one document."""

    fields: int = 0
    filters: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads the fields of one document by what the declared types say they come from."""

    document: Document
    types: Mapping[str, Declared]
    met: _Usage = field(default_factory=_Usage)

    def root(self, key: str, nodes: Sequence[FieldNode]) -> Root | None:
        """A root field, if it reads records. Errors: BAD_INPUT and TOO_LARGE for arguments that cannot be."""
        field_name = nodes[0].name.value
        if field_name == _TYPENAME:
            return Root(key, Typename(key, _QUERY))
        declared = self.types.get(_QUERY)
        if not isinstance(declared, ObjectType) or field_name.startswith("__"):
            return None
        source = declared.field(field_name).source
        if not isinstance(source, FromTable | FromId | FromIds):
            return None
        arguments = self.document.arguments(_QUERY, nodes[0])
        as_of = arguments.get("asOf")
        if isinstance(source, FromTable):
            return Root(key, self.connection(nodes, source.table, arguments), as_of)
        if isinstance(source, FromIds):
            return Root(key, self._many(nodes, arguments["ids"]))
        return Root(key, self._one(nodes, source.table, arguments["id"]), as_of)

    def _one(self, nodes: Sequence[FieldNode], table: str | None, given: str | Slot) -> OneRecord:
        if table is None:
            table, row = split_id(str(given))
            return OneRecord(table, row, self.record(nodes, table))
        return OneRecord(table, through(given, partial(read_id, table)), self.record(nodes, table))

    def _many(self, nodes: Sequence[FieldNode], given: Sequence[str]) -> ManyRecords:
        if len(given) > MAX_IDS:
            message = f"`{nodes[0].name.value}` is asked for {len(given):,} ids, and may be for {MAX_IDS}."
            raise AccordError(ErrorCode.TOO_LARGE, message, "Ask for them in several requests.")
        ids = tuple(split_id(each) for each in given)
        tables = dict.fromkeys(table for table, _ in ids)
        return ManyRecords(ids, tuple((table, self.record(nodes, table)) for table in tables))

    def connection(self, nodes: Sequence[FieldNode], table: str, arguments: Mapping[str, Any]) -> Connection:
        """A list, from the field that asks for it and its coerced arguments."""
        name = f"{SHAPES[table].type_name}Connection"
        parts: list[TotalCount | Nodes | Edges | PageInfo | Aggregate | Groups | Typename] = []
        for key, selected in self.document.fields(nodes, name).items():
            match selected[0].name.value:
                case "totalCount":
                    parts.append(TotalCount(key))
                case "nodes":
                    parts.append(Nodes(key, self.record(selected, table)))
                case "edges":
                    parts.append(Edges(key, self._edge(selected, table)))
                case "aggregate":
                    parts.append(self._figures.aggregate(key, selected, SHAPES[table]))
                case "groupBy":
                    parts.append(self._figures.groups(key, selected, SHAPES[table]))
                case "pageInfo":
                    parts.append(PageInfo(key, self._members(selected, "PageInfo")))
                case _:
                    parts.append(Typename(key, name))
        return Connection(table, self._page(table, nodes[0].name.value, arguments), tuple(parts))

    def record(self, nodes: Sequence[FieldNode], table: str) -> tuple[Field, ...]:
        """What is asked of a record, from the field whose value it is."""
        name = SHAPES[table].type_name
        declared = self.types[name]
        if not isinstance(declared, ObjectType):
            raise TypeError(f"{name} is no object type")
        fields = self.document.fields(nodes, name).items()
        return tuple(self._field(declared, key, selected) for key, selected in fields)

    def _field(self, declared: ObjectType, key: str, nodes: Sequence[FieldNode]) -> Field:
        self._count()
        name = nodes[0].name.value
        if name == _TYPENAME:
            return Typename(key, declared.name)
        match declared.field(name).source:
            case FromColumn(column=column):
                return Value(key, column)
            case FromMoney(column=column):
                return Amount(key, column, self._members(nodes, "Money"))
            case FromStage():
                return PresentStage(key, self._members(nodes, "PresentStage"))
            case FromLink(link=link):
                return ToOne(key, link.column, link.target, self.record(nodes, link.target))
            case FromBack(table=table, link=link):
                arguments = self.document.arguments(declared.name, nodes[0])
                return ToMany(key, link.column, self.connection(nodes, table, arguments))
            case other:
                raise TypeError(f"{declared.name}.{name} comes from {other}, which no statement reads")

    @property
    def _figures(self) -> FigureReader:
        return FigureReader(self.document, self.types, self.record, self._members, self._count, self._measure)

    def _count(self) -> None:
        self.met.fields += 1
        if self.met.fields > MAX_FIELDS:
            message = f"The question selects more than {MAX_FIELDS:,} fields of records, fragments written out."
            raise AccordError(ErrorCode.TOO_LARGE, message, "Ask for less at once.")

    def _edge(self, nodes: Sequence[FieldNode], table: str) -> tuple[Cursor | Nodes | Typename, ...]:
        name = f"{SHAPES[table].type_name}Edge"
        parts: list[Cursor | Nodes | Typename] = []
        for key, selected in self.document.fields(nodes, name).items():
            match selected[0].name.value:
                case "cursor":
                    parts.append(Cursor(key))
                case "node":
                    parts.append(Nodes(key, self.record(selected, table)))
                case _:
                    parts.append(Typename(key, name))
        return tuple(parts)

    def _members(self, nodes: Sequence[FieldNode], type_name: str) -> tuple[Member | Typename, ...]:
        fields = self.document.fields(nodes, type_name).items()
        named = ((key, selected[0].name.value) for key, selected in fields)
        return tuple(Typename(key, type_name) if name == _TYPENAME else Member(key, name) for key, name in named)

    def _page(self, table: str, field_name: str, arguments: Mapping[str, Any]) -> Page:
        search = arguments.get("search")
        return Page(
            page_size(field_name, arguments),
            arguments.get("after"),
            self._where(table, arguments.get("where")),
            read_order(SHAPES[table], arguments.get("orderBy") or ()),
            arguments.get("before"),
            arguments.get("last") is not None,
            None if search is None else through(search, read_search),
        )

    def _where(self, table: str, given: Mapping[str, Any] | None) -> Condition | None:
        if given is None:
            return None
        self._measure("where", given)
        return read_where(SHAPES[table], given)

    def _measure(self, argument: str, given: Mapping[str, Any]) -> None:
        self.met.filters += size_of(argument, given)
        if self.met.filters > MAX_FILTERS:
            message = f"The question's filters hold more than {MAX_FILTERS:,} objects."
            raise AccordError(
                ErrorCode.TOO_LARGE, message, "Give many values to one `in`, or ask in several questions."
            )


def page_size(field_name: str, arguments: Mapping[str, Any]) -> int:
    """How many rows a list may have at most. Errors: BAD_INPUT, TOO_LARGE."""
    argument = "first" if arguments.get("last") is None else "last"
    size = arguments.get(argument)
    if size is None:
        return PAGE_SIZE
    if argument == "last" and arguments.get("first") is not None:
        message = f"`{field_name}(first: {arguments['first']}, last: {size})` asks for both ends of a list."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Ask for `first` or for `last`; for both, in two fields.")
    if size < 0:
        message = f"`{field_name}({argument}: {size})` asks for less than nothing."
        raise AccordError(ErrorCode.BAD_INPUT, message, f"Ask for 0 to {MAX_PAGE_SIZE}.")
    if size > MAX_PAGE_SIZE:
        message = f"`{field_name}({argument}: {size})` asks for more than a page holds, which is {MAX_PAGE_SIZE}."
        cursor = "endCursor" if argument == "first" else "startCursor"
        raise AccordError(ErrorCode.TOO_LARGE, message, f"Ask for a page at a time; `pageInfo.{cursor}` leads on.")
    return int(size)

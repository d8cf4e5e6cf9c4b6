"""Reading fields of records: a document's fields become the planner's selection."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from graphql import FieldNode

from api.access.scope import MERGED_INTO
from api.errors import AccordError, ErrorCode
from api.graph.declared import InterfaceType, ObjectType, object_type
from api.graph.derived.links import node_shapes, visible_shapes
from api.graph.derived.record_types import INCLUDE_MERGED, MONEY, NODE, PAGE_INFO
from api.graph.derived.stage_types import PRESENT_STAGE
from api.graph.reading.aggregate_reader import TYPENAME
from api.graph.reading.duplicate_reader import DuplicateReader
from api.graph.reading.filter_value import read_where
from api.graph.reading.merged_filter import require_listed
from api.graph.reading.order_value import read_order
from api.graph.reading.page_value import read_page_size, read_reading
from api.graph.reading.search_value import read_search
from api.graph.sources import (
    FieldSource,
    FromAudited,
    FromAuditedRecord,
    FromBack,
    FromColumn,
    FromConverted,
    FromDuplicates,
    FromId,
    FromIds,
    FromIsCounted,
    FromLink,
    FromMoney,
    FromNotCountedBecause,
    FromRecordId,
    FromSearch,
    FromStage,
    FromTable,
    FromVersionNumber,
)
from api.identity.ids import RecordKey, is_answer_id, parse_id, parse_record_id
from api.plan.list_arguments import Condition, Page
from api.plan.selection import (
    Amount,
    AssumedCount,
    Audited,
    AuditedRecord,
    ColumnValue,
    Connection,
    ConnectionPart,
    ConvertedMoney,
    Cursor,
    Edges,
    Field,
    IsCounted,
    ManyRecords,
    Nodes,
    NotCountedBecause,
    OneRecord,
    PageInfo,
    PresentStage,
    RecordId,
    RootField,
    ToMany,
    ToOne,
    TotalCount,
    Typename,
    VersionNumber,
)
from api.sql import Parameter, converted
from schema.tables import SHAPES

MAX_IDS = 100

Path = tuple[str, ...]  # response keys from a value down to a value within it
_TABLES = {shape.type_name: shape.name for shape in visible_shapes()}


@dataclass(frozen=True, slots=True)
class RecordSelection:
    """What is selected of a record of a table."""

    table: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class SelectionReader(DuplicateReader):
    """Reads the fields of one operation by the sources that the declared types name for them."""

    def root(self, type_name: str, key: str, nodes: Sequence[FieldNode]) -> RootField | None:
        """Return what a root field reads; None if it reads no records. Errors: BAD_INPUT, TOO_LARGE for arguments."""
        field_name = nodes[0].name.value
        if field_name == TYPENAME:
            return RootField(key, Typename(key, type_name))
        declared = self.types.get(type_name)
        if not isinstance(declared, ObjectType) or field_name.startswith("__"):
            return None
        source = declared.field(field_name).source
        if not isinstance(source, FromTable | FromId | FromIds | FromSearch | FromDuplicates):
            return None
        arguments = self.collector.arguments(type_name, nodes[0])
        as_of = arguments.get("asOf")
        match source:
            case FromTable(table=table):
                return RootField(key, self._connection(nodes, table, arguments, with_merged=False), as_of)
            case FromSearch():
                return RootField(key, self.search_results(nodes, arguments))
            case FromDuplicates(table=table):
                return RootField(key, self.duplicates(nodes, table, arguments))
            case FromIds():
                return RootField(key, self._many(nodes, arguments["ids"]))
            case FromId(table=table):
                is_answer = table is None and is_answer_id(str(arguments["id"]))
                return None if is_answer else self._one(key, nodes, table, arguments)

    def records(
        self, nodes: Sequence[FieldNode], type_name: str, node_table: str | None = None
    ) -> Iterator[tuple[Path, RecordSelection]]:
        """Yield what is selected of every record within a value, by its path of response keys.

        The value of `nodes` has the type `type_name`: a record (its own path is empty), or a payload with records in
        it. `node_table` is the table of values whose type is the interface Node.
        """
        table = node_table if type_name == NODE else _TABLES.get(type_name)
        if table is not None:
            yield (), RecordSelection(table, self.record(nodes, table))
            return
        declared = object_type(self.types, type_name)
        for key, selected in self.collector.collect(nodes, type_name).items():
            field_name = selected[0].name.value
            inner = None if field_name == TYPENAME else declared.field(field_name).type.name
            if inner is not None and isinstance(self.types.get(inner), ObjectType | InterfaceType):
                for path, selection in self.records(selected, inner, node_table):
                    yield (key, *path), selection

    def record(self, nodes: Sequence[FieldNode], table: str) -> tuple[Field, ...]:
        """Return what is selected of a record of the table, the value of `nodes`."""
        declared = object_type(self.types, SHAPES[table].type_name)
        fields = self.collector.collect(nodes, declared.name).items()
        return tuple(self._field(declared, key, selected) for key, selected in fields)

    def _one(self, key: str, nodes: Sequence[FieldNode], table: str | None, arguments: Mapping[str, Any]) -> RootField:
        given, as_of = arguments["id"], arguments.get("asOf")
        if table is not None and isinstance(given, Parameter):
            # The id of a record as of an instant does not fit this plan: the executor reads it, with its value.
            row = converted(given, partial(parse_id, table))
            return RootField(key, OneRecord(table, row, self.record(nodes, table)), as_of)
        named = parse_record_id(str(given), table)
        if as_of is not None and named.as_of is not None:
            raise _two_instants(nodes[0].name.value, named)
        record = OneRecord(named.table, named.id, self.record(nodes, named.table))
        return RootField(key, record, named.as_of or as_of)

    def _many(self, nodes: Sequence[FieldNode], given: Sequence[str]) -> ManyRecords:
        if len(given) > MAX_IDS:
            message = f"`{nodes[0].name.value}` was given {len(given):,} ids. The limit is {MAX_IDS}."
            raise AccordError(ErrorCode.TOO_LARGE, message, "Split the ids over several requests.")
        ids = tuple(parse_record_id(id_) for id_ in given)
        tables = dict.fromkeys(key.table for key in ids)
        return ManyRecords(ids, tuple((table, self.record(nodes, table)) for table in tables))

    def _connection(
        self, nodes: Sequence[FieldNode], table: str, arguments: Mapping[str, Any], *, with_merged: bool
    ) -> Connection:
        shape = SHAPES[table]
        name = f"{shape.type_name}Connection"
        parts: list[ConnectionPart] = []
        for key, selected in self.collector.collect(nodes, name).items():
            match selected[0].name.value:
                case "totalCount":
                    parts.append(TotalCount(key))
                case "assumedCount":
                    parts.append(AssumedCount(key))
                case "nodes":
                    parts.append(Nodes(key, self.record(selected, table)))
                case "edges":
                    parts.append(Edges(key, self._edge(selected, table)))
                case "aggregate":
                    parts.append(self.aggregate(key, selected, shape))
                case "groupBy":
                    parts.append(self.groups(key, selected, shape))
                case "groupCount":
                    parts.append(self.group_count(key, selected, shape))
                case "pageInfo":
                    parts.append(PageInfo(key, self.members(selected, PAGE_INFO)))
                case _:
                    parts.append(Typename(key, name))
        with_merged |= arguments.get(INCLUDE_MERGED) is True
        page = self._page(table, nodes[0].name.value, arguments, with_merged=with_merged)
        return Connection(table, page, tuple(parts))

    def _edge(self, nodes: Sequence[FieldNode], table: str) -> tuple[Cursor | Nodes | Typename, ...]:
        name = f"{SHAPES[table].type_name}Edge"
        parts: list[Cursor | Nodes | Typename] = []
        for key, selected in self.collector.collect(nodes, name).items():
            match selected[0].name.value:
                case "cursor":
                    parts.append(Cursor(key))
                case "node":
                    parts.append(Nodes(key, self.record(selected, table)))
                case _:
                    parts.append(Typename(key, name))
        return tuple(parts)

    def _field(self, declared: ObjectType, key: str, nodes: Sequence[FieldNode]) -> Field:
        self.usage.add_field()
        name = nodes[0].name.value
        if name == TYPENAME:
            return Typename(key, declared.name)
        match declared.field(name).source:
            case FromLink(link=link):
                return ToOne(key, link.column, link.target, self.record(nodes, link.target))
            case FromBack(table=table, link=link):
                arguments = self.collector.arguments(declared.name, nodes[0])
                lists_merged = link.column == MERGED_INTO
                return ToMany(key, link.column, self._connection(nodes, table, arguments, with_merged=lists_merged))
            case FromVersionNumber(column=column):
                return VersionNumber(key, column)
            case FromAuditedRecord():
                return AuditedRecord(
                    key, tuple((shape.name, self.record(nodes, shape.name)) for shape in node_shapes())
                )
            case source:
                return self._value(key, source, nodes)

    def _value(self, key: str, source: FieldSource | None, nodes: Sequence[FieldNode]) -> Field:
        match source:
            case FromRecordId(is_plain=is_plain):
                return RecordId(key, is_plain)
            case FromColumn(column=column, is_float=is_float):
                return ColumnValue(key, column, is_float)
            case FromMoney(column=column):
                return Amount(key, column, self.members(nodes, MONEY))
            case FromConverted(column=column):
                return ConvertedMoney(key, column, self.members(nodes, MONEY))
            case FromStage():
                return PresentStage(key, self.members(nodes, PRESENT_STAGE))
            case FromAudited(column=column):
                return Audited(key, column)
            case FromIsCounted():
                return IsCounted(key)
            case FromNotCountedBecause():
                return NotCountedBecause(key)
            case other:
                raise TypeError(f"{nodes[0].name.value} comes from {other}, which is not part of a row")

    def _page(self, table: str, field_name: str, arguments: Mapping[str, Any], *, with_merged: bool) -> Page:
        search, order = arguments.get("search"), arguments.get("orderBy") or ()
        for term in order:  # a term may have a filter, for the rows of a list
            self.usage.add_filter("orderBy", term)
        return Page(
            read_page_size(field_name, arguments),
            arguments.get("after"),
            self._where(table, arguments.get("where"), with_merged=with_merged),
            read_order(SHAPES[table], order),
            arguments.get("before"),
            arguments.get("last") is not None,
            None if search is None else converted(search, read_search),
            with_merged,
            read_reading(arguments),
        )

    def _where(self, table: str, given: Mapping[str, Any] | None, *, with_merged: bool) -> Condition | None:
        if given is None:
            return None
        self.usage.add_filter("where", given)
        return require_listed(read_where(SHAPES[table], given), with_merged=with_merged)


def _two_instants(field: str, key: RecordKey) -> AccordError:
    message = f"`{field}` has the argument `asOf`, and its id names a record as of an instant."
    remedy = f"Leave `asOf` out, or pass the record's `recordId`: {key.table}_{key.id}."
    return AccordError(ErrorCode.BAD_INPUT, message, remedy)

"""The statement of a document: a tree of selected fields -> one SQL statement that returns a JSON object.

Every selected record and list is a correlated subquery in the select list of its parent, so the statement has the shape
of the response. PostgreSQL runs it in one snapshot.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from api.access.audited_values import audited_value, identified_type
from api.access.principal import Principal
from api.access.scoped_tables import ScopedTables, qualified
from api.plan.aggregation import Aggregation
from api.plan.composite_fields import (
    amount,
    is_counted,
    not_counted_because,
    selected_members,
    typename,
    version_number,
)
from api.plan.duplicates.results import duplicate_pairs
from api.plan.grouping import group_count, group_objects
from api.plan.json_objects import NO_ROWS, Columns, select_document, select_objects
from api.plan.json_values import column_as_json, decimal_as_float
from api.plan.list_arguments import AggregateCall
from api.plan.list_rows import ListRows, ParentRow
from api.plan.money.converted_amounts import converted_money
from api.plan.present_stage import present_stage
from api.plan.search.results import search_results
from api.plan.selection import (
    Aggregate,
    Amount,
    AssumedCount,
    Audited,
    AuditedRecord,
    ColumnValue,
    Connection,
    ConnectionPart,
    ConvertedMoney,
    Cursor,
    DuplicatePairs,
    Edges,
    Field,
    GroupCount,
    Groups,
    IsCounted,
    ManyRecords,
    Nodes,
    NotCountedBecause,
    OneRecord,
    PageInfo,
    PresentStage,
    RecordId,
    RootField,
    SearchResults,
    Selection,
    ToMany,
    ToOne,
    TotalCount,
    Typename,
    ValueField,
    VersionNumber,
)
from api.sql import Sql, join, name
from schema.base import ColumnShape
from schema.tables import SHAPES


@dataclass(frozen=True, slots=True)
class DocumentStatement:
    """The statement of a document, and the fields that it returns as null: the principal may not read them.

    `redacted` has every such field once, as `Contact.email`, in alphabetical order.
    """

    sql: Sql
    redacted: tuple[str, ...] = ()


def document_statement(
    roots: Iterable[RootField], principal: Principal, *, reads_merged: bool = False
) -> DocumentStatement:
    """Return the statement of the root fields of one document; `reads_merged` as in `ScopedTables`.

    Shapes: root fields -> one row with one value, the UTF-8 bytes of a JSON object with the keys of the root fields.
    Errors: BAD_INPUT if a cursor does not belong to its list; NOT_ALLOWED for a table that the principal may not read,
            or a field that it may not read in a filter, an order, a group, an aggregate or a search.
    """
    tables = ScopedTables(principal, reads_merged=reads_merged)
    sql = select_document([(root.key, _root(tables.as_of(root.as_of), root.selection)) for root in roots])
    return DocumentStatement(sql, tuple(sorted(tables.redacted)))


def _root(tables: ScopedTables, selection: Selection) -> Sql:
    match selection:
        case Typename():
            return typename(selection)
        case OneRecord():
            return _record(tables, selection.table, Sql("{}", selection.id), selection.fields)
        case ManyRecords():
            return _records(tables, selection)
        case Connection():
            return _list(tables, selection, None)
        case SearchResults():
            return search_results(tables, selection, partial(_record, tables))
        case DuplicatePairs():
            return duplicate_pairs(tables, selection, partial(_record, tables))


# ------------------------------------------------------------------------------------------------------- records


def _columns(tables: ScopedTables, table: str, alias: str, fields: Iterable[Field]) -> Columns:
    """Return the expressions of the selected fields of one row, by key."""
    return [(field.key, _field(tables, table, alias, field)) for field in fields]


def _field(tables: ScopedTables, table: str, alias: str, field: Field) -> Sql:
    match field:
        case ToOne():
            return _record(tables, field.table, qualified(alias, field.column), field.fields)
        case ToMany():
            return _list(tables, field.connection, ParentRow(alias, field.column))
        case VersionNumber():
            return version_number(alias, field.column)
        case Audited():
            return audited_value(tables, field.column, alias)
        case AuditedRecord():
            return _audited_record(tables, alias, field)
        case ColumnValue() | Amount() | ConvertedMoney() if tables.withholds(table, field.column):
            return Sql("null::text")
        case _:
            return _value(tables, table, alias, field)


def _value(tables: ScopedTables, table: str, alias: str, field: ValueField) -> Sql:
    match field:
        case Typename():
            return typename(field)
        case RecordId(is_plain=is_plain):
            return _record_id(tables, table, alias, is_plain=is_plain)
        case ColumnValue(column=column):
            value = qualified(alias, column)
            return decimal_as_float(value) if field.is_float else column_as_json(_column(table, column), table, value)
        case Amount():
            return amount(table, alias, field)
        case ConvertedMoney():
            return converted_money(tables, table, alias, field)
        case PresentStage():
            return present_stage(tables, alias, field)
        case IsCounted():
            return is_counted(tables, table, alias, is_single=True)
        case NotCountedBecause():
            return not_counted_because(tables, table, alias)


def _column(table: str, column: str) -> ColumnShape:
    return SHAPES[table].column(column)


def _record_id(tables: ScopedTables, table: str, alias: str, *, is_plain: bool) -> Sql:
    id_ = column_as_json(_column(table, "id"), table, qualified(alias, "id"))
    return id_ if is_plain or tables.id_suffix is None else Sql("{} || {}", id_, tables.id_suffix)


def _record(tables: ScopedTables, table: str, id_: Sql, fields: Sequence[Field]) -> Sql:
    """Return one record by its id as an object; null if there is none or it is not visible."""
    # A subquery costs one index lookup for each row of the parent. In return the same form serves root fields, links
    # and grouping keys, and the scope of the table decides alone whether the object is null.
    alias = tables.new_alias()
    row = tables.from_clause(table, alias, Sql("{}.id = {}", name(alias), id_), with_merged=True)
    return Sql("({})", select_objects(_columns(tables, table, alias, fields), row))


def _audited_record(tables: ScopedTables, alias: str, field: AuditedRecord) -> Sql:
    """Return the record that an event of the audit is about, as an object; null if it is not visible."""
    id_ = qualified(alias, "changed_id")
    branches = (
        Sql("when {}::text then to_json({})", table, _record(tables, table, id_, fields))
        for table, fields in field.fields
    )
    return Sql("case {} {} end", identified_type(alias), join(" ", branches))


def _records(tables: ScopedTables, selection: ManyRecords) -> Sql:
    """Return records of several tables in the order of their ids, as an array; null for one that is not visible."""
    if not selection.ids:
        return Sql("array[]::json[]")
    alias, fields = tables.new_alias(), dict(selection.fields)
    kinds = {kind: number for number, kind in enumerate(dict.fromkeys((key.table, key.as_of) for key in selection.ids))}
    # Every branch is JSON: the objects of different tables have different row types, and an array needs one.
    branches = (
        Sql(
            f"when {number} then to_json({{}})",
            _record(tables.as_of(as_of), table, qualified(alias, "id"), fields[table]),
        )
        for (table, as_of), number in kinds.items()
    )
    ids = Sql(
        "unnest({}::integer[], {}::uuid[])",
        [kinds[key.table, key.as_of] for key in selection.ids],
        [key.id for key in selection.ids],
    )
    return Sql(
        "array(select case {} {} end from {} with ordinality {} (kind, id, place) order by {})",
        qualified(alias, "kind"),
        join(" ", branches),
        ids,
        name(alias),
        qualified(alias, "place"),
    )


# --------------------------------------------------------------------------------------------------------- lists


def _list(tables: ScopedTables, connection: Connection, parent: ParentRow | None) -> Sql:
    """Return a list as an object. All aggregates of the list, its total count among them, are computed in one pass."""
    rows = ListRows.of(tables, connection, parent)
    aggregation = Aggregation.of(rows)
    parts = [(part.key, _part(rows, aggregation, part)) for part in connection.parts]
    # The parts have named the aggregates that they need: only now is the `from` clause complete.
    return Sql("({}{})", rows.with_page(), select_objects(parts, aggregation.from_clause()))


def _part(
    rows: ListRows,
    aggregation: Aggregation,
    part: ConnectionPart,
) -> Sql:
    match part:
        case Typename():
            return typename(part)
        case TotalCount() | AssumedCount():
            return _count(aggregation, part)
        case Nodes(fields=fields):
            alias = rows.tables.new_alias()
            columns = _columns(rows.tables, rows.table, alias, fields)
            return Sql("array({})", select_objects(columns, rows.page_rows(alias)))
        case Edges(parts=parts):
            alias = rows.tables.new_alias()
            edge = [(edge_part.key, _edge_part(rows, alias, edge_part)) for edge_part in parts]
            return Sql("array({})", select_objects(edge, rows.page_rows(alias)))
        case PageInfo(parts=parts):
            return Sql("({})", select_objects(selected_members(parts, rows.page_info()), NO_ROWS))
        case Aggregate():
            return aggregation.aggregate_object(part)
        case Groups():
            return group_objects(rows, part, partial(_record, rows.tables))
        case GroupCount():
            return group_count(rows, part)


def _count(aggregation: Aggregation, part: TotalCount | AssumedCount) -> Sql:
    if isinstance(part, AssumedCount):
        return aggregation.assumed_count()
    return aggregation.comparable_value(AggregateCall("count"))


def _edge_part(rows: ListRows, alias: str, part: Cursor | Nodes | Typename) -> Sql:
    match part:
        case Typename():
            return typename(part)
        case Cursor():
            return rows.cursor(alias)
        case Nodes(fields=fields):
            return Sql("({})", select_objects(_columns(rows.tables, rows.table, alias, fields), NO_ROWS))

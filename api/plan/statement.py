"""Selection -> one SQL statement that answers it as JSON text. The scope of a table is part of every visit of it."""

from collections.abc import Iterable, Sequence
from functools import partial

from api.access.principal import Principal
from api.access.scoped_tables import ScopedTables, of
from api.plan.aggregation import Summary
from api.plan.composite_fields import amount, chosen, present_stage, typename
from api.plan.grouping import grouped
from api.plan.json_objects import NO_SOURCE, Columns, document, each_row
from api.plan.json_values import column_as_json
from api.plan.list_rows import Parent, Rows
from api.plan.selection import (
    Aggregate,
    Amount,
    Connection,
    Cursor,
    Edges,
    Field,
    Figure,
    Groups,
    ManyRecords,
    Nodes,
    OneRecord,
    PageInfo,
    PresentStage,
    Root,
    ToMany,
    ToOne,
    TotalCount,
    Typename,
    Value,
)
from api.sql import Sql, join, name
from schema.tables import SHAPES


def statement(roots: Iterable[Root], who: Principal) -> Sql:
    """The statement of the root fields of one document.

    Shapes: selections -> one row of one value, the bytes of a JSON object in the asked keys.
    Errors: BAD_INPUT for a cursor that is none of its list.
    """
    visits = ScopedTables(who)
    return document([(root.key, _root(visits.as_of(root.as_of), root.asked)) for root in roots])


def _root(visits: ScopedTables, asked: OneRecord | ManyRecords | Connection | Typename) -> Sql:
    match asked:
        case Typename():
            return typename(asked)
        case OneRecord():
            return _one(visits, asked.table, Sql("{}", asked.id), asked.fields)
        case ManyRecords():
            return _many(visits, asked)
        case Connection():
            return _list(visits, asked, None)


# ------------------------------------------------------------------------------------------------------- records


def _columns(visits: ScopedTables, table: str, alias: str, asked: Iterable[Field]) -> Columns:
    """What is asked of one row, by key."""
    return [(each.key, _field(visits, table, alias, each)) for each in asked]


def _field(visits: ScopedTables, table: str, alias: str, asked: Field) -> Sql:
    match asked:
        case Typename():
            return typename(asked)
        case Value(column=column):
            return column_as_json(SHAPES[table].column(column), table, of(alias, column))
        case Amount():
            return amount(table, alias, asked)
        case PresentStage():
            return present_stage(visits, alias, asked)
        case ToOne():
            return _one(visits, asked.table, of(alias, asked.column), asked.fields)
        case ToMany():
            return _list(visits, asked.connection, Parent(alias, asked.column))


def _one(visits: ScopedTables, table: str, id_: Sql, fields: Sequence[Field]) -> Sql:
    """One record by its id, or null."""
    alias = visits.alias()
    source = visits.source(table, alias, Sql("{}.id = {}", name(alias), id_))
    return Sql("({})", each_row(_columns(visits, table, alias, fields), source))


def _many(visits: ScopedTables, asked: ManyRecords) -> Sql:
    """Records of several tables in the order of their ids, each as JSON of its own; null for one that is not there."""
    if not asked.ids:
        return Sql("array[]::json[]")
    alias = visits.alias()
    found = (
        Sql(f"when '{table}' then to_json({{}})", _one(visits, table, of(alias, "id"), fields))
        for table, fields in asked.fields
    )
    wanted = Sql("unnest({}::text[], {}::uuid[])", *map(list, zip(*asked.ids, strict=True)))
    return Sql(
        "array(select case {} {} end from {} with ordinality {} (kind, id, place) order by {})",
        of(alias, "kind"),
        join(" ", found),
        wanted,
        name(alias),
        of(alias, "place"),
    )


# --------------------------------------------------------------------------------------------------------- lists


def _list(visits: ScopedTables, asked: Connection, parent: Parent | None) -> Sql:
    """A list as an object beside the figures of all its rows, which are read once however much is told of them."""
    rows = Rows.of(visits, asked, parent)
    together = Summary.of(rows)
    parts = [(part.key, _part(rows, together, part)) for part in asked.parts]
    return Sql("({}{})", rows.with_page(), each_row(parts, together.source()))


def _part(
    rows: Rows, together: Summary, part: TotalCount | Nodes | Edges | PageInfo | Aggregate | Groups | Typename
) -> Sql:
    match part:
        case Typename():
            return typename(part)
        case TotalCount():
            return together.figure(Figure("count"))
        case Nodes(fields=fields):
            alias = rows.visits.alias()
            return Sql("array({})", each_row(_columns(rows.visits, rows.table, alias, fields), rows.shown(alias)))
        case Edges(parts=parts):
            alias = rows.visits.alias()
            edge = [(each.key, _edge_part(rows, alias, each)) for each in parts]
            return Sql("array({})", each_row(edge, rows.shown(alias)))
        case PageInfo(parts=parts):
            return Sql("({})", each_row(chosen(parts, rows.page_info()), NO_SOURCE))
        case Aggregate():
            return together.aggregate(part)
        case Groups():
            return grouped(rows, part, partial(_one, rows.visits))


def _edge_part(rows: Rows, alias: str, part: Cursor | Nodes | Typename) -> Sql:
    match part:
        case Typename():
            return typename(part)
        case Cursor():
            return rows.cursor(alias)
        case Nodes(fields=fields):
            return Sql("({})", each_row(_columns(rows.visits, rows.table, alias, fields), NO_SOURCE))

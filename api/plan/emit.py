"""Selection -> one SQL statement that answers it as JSON text. The scope of a table is part of every visit of it."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import count

from api.access.scope import scope
from api.plan.conditions import condition
from api.plan.json_values import column_as_json, instant_as_json
from api.plan.keyset import Sorted, behind, cursor_of, order_by, total_order
from api.plan.objects import Columns, document, each_row
from api.plan.selection import (
    Amount,
    Connection,
    Cursor,
    Edges,
    Field,
    Member,
    Nodes,
    OneRecord,
    Page,
    PageInfo,
    PresentStage,
    ToMany,
    ToOne,
    TotalCount,
    Typename,
    Value,
)
from api.sql import Sql, all_of, name
from schema.tables import SHAPES

_NO_SOURCE = Sql("")


@dataclass(frozen=True, slots=True)
class _Names:
    """The names of a statement's tables: t1, t2 … in the order they are met."""

    numbers: "count[int]" = field(default_factory=lambda: count(1))

    def next(self) -> str:
        return f"t{next(self.numbers)}"


@dataclass(frozen=True, slots=True)
class _Parent:
    """The row that a nested list belongs to, and the column of the list's table that names it."""

    alias: str
    column: str


@dataclass(frozen=True, slots=True)
class _List:
    """A connection on its way to SQL. `source` names its rows: the table itself, or the page read from it before."""

    table: str
    page: Page
    parent: _Parent | None
    alias: str
    order: tuple[Sorted, ...]
    is_paged: bool

    @property
    def page_name(self) -> Sql:
        return name(f"{self.alias}_page")


def statement(asked: OneRecord | Connection) -> Sql:
    """The statement of one root field.

    Shapes: one selection -> one row of one text, JSON in the asked keys; no row where the record is not there.
    Errors: BAD_INPUT for a cursor that is none of the list.
    """
    names = _Names()
    if isinstance(asked, OneRecord):
        alias = names.next()
        source = _from(asked.table, alias, Sql("{}.id = {}", name(alias), asked.id))
        return document(_columns(names, asked.table, alias, asked.fields), source)
    rows = _list(names, asked, None)
    return _page_before(rows) + document(_parts(names, rows, asked), _NO_SOURCE)


# ------------------------------------------------------------------------------------------------------- records


def _columns(names: _Names, table: str, alias: str, asked: Iterable[Field]) -> Columns:
    """What is asked of one row, by key."""
    return [(each.key, _field(names, table, alias, each)) for each in asked]


def _field(names: _Names, table: str, alias: str, asked: Field) -> Sql:
    match asked:
        case Typename():
            return _typename(asked)
        case Value(column=column):
            return column_as_json(SHAPES[table].column(column), table, _of(alias, column))
        case Amount():
            return _amount(table, alias, asked)
        case PresentStage():
            return _present_stage(names.next(), alias, asked)
        case ToOne():
            other = names.next()
            source = _from(asked.table, other, Sql("{}.id = {}", name(other), _of(alias, asked.column)))
            return Sql("({})", each_row(_columns(names, asked.table, other, asked.fields), source))
        case ToMany():
            rows = _list(names, asked.connection, _Parent(alias, asked.column))
            listed = each_row(_parts(names, rows, asked.connection), _NO_SOURCE)
            return Sql("({}{})", _page_before(rows), listed)


def _amount(table: str, alias: str, asked: Amount) -> Sql:
    amount = SHAPES[table].column(asked.column)
    members = {"amount": Sql("{}::text", _of(alias, amount.name))}
    if amount.note.currency:
        members["currency"] = _of(alias, amount.note.currency)
    money = each_row(_members(asked.parts, members), _NO_SOURCE)
    return Sql("case when {} is not null then ({}) end", _of(alias, amount.name), money)


def _present_stage(entry: str, contact: str, asked: PresentStage) -> Sql:
    """The open entry of highest rank. Its title is that of the accord's version that judged it."""
    title = Sql(
        "(select step.value ->> 'title' from accord_version agreed, jsonb_array_elements(agreed.body -> 'stages') step"
        " where agreed.id = {} and step.value ->> 'key' = {})",
        _of(entry, "accord_version_id"),
        _of(entry, "stage"),
    )
    members = {
        "key": _of(entry, "stage"),
        "title": title,
        "since": instant_as_json(_of(entry, "entered_at")),
        "occurrence": _of(entry, "occurrence"),
    }
    open_entries = _from(
        "stage_entry",
        entry,
        Sql("{} = {}", _of(entry, "contact_id"), _of(contact, "id")),
        Sql("{} is null", _of(entry, "exited_at")),
    )
    highest = Sql(" order by {} desc limit 1", _of(entry, "rank"))
    return Sql("({})", each_row(_members(asked.parts, members), open_entries + highest))


# --------------------------------------------------------------------------------------------------------- lists


def _list(names: _Names, asked: Connection, parent: _Parent | None) -> _List:
    """Decide how the rows are read: straight, or as a page that is read once and used in several places."""
    readers = [part for part in asked.parts if isinstance(part, Nodes | Edges | PageInfo)]
    is_paged = len(readers) > 1 or any(isinstance(part, PageInfo) for part in readers)
    order = total_order(SHAPES[asked.table], asked.page.order)
    return _List(asked.table, asked.page, parent, names.next(), order, is_paged)


def _page_before(rows: _List) -> Sql:
    """The page as a materialised CTE, with one row more than asked (is there a next page?), numbered in its order."""
    if not rows.is_paged:
        return _NO_SOURCE
    read = Sql("select *{}", _rows(rows, rows.alias, rows.page.first + 1))
    numbered = Sql('select *, row_number() over () as "#" from ({}) {}', read, name(rows.alias))
    return Sql("with {} as materialized ({}) ", rows.page_name, numbered)


def _rows(rows: _List, alias: str, limit: int) -> Sql:
    """The rows behind the cursor, straight from the table."""
    row = name(alias)
    after = [] if rows.page.after is None else [behind(rows.order, rows.page.after, row)]
    return _matching(rows, alias, *after) + order_by(rows.order, row) + Sql(f" limit {limit}")


def _matching(rows: _List, alias: str, *conditions: Sql) -> Sql:
    """Every row of the list, whatever its page."""
    row = name(alias)
    found = list(conditions)
    if rows.parent is not None:
        found.append(Sql("{} = {}", _of(alias, rows.parent.column), _of(rows.parent.alias, "id")))
    if rows.page.where is not None:
        found.append(condition(rows.page.where, row))
    return _from(rows.table, alias, *found)


def _page_rows(rows: _List, alias: str) -> Sql:
    """The rows of the page, in order, as the source of a select."""
    if not rows.is_paged:
        return _rows(rows, alias, rows.page.first)
    row = name(alias)
    shown = Sql(f'{{}}."#" <= {rows.page.first}', row)
    return Sql(' from {} {} where {} order by {}."#"', rows.page_name, row, shown, row)


def _parts(names: _Names, rows: _List, asked: Connection) -> Columns:
    return [(part.key, _part(names, rows, part)) for part in asked.parts]


def _part(names: _Names, rows: _List, part: TotalCount | Nodes | Edges | PageInfo | Typename) -> Sql:
    match part:
        case Typename():
            return _typename(part)
        case TotalCount():
            return Sql("(select count(*){})", _matching(rows, names.next()))
        case Nodes(fields=fields):
            alias = names.next()
            return Sql("array({})", each_row(_columns(names, rows.table, alias, fields), _page_rows(rows, alias)))
        case Edges(parts=parts):
            alias = names.next()
            edge = [(each.key, _edge_part(names, rows, alias, each)) for each in parts]
            return Sql("array({})", each_row(edge, _page_rows(rows, alias)))
        case PageInfo(parts=parts):
            return Sql("({})", each_row(_members(parts, _page_info(names, rows)), _NO_SOURCE))


def _edge_part(names: _Names, rows: _List, alias: str, part: Cursor | Nodes | Typename) -> Sql:
    match part:
        case Typename():
            return _typename(part)
        case Cursor():
            return cursor_of(rows.order, name(alias))
        case Nodes(fields=fields):
            return Sql("({})", each_row(_columns(names, rows.table, alias, fields), _NO_SOURCE))


def _page_info(names: _Names, rows: _List) -> dict[str, Sql]:
    alias = names.next()
    row, first = name(alias), rows.page.first
    cursor = Sql(
        f'(select {{}} from {{}} {{}} where {{}}."#" <= {first}', cursor_of(rows.order, row), rows.page_name, row, row
    )
    return {
        "hasNextPage": Sql(f'exists (select from {{}} {{}} where {{}}."#" > {first})', rows.page_name, row, row),
        "hasPreviousPage": Sql("true" if rows.page.after is not None else "false"),
        "startCursor": Sql('{} order by {}."#" limit 1)', cursor, row),
        "endCursor": Sql('{} order by {}."#" desc limit 1)', cursor, row),
    }


# --------------------------------------------------------------------------------------------------------- terms


def _from(table: str, alias: str, *conditions: Sql) -> Sql:
    where = [*conditions, *scope(table, alias)]
    source = Sql(" from {} {}", name(table), name(alias))
    return source + Sql(" where {}", all_of(where)) if where else source


def _of(alias: str, column: str) -> Sql:
    return Sql("{}.{}", name(alias), name(column))


def _typename(part: Typename) -> Sql:
    return Sql(f"text '{part.name}'")


def _members(parts: Iterable[Member | Typename], members: dict[str, Sql]) -> Columns:
    return [(part.key, _typename(part) if isinstance(part, Typename) else members[part.name]) for part in parts]

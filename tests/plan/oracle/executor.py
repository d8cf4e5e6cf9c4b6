"""The reference: graphql-core executes a document on a schema made of the SDL alone, over plain rows."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from graphql import (
    ExecutionResult,
    GraphQLAbstractType,
    GraphQLResolveInfo,
    GraphQLSchema,
    build_schema,
    execute_sync,
    get_named_type,
    parse,
)

from api.access.principal import Principal
from api.graph.contract import sdl
from schema.base import ColumnShape
from schema.vocab import Unit
from tests.plan.oracle.figures import FUNCTIONS, figure, written
from tests.plan.oracle.groups import grouped, holds, in_order
from tests.plan.oracle.inputs import RefusedError, read_id
from tests.plan.oracle.pages import Edge, Page, page_of
from tests.plan.oracle.records import Records
from tests.plan.oracle.shapes import COLUMNS, LINKS, LISTS, NAMED, TYPES, VISIBLE, Row, Rows

Info = GraphQLResolveInfo[object]
MOST_IDS, GROUPS = 100, 50


@dataclass(frozen=True)
class Record:
    """A record that may be seen."""

    table: str
    row: Row


@dataclass(frozen=True)
class Figures:
    """Many rows on their way to figures: all of a list or those of a group; of one function, where it is named."""

    table: str
    rows: list[Row]
    function: str = ""


@dataclass(frozen=True)
class Group:
    """Rows that are equal in all keys, with their values."""

    figures: Figures
    values: Row


@cache
def contract() -> GraphQLSchema:
    """The schema that a client sees, without a resolver of ours."""
    return build_schema(sdl())


class Executor:
    """Executes documents over what one principal sees of the rows."""

    def __init__(self, rows: Rows, who: Principal) -> None:
        self._records = Records(rows, who)
        self._numbers = itertools.count(1)
        self._stand_ins: dict[str, Row] = {}
        self._cursors: dict[str, Row] = {}

    def execute(self, document: str, variables: Mapping[str, object]) -> ExecutionResult:
        """What graphql-core answers."""
        result = execute_sync(
            contract(),
            parse(document),
            variable_values=dict(variables),
            field_resolver=self._resolve,
            type_resolver=_type_of,
        )
        assert isinstance(result, ExecutionResult)
        return result

    def learn(self, cursor: str, stand_in: str) -> None:
        """From now on a real cursor is known to be of the row that a stand-in was told for."""
        self._cursors[cursor] = self._stand_ins[stand_in]

    def _resolve(self, source: object, info: Info, **arguments: Any) -> object:  # noqa: ANN401 - coerced input
        name = info.field_name
        match source:
            case None:
                return self._root(info, arguments)
            case Record(table=table, row=row):
                return self._of_record(table, row, name, arguments)
            case Page():
                return self._of_page(source, name, arguments)
            case Edge(page=page, row=row):
                return Record(page.table, row) if name == "node" else self._cursor(page, row)
            case Figures():
                return _of_figures(source, name)
            case Group():
                return {"key": source.values, "count": len(source.figures.rows), "aggregate": source.figures}[name]
            case dict():
                return source[name]
        raise TypeError(f"{source} has no fields")

    # ---------------------------------------------------------------------------------------------------- records

    def _root(self, info: Info, arguments: Row) -> object:
        if "ids" in arguments:
            if len(arguments["ids"]) > MOST_IDS:
                raise RefusedError("TOO_LARGE")
            return [self._by_id(*each) for each in map(read_id, arguments["ids"])]
        kind = get_named_type(info.return_type).name
        if "id" in arguments:
            return self._by_id(*read_id(arguments["id"], TYPES.get(kind)))
        table = TYPES[kind.removesuffix("Connection")]
        return self._page(table, self._records.rows[table], arguments)

    def _by_id(self, table: str, key: UUID | None) -> Record | None:
        row = self._records.by_id(table, key)
        return None if row is None else Record(table, row)

    def _of_record(self, table: str, row: Row, field: str, arguments: Row) -> object:
        if field in LINKS[table]:
            linked = self._records.linked(table, row, field)
            return None if linked is None else Record(LINKS[table][field][1], linked)
        if field in LISTS[table]:
            return self._page(LISTS[table][field][0], self._records.listed(table, row, field), arguments)
        if field == "stage" and table == "contact":
            return self._stage(row)
        column = COLUMNS[table][field]
        if column.note.unit is Unit.MONEY:
            return _money(column, row)
        return f"{table}_{row['id']}" if field == "id" else written(row[column.name])

    def _stage(self, contact: Row) -> Row | None:
        entries = [each for each in self._records.listed("contact", contact, "stageEntries") if not each["exited_at"]]
        if not entries:
            return None
        highest = max(entries, key=lambda each: each["rank"])
        return {
            "key": highest["stage"],
            "title": self._records.title(highest),
            "since": written(highest["entered_at"]),
            "occurrence": highest["occurrence"],
        }

    # ------------------------------------------------------------------------------------------------------ lists

    def _page(self, table: str, rows: list[Row], arguments: Row) -> Page:
        number = next(self._numbers)
        return page_of(self._records, table, rows, arguments, number=number, known=self._cursors)

    def _cursor(self, page: Page, row: Row) -> str:
        stand_in = page.cursor(row)
        self._stand_ins[stand_in] = row
        return stand_in

    def _of_page(self, page: Page, field: str, arguments: Row) -> object:
        match field:
            case "totalCount":
                return len(page.matching)
            case "nodes":
                return [Record(page.table, row) for row in page.shown]
            case "edges":
                return [Edge(page, row) for row in page.shown]
            case "aggregate":
                return self._figures(page)
            case "groupBy":
                return self._groups(self._figures(page), arguments)
            case "pageInfo":
                cursors = [self._cursor(page, row) for row in page.shown]
                return {
                    "hasNextPage": page.has_next,
                    "hasPreviousPage": page.has_previous,
                    "startCursor": cursors[0] if cursors else None,
                    "endCursor": cursors[-1] if cursors else None,
                }
        raise KeyError(field)

    def _figures(self, page: Page) -> Figures:
        return Figures(page.table, [self._records.values(page.table, row) for row in page.matching])

    def _groups(self, figures: Figures, arguments: Row) -> list[Group]:
        table, keys, having = figures.table, arguments["keys"], arguments.get("having") or {}
        groups = grouped(table, figures.rows, keys)
        groups = {values: rows for values, rows in groups.items() if holds(table, rows, having)}
        first = arguments.get("first")
        ordered = in_order(table, groups, keys, arguments.get("orderBy") or [])
        return [
            Group(Figures(table, groups[values]), self._key(table, keys, values))
            for values in ordered[: GROUPS if first is None else first]
        ]

    def _key(self, table: str, keys: list[Row], values: tuple[Any, ...]) -> Row:
        """What a group's rows have in common, by name; null in what they are not grouped by."""
        found: Row = dict.fromkeys(NAMED[table])
        for name, value in zip((name for each in keys for name in each), values, strict=True):
            link = NAMED[table][name].link
            found[name] = written(value) if link is None else self._by_id(link.target, value)
        return found


def _of_figures(figures: Figures, field: str) -> object:
    if figures.function:
        return figure(figures.rows, figures.function, NAMED[figures.table][field])
    assert field in FUNCTIONS
    return len(figures.rows) if field == "count" else Figures(figures.table, figures.rows, field)


def _money(column: ColumnShape, row: Row) -> Row | None:
    amount = row[column.name]
    return None if amount is None else {"amount": written(amount), "currency": row[column.note.currency or ""]}


def _type_of(value: object, _info: Info, _kind: GraphQLAbstractType) -> str:
    assert isinstance(value, Record)
    return VISIBLE[value.table].type_name

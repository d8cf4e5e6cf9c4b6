"""The oracle's executor: graphql-core executes a document over rows in memory, on a schema built from the SDL alone."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
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
from tests.plan.oracle.aggregates import FUNCTIONS, aggregate_value, converted_figure, json_value
from tests.plan.oracle.groups import STAGE, group_rows, meets_having, sort_groups
from tests.plan.oracle.inputs import RejectedError, as_of_suffix, parse_record_id
from tests.plan.oracle.pages import Edge, Page, Result, ResultEdge, ResultPage, page_of, result_page
from tests.plan.oracle.records import Records
from tests.plan.oracle.search_results import ranked_results
from tests.plan.oracle.shapes import (
    AGGREGATED,
    COLUMNS,
    CONVERTED,
    LINKS,
    LISTS,
    MERGED_LISTS,
    TYPES,
    VISIBLE,
    Row,
    Rows,
)

Info = GraphQLResolveInfo[object]
Place = tuple[str | int, ...]
MAX_IDS = 100


@dataclass(frozen=True)
class Record:
    """A visible record."""

    table: str
    row: Row


@dataclass(frozen=True)
class Aggregates:
    """The aggregates of many rows, of a list or a group: of all functions, or of the named one."""

    table: str
    rows: list[Row]
    reporting_currency: str | None
    function: str = ""


@dataclass(frozen=True)
class Group:
    """A group of rows, with the values of its keys."""

    aggregates: Aggregates
    values: Row


@cache
def contract() -> GraphQLSchema:
    """Return the schema of the committed SDL, without the application's resolvers."""
    return build_schema(sdl())


class Executor:
    """Executes documents over the rows that are visible to one principal."""

    def __init__(
        self, rows: Rows, principal: Principal, as_of: datetime | None = None, today: Rows | None = None
    ) -> None:
        self._records = Records(rows, principal, as_of, today)
        self._is_past = as_of is not None
        self._numbers = itertools.count(1)
        self._rows_by_stand_in: dict[str, Row] = {}
        self._rows_by_cursor: dict[str, Row] = {}
        self._suffixes: dict[Place, str] = {}  # the ends of the ids within a root field, or an item of its list
        self._results_by_stand_in: dict[str, Result] = {}
        self._results_by_cursor: dict[str, Result] = {}

    def execute(self, document: str, variables: Mapping[str, object]) -> ExecutionResult:
        """Return graphql-core's result."""
        result = execute_sync(
            contract(),
            parse(document),
            variable_values=dict(variables),
            field_resolver=self._resolve,
            type_resolver=_type_of,
        )
        assert isinstance(result, ExecutionResult)
        return result

    def register_cursor(self, cursor: str, stand_in: str) -> None:
        """Register a real cursor: from now on it stands for the row that the stand-in was returned for."""
        if stand_in in self._results_by_stand_in:
            self._results_by_cursor[cursor] = self._results_by_stand_in[stand_in]
        else:
            self._rows_by_cursor[cursor] = self._rows_by_stand_in[stand_in]

    def _resolve(self, source: object, info: Info, **arguments: Any) -> object:  # noqa: ANN401 - coerced input
        decimal = info.field_name.removesuffix("Float")
        value: Any = self._value(source, info, decimal, arguments)
        return value if decimal == info.field_name or value is None else float(value)

    def _value(self, source: object, info: Info, name: str, arguments: Row) -> object:
        match source:
            case None:
                return self._root(info, arguments)
            case Record(table=table, row=row):
                if name in ("id", "recordId") and "id" in row:
                    return f"{table}_{row['id']}{self._suffix(info) if name == 'id' else ''}"
                return self._of_record(table, row, name, arguments)
            case Page():
                return self._of_page(source, name, arguments)
            case Edge(page=page, row=row):
                return Record(page.table, row) if name == "node" else self._cursor(page, row)
            case ResultPage():
                return self._of_results(source, name)
            case ResultEdge(page=results, result=result):
                return Record(*result) if name == "node" else self._result_cursor(results, result)
            case Aggregates():
                return _of_aggregates(source, name)
            case Group():
                rows = source.aggregates.rows
                return {"key": source.values, "count": len(rows), "aggregate": source.aggregates}[name]
            case dict():
                return source[name]
        raise TypeError(f"{source} has no fields")

    # ---------------------------------------------------------------------------------------------------- records

    def _root(self, info: Info, arguments: Row) -> object:
        if "ids" in arguments:
            if len(arguments["ids"]) > MAX_IDS:
                raise RejectedError("TOO_LARGE")
            return [self._by_id(id_, None, (info.path.key, place)) for place, id_ in enumerate(arguments["ids"])]
        if info.field_name == "search":
            found = ranked_results(self._records, arguments["text"], arguments.get("types"))
            number = next(self._numbers)
            return result_page(found, arguments, number=number, results_by_cursor=self._results_by_cursor)
        kind = get_named_type(info.return_type).name
        place, as_of = (info.path.key,), arguments.get("asOf")
        self._suffixes[place] = "" if as_of is None else as_of_suffix(as_of)
        if "id" in arguments:
            return self._by_id(arguments["id"], TYPES.get(kind), place)
        table = TYPES[kind.removesuffix("Connection")]
        rows = self._records.rows[table] if arguments.get("includeMerged") else self._records.unmerged(table)
        return self._page(table, rows, arguments)

    def _by_id(self, id_: str, kind: str | None, place: Place) -> Record | None:
        table, key, suffix = parse_record_id(id_, kind)
        if suffix and self._suffixes.get(place):
            raise RejectedError("BAD_INPUT")
        self._suffixes[place] = suffix or self._suffixes.get(place, "")
        return self._record(table, key)

    def _record(self, table: str, key: UUID | None) -> Record | None:
        row = self._records.by_id(table, key)
        return None if row is None else Record(table, row)

    def _of_record(self, table: str, row: Row, field: str, arguments: Row) -> object:
        if field in LINKS[table]:
            linked = self._records.linked(table, row, field)
            return None if linked is None else Record(LINKS[table][field][1], linked)
        if field in LISTS[table]:
            listed = self._records.listed_with_merged if arguments.get("includeMerged") else self._records.listed
            arguments = arguments | {"includeMerged": arguments.get("includeMerged") or field in MERGED_LISTS}
            return self._page(LISTS[table][field][0], listed(table, row, field), arguments)
        if field == "stage" and table == "contact":
            return {key: json_value(value) for key, value in self._records.present_stage(row).items()} or None
        if field == "accordVersion":
            return self._records.version_number(row)
        if field in ("isCounted", "notCountedBecause"):
            reasons = self._records.not_counted_because(table, row)
            return reasons if field == "notCountedBecause" else not reasons
        if field in CONVERTED[table]:
            amount = self._records.conversion.converted(row, CONVERTED[table][field])
            currency = self._records.conversion.currency
            return None if amount is None else {"amount": json_value(amount), "currency": currency}
        column = COLUMNS[table][field]
        return _money(column, row) if column.note.unit is Unit.MONEY else json_value(row[column.name])

    def _suffix(self, info: Info) -> str:
        """Return the end of the ids in the value of a root field, or of one item of its list."""
        path = info.path.as_list()
        return self._suffixes.get(tuple(path[:1])) or self._suffixes.get(tuple(path[:2]), "")

    # ------------------------------------------------------------------------------------------------------ lists

    def _page(self, table: str, rows: list[Row], arguments: Row) -> Page:
        number = next(self._numbers)
        return page_of(self._records, table, rows, arguments, number=number, rows_by_cursor=self._rows_by_cursor)

    def _cursor(self, page: Page, row: Row) -> str:
        stand_in = page.cursor(row)
        self._rows_by_stand_in[stand_in] = row
        return stand_in

    def _result_cursor(self, page: ResultPage, result: Result) -> str:
        stand_in = page.cursor(result)
        self._results_by_stand_in[stand_in] = result
        return stand_in

    def _of_results(self, page: ResultPage, field: str) -> object:
        cursors = [self._result_cursor(page, result) for result in page.results]
        return {
            "totalCount": page.count,
            "nodes": [Record(*result) for result in page.results],
            "edges": [ResultEdge(page, result) for result in page.results],
            "pageInfo": {
                "hasNextPage": page.has_next,
                "hasPreviousPage": page.has_previous,
                "startCursor": cursors[0] if cursors else None,
                "endCursor": cursors[-1] if cursors else None,
            },
        }[field]

    def _of_page(self, page: Page, field: str, arguments: Row) -> object:
        match field:
            case "totalCount":
                return len(page.matching)
            case "assumedCount":
                return sum(bool(row.get("is_assumed")) for row in page.matching) if self._is_past else 0
            case "nodes":
                return [Record(page.table, row) for row in page.rows]
            case "edges":
                return [Edge(page, row) for row in page.rows]
            case "aggregate":
                return self._aggregates(page)
            case "groupBy":
                return self._groups(self._aggregates(page), arguments)
            case "groupCount":
                return len(self._groups(self._aggregates(page), arguments))
            case "pageInfo":
                cursors = [self._cursor(page, row) for row in page.rows]
                return {
                    "hasNextPage": page.has_next,
                    "hasPreviousPage": page.has_previous,
                    "startCursor": cursors[0] if cursors else None,
                    "endCursor": cursors[-1] if cursors else None,
                }
        raise KeyError(field)

    def _aggregates(self, page: Page) -> Aggregates:
        stages = [self._records.present_stage(row) if page.table == "contact" else {} for row in page.matching]
        rows = [self._records.values(page.table, row) for row in page.matching]
        rows = [row | {STAGE: stage} for row, stage in zip(rows, stages, strict=True)]
        return Aggregates(page.table, rows, self._records.conversion.currency)

    def _groups(self, aggregates: Aggregates, arguments: Row) -> list[Group]:
        table, keys, having = aggregates.table, arguments["keys"], arguments.get("having") or {}
        groups = group_rows(table, aggregates.rows, keys)
        groups = {values: rows for values, rows in groups.items() if meets_having(table, rows, having)}
        first = arguments.get("first")
        ordered = sort_groups(table, groups, keys, arguments.get("orderBy") or [], self._records.ranks(table))
        return [
            Group(replace(aggregates, rows=groups[values]), self._key(table, keys, values, groups[values]))
            for values in ordered[:first]
        ]

    def _key(self, table: str, keys: list[Row], values: tuple[Any, ...], rows: list[Row]) -> Row:
        """Return the values of a group's keys by name; a column that is not a key is null."""
        found: Row = dict.fromkeys([*AGGREGATED[table], "stage"] if table == "contact" else AGGREGATED[table])
        for name, value in zip((name for key in keys for name in key), values, strict=True):
            if name == "stage" and table == "contact":
                # The accord has one version, so that the stages of all rows have the same title.
                found[name] = max((row[STAGE] for row in rows), key=lambda stage: stage["rank"]) if value else None
                continue
            link = AGGREGATED[table][name].link
            found[name] = json_value(value) if link is None else self._record(link.target, value)
        return found


def _of_aggregates(aggregates: Aggregates, field: str) -> object:
    if aggregates.function:
        if field in CONVERTED[aggregates.table]:
            column = CONVERTED[aggregates.table][field]
            return converted_figure(aggregates.rows, aggregates.function, column, aggregates.reporting_currency)
        return aggregate_value(aggregates.rows, aggregates.function, AGGREGATED[aggregates.table][field])
    assert field in FUNCTIONS
    return len(aggregates.rows) if field == "count" else replace(aggregates, function=field)


def _money(column: ColumnShape, row: Row) -> Row | None:
    amount = row[column.name]
    return None if amount is None else {"amount": json_value(amount), "currency": row[column.note.currency or ""]}


def _type_of(value: object, _info: Info, _kind: GraphQLAbstractType) -> str:
    assert isinstance(value, Record)
    return VISIBLE[value.table].type_name

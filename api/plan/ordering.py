"""The order of a list: its sort keys, and the joins that fetch those of linked records and the computed ones.

A linked record that is not visible sorts like an absent one: its sort keys are null.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from api.access.scoped_tables import ScopedTables, qualified
from api.plan.computed_values import source_name, source_rows, value_shape
from api.plan.list_arguments import (
    Comparison,
    ComputedValue,
    Condition,
    Conjunction,
    ConvertedAmount,
    ListAggregate,
    OrderTerm,
    PresentStageColumn,
    PresentStageCondition,
    SortDirection,
    ToOneCondition,
    VocabularyPosition,
)
from api.plan.money.converted_amounts import RowsOf, join_rates
from api.sql import Sql, join, name
from schema.base import ColumnShape, TableShape
from schema.declarations import Link
from schema.tables import SHAPES

_DESCENDING = (SortDirection.DESC, SortDirection.DESC_NULLS_FIRST)
_NULLS_FIRST = (SortDirection.ASC_NULLS_FIRST, SortDirection.DESC_NULLS_FIRST)

_PRESENT_STAGE = (source_name(PresentStageColumn("stage")),)  # the path of the source of a row's own stage


@dataclass(frozen=True, slots=True)
class SortKey:
    """One key of a total order: a value of the row, or of the record that a path of links leads to.

    The value is the column, or the `computed` value, whose source has such a column.
    """

    column: ColumnShape
    is_descending: bool
    has_nulls_first: bool = False
    links: tuple[Link, ...] = ()
    computed: ComputedValue | None = None
    is_never_null: bool = False  # the filter of the list excludes rows without a value

    @property
    def is_nullable(self) -> bool:
        """Whether some rows of the list may have no value."""
        return (self.column.is_nullable or self.is_joined) and not self.is_never_null

    @property
    def is_joined(self) -> bool:
        """Whether the value is not in the row itself: it comes from a linked record, or is computed."""
        return bool(self.links) or self.computed is not None

    @property
    def is_present_stage(self) -> bool:
        """Whether the value belongs to the present stage of the row itself."""
        return self.path[:-1] == _PRESENT_STAGE

    @property
    def path(self) -> tuple[str, ...]:
        """The names that lead to the value: the foreign keys, the source of a computed value, and the column."""
        source = () if self.computed is None else (source_name(self.computed),)
        return (*(link.column for link in self.links), *source, self.column.name)


Order = tuple[SortKey, ...]


def total_order(shape: TableShape, terms: Iterable[OrderTerm], where: Condition | None = None) -> Order:
    """Return the requested order, made total by the key of the table in the direction of the last term.

    If the filter excludes nulls of a column, the position of its nulls is dropped, so that an index serves the order.

    Shapes: terms -> one sort key per distinct path; a path that is given twice sorts where it is given first.
    Errors: ValueError for a path through a column that is not a foreign key; KeyError for an unknown column.
    """
    never_null = frozenset[str]() if where is None else _never_null_columns(where)
    found: dict[tuple[str, ...], SortKey] = {}
    for key in (_sort_key(shape, term, never_null) for term in terms):
        found.setdefault(key.path, key)
    # The key of the table takes the direction of the last term: one index scan then serves both, in either direction.
    is_descending = next(reversed(found.values())).is_descending if found else False
    for column in key_columns(shape):
        found.setdefault((column.name,), SortKey(column, is_descending))
    return tuple(found.values())


def sorted_columns(shape: TableShape, terms: Iterable[OrderTerm]) -> Iterator[tuple[str, str]]:
    """Yield the tables and columns whose values decide the requested order.

    Errors: KeyError for an unknown column.
    """
    for term in terms:
        table = shape.name
        for column in term.links:
            link = SHAPES[table].column(column).link
            table = table if link is None else link.target
        match term.by:
            case ListAggregate(table=other, call=call):
                if call.column is not None:
                    yield other, call.column
            case ConvertedAmount(other, column) | VocabularyPosition(other, column):
                yield other, column
            case PresentStageColumn(column):
                yield "stage_entry", column
            case column:
                yield table, column


def reverse_order(order: Order) -> Order:
    """Return the opposite order.

    Shapes: order -> order; twice reversed it is the same.
    """
    return tuple(
        replace(
            key,
            is_descending=not key.is_descending,
            has_nulls_first=key.is_nullable and not key.has_nulls_first,
        )
        for key in order
    )


def key_columns(shape: TableShape) -> tuple[ColumnShape, ...]:
    """Return the columns that identify a visible row.

    Shapes: table -> the id, or else the visible part of the primary key.
    """
    ids = tuple(column for column in shape.columns if column.name == "id")
    return ids or tuple(column for column in shape.visible if column.is_key)


def join_sort_keys(
    tables: ScopedTables, order: Order, alias: str, rows: RowsOf | None = None, present_entry: str | None = None
) -> tuple[Sql, tuple[Sql, ...]]:
    """Return the joins from a row to what it is sorted by outside of its table, and the values of the sort keys.

    `rows` are all rows of the list, for amounts: they are converted faster together.

    Shapes: order -> joins to append to the `from` clause, one expression per sort key. Keys with a common path share
            its joins. `present_entry` is the alias of the present stage entry of the row if that is joined already.
    """
    aliases: dict[tuple[str, ...], str] = {(): alias}
    if present_entry is not None:
        aliases[_PRESENT_STAGE] = present_entry
    joins: list[Sql] = []
    values: list[Sql] = []
    for key in order:
        for length, link in enumerate(key.links, start=1):
            path = key.path[:length]
            if path not in aliases:
                aliases[path] = tables.new_alias()
                joins.append(_left_join(tables, link, aliases[path[:-1]], aliases[path]))
        if rows is not None and isinstance(key.computed, ConvertedAmount) and not key.links:
            rates, amount = join_rates(tables, key.computed.table, key.computed.column, alias, rows)
            joins.append(Sql(" left join {}", rates))
            values.append(amount)
            continue
        if key.computed is not None and key.path[:-1] not in aliases:
            aliases[key.path[:-1]] = source = tables.new_alias()
            found = source_rows(tables, key.computed, aliases[key.path[:-2]])
            joins.append(Sql(" left join lateral ({}) {} on true", found, name(source)))
        values.append(qualified(aliases[key.path[:-1]], key.column.name))
    return join("", joins), tuple(values)


def order_by(order: Order, values: Iterable[Sql]) -> Sql:
    """Return the ` order by` clause.

    Shapes: order, the values of its sort keys -> a clause. Errors: ValueError if their numbers differ.
    """
    return Sql(" order by {}", join(", ", (_term(key, value) for key, value in zip(order, values, strict=True))))


def _never_null_columns(where: Condition) -> frozenset[str]:
    """Return columns, and sources of computed values, that have a value in every row that satisfies the filter."""
    match where:
        case Conjunction(parts):
            return frozenset[str]().union(*map(_never_null_columns, parts))
        case Comparison(operator="isNull", value=True):
            return frozenset()
        case Comparison(column=column) | ToOneCondition(column=column):
            return frozenset((column,))
        case PresentStageCondition():
            return frozenset(_PRESENT_STAGE)
        case _:
            return frozenset()


def _sort_key(shape: TableShape, term: OrderTerm, never_null: frozenset[str]) -> SortKey:
    links: list[Link] = []
    for column in term.links:
        link = shape.column(column).link
        if link is None:
            raise ValueError(f"{shape.name}.{column} is not a foreign key")
        links.append(link)
        shape = SHAPES[link.target]
    computed = None if isinstance(term.by, str) else term.by
    key = SortKey(
        shape.column(term.by) if isinstance(term.by, str) else value_shape(term.by),
        term.direction in _DESCENDING,
        links=tuple(links),
        computed=computed,
        is_never_null=not links and (term.by if computed is None else source_name(computed)) in never_null,
    )
    return replace(key, has_nulls_first=key.is_nullable and term.direction in _NULLS_FIRST)


def _left_join(tables: ScopedTables, link: Link, referrer: str, alias: str) -> Sql:
    # A lateral subquery, because the scope of the linked table is a `where` clause. PostgreSQL flattens it into an
    # ordinary join and chooses the join method freely.
    is_linked = Sql("{} = {}", qualified(alias, "id"), qualified(referrer, link.column))
    row = name(alias)
    linked = tables.from_clause(link.target, alias, is_linked, with_merged=True)
    return Sql(" left join lateral (select {}.*{}) {} on true", row, linked, row)


def _term(key: SortKey, value: Sql) -> Sql:
    direction = " desc" if key.is_descending else ""
    # An index serves only PostgreSQL's default position of nulls: last in ascending, first in descending order. Another
    # position costs a sort, so it is written only if the key can be null.
    nulls = ""
    if key.is_nullable and key.has_nulls_first is not key.is_descending:
        nulls = " nulls first" if key.has_nulls_first else " nulls last"
    return Sql(f"{{}}{direction}{nulls}", value)

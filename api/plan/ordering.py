"""The order of a list: the values that sort it, of the row itself or at the end of its links, and how they are reached.

A record that may not be seen sorts as one that is not there: the values at the end of the link are empty.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from api.access.scoped_tables import ScopedTables, of
from api.plan.selection import Comparison, Condition, Every, Linked, OrderTerm, SortDirection
from api.sql import Sql, join, name
from schema.base import ColumnShape, Link, TableShape
from schema.tables import SHAPES

_DESCENDING = (SortDirection.DESC, SortDirection.DESC_NULLS_FIRST)
_NULLS_FIRST = (SortDirection.ASC_NULLS_FIRST, SortDirection.DESC_NULLS_FIRST)


@dataclass(frozen=True, slots=True)
class Sorted:
    """One value of a total order: a column, of the row or of the record that its links lead to."""

    column: ColumnShape
    is_descending: bool
    has_nulls_first: bool = False
    links: tuple[Link, ...] = ()
    is_filled: bool = False  # no row of the list is without it: its filter says so

    @property
    def is_nullable(self) -> bool:
        """Whether some rows have no value."""
        return (self.column.is_nullable or bool(self.links)) and not self.is_filled

    @property
    def way(self) -> tuple[str, ...]:
        """The columns that lead to the value, its own last."""
        return (*(link.column for link in self.links), self.column.name)


Order = tuple[Sorted, ...]


def total_order(shape: TableShape, terms: Iterable[OrderTerm], where: Condition | None = None) -> Order:
    """The asked order, made total by the table's key, which runs the way of the last term.

    Where the filter leaves no empty value, nothing is said of their place, and an index fits.
    """
    filled = frozenset[str]() if where is None else _filled(where)
    found: dict[tuple[str, ...], Sorted] = {}
    for each in (_sorted(shape, term, filled) for term in terms):
        found.setdefault(each.way, each)  # named twice, a value sorts where it is named first
    last = next(reversed(found.values())).is_descending if found else False
    for key in key_columns(shape):
        found.setdefault((key.name,), Sorted(key, last))
    return tuple(found.values())


def turned(order: Order) -> Order:
    """The same order from its end."""
    return tuple(
        replace(
            each,
            is_descending=not each.is_descending,
            has_nulls_first=each.is_nullable and not each.has_nulls_first,
        )
        for each in order
    )


def key_columns(shape: TableShape) -> tuple[ColumnShape, ...]:
    """What tells the visible rows apart: the id, or the visible part of the primary key."""
    ids = tuple(column for column in shape.columns if column.name == "id")
    return ids or tuple(column for column in shape.visible if column.is_key)


def reached(visits: ScopedTables, order: Order, alias: str) -> tuple[Sql, tuple[Sql, ...]]:
    """The joins from a row to the values that sort it, and the values. PostgreSQL joins them as any two tables."""
    known: dict[tuple[str, ...], str] = {(): alias}
    joins: list[Sql] = []
    values: list[Sql] = []
    for each in order:
        for steps, link in enumerate(each.links, start=1):
            way = each.way[:steps]
            if way not in known:
                known[way] = visits.alias()
                joins.append(_joined(visits, link, known[way[:-1]], known[way]))
        values.append(of(known[each.way[:-1]], each.column.name))
    return join("", joins), tuple(values)


def order_by(order: Order, values: Iterable[Sql]) -> Sql:
    """The `order by` clause. Where PostgreSQL's own place of empty values is the asked one it is not said, so that an
    index fits.
    """
    return Sql(" order by {}", join(", ", (_way(each, value) for each, value in zip(order, values, strict=True))))


def _filled(where: Condition) -> frozenset[str]:
    """Columns of which every row that the condition is true of has a value."""
    match where:
        case Every(parts):
            return frozenset[str]().union(*map(_filled, parts))
        case Comparison(operator="isNull", value=True):
            return frozenset()
        case Comparison(column=column) | Linked(column=column):
            return frozenset((column,))
        case _:
            return frozenset()


def _sorted(shape: TableShape, term: OrderTerm, filled: frozenset[str]) -> Sorted:
    links: list[Link] = []
    for column in term.links:
        link = shape.column(column).link
        if link is None:
            raise ValueError(f"{shape.name}.{column} is no link")
        links.append(link)
        shape = SHAPES[link.target]
    is_filled = not links and term.column in filled
    found = Sorted(shape.column(term.column), term.direction in _DESCENDING, links=tuple(links), is_filled=is_filled)
    return replace(found, has_nulls_first=found.is_nullable and term.direction in _NULLS_FIRST)


def _joined(visits: ScopedTables, link: Link, owner: str, alias: str) -> Sql:
    source = visits.source(link.target, alias, Sql("{} = {}", of(alias, "id"), of(owner, link.column)))
    row = name(alias)
    return Sql(" left join lateral (select {}.*{}) {} on true", row, source, row)


def _way(each: Sorted, value: Sql) -> Sql:
    way = " desc" if each.is_descending else ""
    nulls = ""
    if each.is_nullable and each.has_nulls_first is not each.is_descending:
        nulls = " nulls first" if each.has_nulls_first else " nulls last"
    return Sql(f"{{}}{way}{nulls}", value)

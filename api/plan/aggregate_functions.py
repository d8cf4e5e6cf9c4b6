"""Figures of many rows as SQL: the aggregate expressions over one row's alias.

Money is never added, averaged or compared across currencies.
"""

from decimal import Decimal

from api.access.scoped_tables import of
from api.plan.selection import Figure
from api.sql import Sql
from schema.base import ColumnShape

LEAST_PLACES = 6  # of an average


def places(column: ColumnShape) -> int:
    """To how many places an average is rounded, half away from zero: money as it is kept, else at least six."""
    own = column.note.numeric[1] if column.note.numeric else 2 if column.python is Decimal else 0
    return own if column.note.currency else max(own, LEAST_PLACES)


def figure_over(figure: Figure, column: ColumnShape | None, alias: str, value: Sql) -> Sql:
    """The aggregate of the column's `value` in rows known as `alias`. Of money only where it is of one currency."""
    if column is None:
        return Sql("count(*)")
    match figure.function:
        case "count" | "countDistinct":
            return _distinct(column, alias, value)
        case "sum":
            return Sql("sum({})::numeric", value)
        case "avg":
            return Sql(f"round(avg({{}}), {places(column)})", value)
        case function:
            return Sql(f"{function}({{}})", value)


def _distinct(column: ColumnShape, alias: str, value: Sql) -> Sql:
    """How many different values there are; the same number in two currencies is two amounts."""
    currency = column.note.currency
    if currency is None:
        return Sql("count(distinct {})", value)
    return Sql("count(distinct ({}, {})) filter (where {} is not null)", value, of(alias, currency), value)


def only_currency(alias: str, column: ColumnShape) -> tuple[Sql, Sql]:
    """Whether all known amounts of a money column are of one currency, an unknown one counted as one; and which it is.

    False where no amount is known.
    """
    amount, currency = of(alias, column.name), of(alias, column.note.currency or "")
    known = Sql(" filter (where {} is not null)", amount)
    first, last = Sql("min({}){}", currency, known), Sql("max({}){}", currency, known)
    unknown = Sql("count({}) filter (where {} is null)", amount, currency)
    is_one = Sql("count({}) > 0 and {} is not distinct from {}", amount, first, last)
    return Sql("({} and {} in (0, count({})))", is_one, unknown, amount), first

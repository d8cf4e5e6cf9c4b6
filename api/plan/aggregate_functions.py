"""SQL's aggregate functions over a column of many rows.

Amounts of money in different currencies are never added, averaged or compared.
"""

from decimal import Decimal

from api.access.scoped_tables import qualified
from api.plan.list_arguments import AggregateCall
from api.sql import Sql
from schema.base import ColumnShape

MIN_AVERAGE_PLACES = 6


def average_places(column: ColumnShape) -> int:
    """Return the number of decimal places that an average is rounded to, half away from zero.

    Units: money has the places of its column; every other number at least six.
    """
    own = column.note.numeric[1] if column.note.numeric else 2 if column.python is Decimal else 0
    return own if column.note.currency else max(own, MIN_AVERAGE_PLACES)


def aggregate(call: AggregateCall, column: ColumnShape | None, alias: str, value: Sql) -> Sql:
    """Return an aggregate of rows known as `alias`.

    Shapes: call, its column (None: the number of rows), the column's expression -> an aggregate expression. For money,
            the caller has to ensure that the rows have one currency.
    """
    if column is None:
        return Sql("count(*)")
    match call.function:
        case "count" | "countDistinct":
            return _count_distinct(column, alias, value)
        case "sum":
            # PostgreSQL's sum of integers is a bigint: one type for all sums.
            return Sql("sum({})::numeric", value)
        case "avg":
            return Sql(f"round(avg({{}}), {average_places(column)})", value)
        case function:
            return Sql(f"{function}({{}})", value)


def _count_distinct(column: ColumnShape, alias: str, value: Sql) -> Sql:
    """Return the number of distinct values. The same number in two currencies is two distinct amounts."""
    currency = column.note.currency
    if currency is None:
        return Sql("count(distinct {})", value)
    # A row is not null if one of its fields is null, so amounts that are null need the filter.
    return Sql("count(distinct ({}, {})) filter (where {} is not null)", value, qualified(alias, currency), value)


def single_currency(alias: str, column: ColumnShape) -> tuple[Sql, Sql]:
    """Return whether all amounts of a money column have the same currency, and that currency.

    Shapes: alias, money column -> (boolean aggregate, text aggregate). Null amounts are ignored. A null currency counts
            as a currency of its own. Without any amount the boolean is false.
    """
    amount, currency = qualified(alias, column.name), qualified(alias, column.note.currency or "")
    has_amount = Sql(" filter (where {} is not null)", amount)
    # `count(distinct …)` would sort the rows; least and greatest currency are found in one pass, without a sort.
    first, last = Sql("min({}){}", currency, has_amount), Sql("max({}){}", currency, has_amount)
    # `min` and `max` ignore nulls: the amounts without a currency are none or all of the amounts.
    without_currency = Sql("count({}) filter (where {} is null)", amount, currency)
    is_single = Sql("count({}) > 0 and {} is not distinct from {}", amount, first, last)
    return Sql("({} and {} in (0, count({})))", is_single, without_currency, amount), first

"""Aggregates of many rows, as the contract defines them. Money is never aggregated across currencies."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from schema.base import ColumnShape
from tests.plan.oracle.conversion import CONVERTED_KEY
from tests.plan.oracle.shapes import AGGREGATED, CONVERTED, Row

FUNCTIONS = ("count", "countDistinct", "sum", "avg", "min", "max")


def aggregate_value(rows: Sequence[Row], function: str, column: ColumnShape) -> Any:  # noqa: ANN401 - a number, text or list of amounts
    """Return an aggregate of the rows as the response shows it."""
    currency = column.note.currency
    if function == "countDistinct":
        with_value = (row for row in rows if row[column.name] is not None)
        return len({(row[column.name], row[currency] if currency else None) for row in with_value})
    if currency is None:
        return json_value(_aggregate(rows, function, column))
    amounts = (
        (code, _aggregate((row for row in rows if row[currency] == code), function, column))
        for code in _distinct(rows, currency)
    )
    return [{"amount": json_value(value), "currency": code} for code, value in amounts if value is not None]


def converted_figure(rows: Sequence[Row], function: str, column: ColumnShape, currency: str | None) -> Row:
    """Return an aggregate of the converted amounts of the rows as the response shows it."""
    amounts = [row[CONVERTED_KEY.format(column.name)] for row in rows if row[column.name] is not None]
    return {
        "amount": json_value(_aggregate(_converted_rows(rows, column), function, column)),
        "currency": currency,
        "unconvertedCount": amounts.count(None),
    }


def comparable_value(rows: Sequence[Row], function: str, table: str, name: str) -> tuple[str | None, Any]:
    """Return currency and value by which an aggregate compares and sorts; None for money in several currencies."""
    if name in CONVERTED[table]:
        column = CONVERTED[table][name]
        return None, _aggregate(_converted_rows(rows, column), function, column)
    column = AGGREGATED[table][name]
    currency = column.note.currency
    if currency is None:
        return None, _aggregate(rows, function, column)
    currencies = {row[currency] for row in rows if row[column.name] is not None}
    if len(currencies) != 1:
        return None, None
    return currencies.pop(), _aggregate(rows, function, column)


def json_value(value: Any) -> Any:  # noqa: ANN401 - as the values
    """Return a value as the response shows it."""
    match value:
        case datetime():
            text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
            return f"{text.rstrip('0').rstrip('.')}Z"
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
    return value


def _converted_rows(rows: Iterable[Row], column: ColumnShape) -> list[Row]:
    return [{column.name: row[CONVERTED_KEY.format(column.name)]} for row in rows]


def _distinct(rows: Iterable[Row], column: str) -> list[str | None]:
    """Return the distinct values in order, null last."""
    found = {row[column] for row in rows}
    return [*sorted(found - {None}), *(found & {None})]


def _aggregate(rows: Iterable[Row], function: str, column: ColumnShape) -> Any:  # noqa: ANN401 - as the values
    """Return a function of the values that are not null; None without any."""
    values = [row[column.name] for row in rows if row[column.name] is not None]
    if not values:
        return None
    match function:
        case "sum":
            return sum(map(Decimal, values))
        case "avg":
            return (sum(map(Decimal, values), Decimal(0)) / len(values)).quantize(_precision(column), ROUND_HALF_UP)
        case "min":
            return min(values)
        case _:
            return max(values)


def _precision(column: ColumnShape) -> Decimal:
    """Return what an average is rounded to: the places of the column for money, at least six for other numbers."""
    own = column.note.numeric[1] if column.note.numeric else 2 if column.python is Decimal else 0
    return Decimal(1).scaleb(-(own if column.note.currency else max(own, 6)))

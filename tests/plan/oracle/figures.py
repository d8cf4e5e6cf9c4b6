"""Figures of many rows, by the words of the contract. Money is never taken together across currencies."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from schema.base import ColumnShape
from tests.plan.oracle.shapes import Row

FUNCTIONS = ("count", "countDistinct", "sum", "avg", "min", "max")


def figure(rows: Sequence[Row], function: str, column: ColumnShape) -> Any:  # noqa: ANN401 - a number, text or list of amounts
    """A figure of the rows as the API shows it."""
    currency = column.note.currency
    if function == "countDistinct":
        known = (row for row in rows if row[column.name] is not None)
        return len({(row[column.name], row[currency] if currency else None) for row in known})
    if currency is None:
        return written(_function(rows, function, column))
    amounts = (
        (each, _function((row for row in rows if row[currency] == each), function, column))
        for each in _some(rows, currency)
    )
    return [{"amount": written(value), "currency": each} for each, value in amounts if value is not None]


def comparable(rows: Sequence[Row], function: str, column: ColumnShape) -> tuple[str | None, Any]:
    """A figure to compare and sort by, with its currency; of money in several currencies there is none."""
    currency = column.note.currency
    if currency is None:
        return None, _function(rows, function, column)
    currencies = {row[currency] for row in rows if row[column.name] is not None}
    if len(currencies) != 1:
        return None, None
    return currencies.pop(), _function(rows, function, column)


def written(value: Any) -> Any:  # noqa: ANN401 - as the values
    """A value as the contract writes it."""
    match value:
        case datetime():
            text = value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
            return f"{text.rstrip('0').rstrip('.')}Z"
        case date():
            return value.isoformat()
        case Decimal():
            return f"{value:f}"
    return value


def _some(rows: Iterable[Row], column: str) -> list[str | None]:
    """The different values in order, the unknown one last."""
    found = {row[column] for row in rows}
    return [*sorted(found - {None}), *(found & {None})]


def _function(rows: Iterable[Row], function: str, column: ColumnShape) -> Any:  # noqa: ANN401 - as the values
    """A function of the known values, of which there may be none."""
    known = [row[column.name] for row in rows if row[column.name] is not None]
    if not known:
        return None
    match function:
        case "sum":
            return sum(map(Decimal, known))
        case "avg":
            return (sum(map(Decimal, known), Decimal(0)) / len(known)).quantize(_step(column), ROUND_HALF_UP)
        case "min":
            return min(known)
        case _:
            return max(known)


def _step(column: ColumnShape) -> Decimal:
    """What a mean is rounded to: money to the places it is kept in, all else to six or to its own, if more."""
    own = column.note.numeric[1] if column.note.numeric else 2 if column.python is Decimal else 0
    return Decimal(1).scaleb(-(own if column.note.currency else max(own, 6)))

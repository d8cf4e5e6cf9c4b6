"""The cursors of a list (keyset pagination).

A cursor holds the sort keys of its row, the key of the table last. So the page after a cursor stays the same whatever
rows are inserted before it, and an index serves it without counting. A cursor also names the order that it belongs to,
and is rejected under any other order.
"""

import base64
import binascii
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Literal
from uuid import UUID

import orjson

from api.errors import AccordError, ErrorCode
from api.plan.json_objects import encoded_cursor, require_cursor_length
from api.plan.ordering import Order, SortKey
from api.sql import Sql, all_of, join
from schema.base import ColumnShape

CursorArgument = Literal["after", "before"]
CursorPosition = tuple[object, ...]  # the sort keys of the cursor's row

_INTEGER_LIMIT = 2**31
_MAX_DIGITS = 100  # before or after the decimal point; PostgreSQL can store more, but no column does


def cursor_of(order: Order, values: Sequence[Sql]) -> Sql:
    """Return the expression of a row's cursor, given the values of its sort keys.

    Shapes: order, values -> base64 of a JSON array: a fingerprint of the order, then the values.
    """
    # Decimals as text: `read_cursor` would parse a JSON number as a float.
    written = (
        Sql("{}::text" if key.column.python is Decimal else "{}", value)
        for key, value in zip(order, values, strict=True)
    )
    return encoded_cursor(_fingerprint(order), written)


def read_cursor(order: Order, cursor: str, argument: CursorArgument) -> CursorPosition:
    """Return the position that a cursor holds, with values of the types of the sort keys.

    Errors: BAD_INPUT if the cursor is malformed or does not belong to this order; TOO_LARGE for a long one.
    """
    require_cursor_length(cursor, argument)
    try:
        fingerprint, *values = orjson.loads(base64.b64decode(cursor, validate=True))
        if fingerprint == _fingerprint(order) and len(values) == len(order):
            return tuple(_parsed(key, value) for key, value in zip(order, values, strict=True))
    except (binascii.Error, ValueError, TypeError, InvalidOperation, OverflowError):
        pass  # raised below: the remedy is the same for a malformed cursor and for a cursor of another order
    end = "endCursor" if argument == "after" else "startCursor"
    raise AccordError(
        ErrorCode.BAD_INPUT,
        f"`{argument}` is not a cursor of this list in this order.",
        f"Take it from `pageInfo.{end}` or an edge's `cursor` of the same list, requested with the same `orderBy`.",
    )


def is_after(order: Order, values: Sequence[Sql], position: CursorPosition, *, is_inclusive: bool = False) -> Sql:
    """Return the condition that a row comes after a position; or at it, if `is_inclusive`.

    For "before", pass the reverse order.

    Shapes: order, the values of the sort keys of the row, a position of that order -> a condition.
    Errors: ValueError if the numbers of sort keys, values and position differ.
    """
    if not any(key.is_nullable for key in order) and len({key.is_descending for key in order}) == 1:
        # A row comparison: PostgreSQL starts an index scan on all columns at the position.
        sign = ("<" if order[0].is_descending else ">") + ("=" if is_inclusive else "")
        bound = join(", ", (Sql("{}", value) for value in position))
        return Sql(f"({{}}) {sign} ({{}})", join(", ", values), bound)
    # A row comparison supports neither nulls nor mixed directions: those need one branch per sort key.
    branches = _branches(order, values, position, is_inclusive=is_inclusive)
    if order[0].is_nullable:
        return branches
    # Redundant, but PostgreSQL cannot derive it from the disjunction: a bound at which an index scan can start.
    sign = "<=" if order[0].is_descending else ">="
    return Sql(f"{{}} {sign} {{}} and ({{}})", values[0], Sql("{}", position[0]), branches)


def _branches(order: Order, values: Sequence[Sql], position: CursorPosition, *, is_inclusive: bool) -> Sql:
    """Return `a > 1 or a = 1 and b > 2 or …`: equal in the first keys and greater in the next."""
    branches: list[Sql] = []
    equal: list[Sql] = []
    for key, value, bound_value in zip(order, values, position, strict=True):
        bound = Sql("{}", bound_value)
        greater = _is_greater(key, value, bound, is_null=bound_value is None)
        if greater is not None:
            branches.append(all_of((*equal, greater)))
        equal.append(Sql("{} is null", value) if bound_value is None else Sql("{} = {}", value, bound))
    if is_inclusive:
        branches.append(all_of(equal))
    return join(" or ", (Sql("({})", branch) for branch in branches))


def _is_greater(key: SortKey, value: Sql, bound: Sql, *, is_null: bool) -> Sql | None:
    """Return the condition that one sort key comes after a bound; None if no value does, as nulls are last."""
    if is_null:
        return Sql("{} is not null", value) if key.has_nulls_first else None
    greater = Sql("{} < {}" if key.is_descending else "{} > {}", value, bound)
    return Sql("{} or {} is null", greater, value) if key.is_nullable and not key.has_nulls_first else greater


def _fingerprint(order: Order) -> str:
    return " ".join(
        f"{'.'.join(key.path)}{'-' if key.is_descending else '+'}{'0' if key.has_nulls_first else ''}" for key in order
    )


# ------------------------------------------------------------------------------------------------ reading a cursor


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _decimal(text: str) -> Decimal:
    found = Decimal(text)
    if not found.is_finite() or abs(found.adjusted()) > _MAX_DIGITS or len(text) > 2 * _MAX_DIGITS:
        raise ValueError("no column holds such a number")
    return found


_PARSERS: dict[type, Callable[[str], object]] = {
    UUID: UUID,
    datetime: _instant,
    date: date.fromisoformat,
    Decimal: _decimal,
}


def _parsed(key: SortKey, value: object) -> object:
    if value is None:
        if key.is_nullable:
            return None
        raise ValueError(f"{key.column.name} is never null")
    parse = _PARSERS.get(key.column.python)
    return _checked(key.column, value) if parse is None else parse(str(value))


def _checked(column: ColumnShape, value: object) -> object:
    """Return a JSON value unchanged if the column can hold it.

    Clients can forge cursors. A value that PostgreSQL cannot bind would fail there, as an internal error.
    """
    expected = str if column.note.vocab else column.python
    if type(value) is not expected:
        raise TypeError(f"{column.name} is not a {expected.__name__}")
    if isinstance(value, str) and "\0" in value:
        raise ValueError("no text has U+0000")
    if isinstance(value, int) and not -_INTEGER_LIMIT <= value < _INTEGER_LIMIT:
        raise ValueError("no column holds such a number")
    return value

"""The cursors into a list.

A cursor holds the values a row is sorted by, its key last: the page behind it stays the same whatever is inserted
before. It also holds the order it belongs to, so that it cannot be read under another one.
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
from api.plan.ordering import Order, Sorted
from api.sql import Sql, all_of, join
from schema.base import ColumnShape

CursorArgument = Literal["after", "before"]
Place = tuple[object, ...]  # the values that the row of a cursor is sorted by

_LARGEST_INT = 2**31
_MOST_DIGITS = 100  # before or behind the point; PostgreSQL holds more, no column does


def cursor_of(order: Order, values: Sequence[Sql]) -> Sql:
    """The cursor of a row with these values, written by PostgreSQL (whose base64 breaks lines)."""
    shown = (
        Sql("{}::text" if each.column.python is Decimal else "{}", value)
        for each, value in zip(order, values, strict=True)
    )
    text = Sql(f"json_build_array('{_mark(order)}', {{}})::text", join(", ", shown))
    return Sql("translate(encode(convert_to({}, 'UTF8'), 'base64'), e'\\n', '')", text)


def read_cursor(order: Order, cursor: str, argument: CursorArgument) -> Place:
    """The values that a cursor holds; BAD_INPUT if it is none of this order."""
    try:
        mark, *values = orjson.loads(base64.b64decode(cursor, validate=True))
        if mark == _mark(order) and len(values) == len(order):
            return tuple(_parsed(each, value) for each, value in zip(order, values, strict=True))
    except (binascii.Error, ValueError, TypeError, InvalidOperation, OverflowError):
        pass  # told below: a cursor of another order and no cursor at all are mended the same way
    end = "endCursor" if argument == "after" else "startCursor"
    raise AccordError(
        ErrorCode.BAD_INPUT,
        f"`{argument}` is no cursor of this list in this order.",
        f"Take it from `pageInfo.{end}` or an edge's `cursor` of the same list, asked with the same `orderBy`.",
    )


def behind(order: Order, values: Sequence[Sql], cursor: Sequence[object], *, is_inclusive: bool = False) -> Sql:
    """The condition that a row with these values comes behind the cursor's, or is it where that is included."""
    if not any(each.is_nullable for each in order) and len({each.is_descending for each in order}) == 1:
        sign = ("<" if order[0].is_descending else ">") + ("=" if is_inclusive else "")
        bound = join(", ", (Sql("{}", value) for value in cursor))
        return Sql(f"({{}}) {sign} ({{}})", join(", ", values), bound)
    found = _branches(order, values, cursor, is_inclusive=is_inclusive)
    if order[0].is_nullable:
        return found
    sign = "<=" if order[0].is_descending else ">="  # what follows anyway: a bound that an index can begin at
    return Sql(f"{{}} {sign} {{}} and ({{}})", values[0], Sql("{}", cursor[0]), found)


def _branches(order: Order, values: Sequence[Sql], cursor: Sequence[object], *, is_inclusive: bool) -> Sql:
    branches: list[Sql] = []
    equal: list[Sql] = []
    for each, value, at in zip(order, values, cursor, strict=True):
        bound = Sql("{}", at)
        further = _further(each, value, bound, is_empty=at is None)
        if further is not None:
            branches.append(all_of((*equal, further)))
        equal.append(Sql("{} is null", value) if at is None else Sql("{} = {}", value, bound))
    if is_inclusive:
        branches.append(all_of(equal))
    return join(" or ", (Sql("({})", branch) for branch in branches))


def _further(each: Sorted, value: Sql, bound: Sql, *, is_empty: bool) -> Sql | None:
    """That one value comes behind another; None where nothing does."""
    if is_empty:
        return Sql("{} is not null", value) if each.has_nulls_first else None
    further = Sql("{} < {}" if each.is_descending else "{} > {}", value, bound)
    return Sql("{} or {} is null", further, value) if each.is_nullable and not each.has_nulls_first else further


def _mark(order: Order) -> str:
    return " ".join(
        f"{'.'.join(each.way)}{'-' if each.is_descending else '+'}{'0' if each.has_nulls_first else ''}"
        for each in order
    )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _decimal(text: str) -> Decimal:
    found = Decimal(text)
    if not found.is_finite() or abs(found.adjusted()) > _MOST_DIGITS or len(text) > 2 * _MOST_DIGITS:
        raise ValueError("no column holds such a number")
    return found


_PARSERS: dict[type, Callable[[str], object]] = {
    UUID: UUID,
    datetime: _instant,
    date: date.fromisoformat,
    Decimal: _decimal,
}


def _parsed(each: Sorted, value: object) -> object:
    if value is None:
        if each.is_nullable:
            return None
        raise ValueError(f"{each.column.name} is never empty")
    parse = _PARSERS.get(each.column.python)
    return _plain(each.column, value) if parse is None else parse(str(value))


def _plain(column: ColumnShape, value: object) -> object:
    """A value as the column has it: who makes up a cursor must not reach PostgreSQL with what it cannot hold."""
    expected = str if column.note.vocab else column.python
    if type(value) is not expected:
        raise TypeError(f"{column.name} is no {expected.__name__}")
    if isinstance(value, str) and "\0" in value:
        raise ValueError("no text has U+0000")
    if isinstance(value, int) and not -_LARGEST_INT <= value < _LARGEST_INT:
        raise ValueError("no column holds such a number")
    return value

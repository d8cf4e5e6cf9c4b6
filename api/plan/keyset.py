"""The order of a list, and the cursors into it.

A cursor holds the values a row is sorted by, its key last: the page behind it stays the same whatever is inserted
before. It also holds the order it belongs to, so that it cannot be read under another one.
"""

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from uuid import UUID

import orjson

from api.errors import AccordError, ErrorCode
from api.plan.selection import OrderTerm, SortDirection
from api.sql import Sql, all_of, join, name
from schema.base import ColumnShape, TableShape


@dataclass(frozen=True, slots=True)
class Sorted:
    """One column of a total order."""

    column: ColumnShape
    is_descending: bool


def total_order(shape: TableShape, terms: tuple[OrderTerm, ...]) -> tuple[Sorted, ...]:
    """The asked order, made total by the table's key, which runs the way of the last term."""
    found: dict[str, Sorted] = {}
    for term in terms:  # named twice, a column sorts where it is named first
        found.setdefault(term.column, Sorted(shape.column(term.column), term.direction is SortDirection.DESC))
    last = next(reversed(found.values())).is_descending if found else False
    for key in key_columns(shape):
        found.setdefault(key.name, Sorted(key, last))
    return tuple(found.values())


def key_columns(shape: TableShape) -> tuple[ColumnShape, ...]:
    """What tells the visible rows apart: the id, or the visible part of the primary key."""
    ids = tuple(column for column in shape.columns if column.name == "id")
    return ids or tuple(column for column in shape.visible if column.is_key)


def order_by(order: tuple[Sorted, ...], row: Sql) -> Sql:
    """The `order by` clause. Where there are no empty values it says nothing of them, so that an index fits."""
    return Sql(" order by {}", join(", ", (_sorted(each, row) for each in order)))


def cursor_of(order: tuple[Sorted, ...], row: Sql) -> Sql:
    """The cursor of a row, written by PostgreSQL (whose base64 breaks lines)."""
    values = (Sql("{}::text" if each.column.python is Decimal else "{}", _value(each, row)) for each in order)
    text = Sql(f"json_build_array('{_mark(order)}', {{}})::text", join(", ", values))
    return Sql("translate(encode(convert_to({}, 'UTF8'), 'base64'), e'\\n', '')", text)


def behind(order: tuple[Sorted, ...], cursor: str, row: Sql) -> Sql:
    """The condition that a row comes behind the one of the cursor; BAD_INPUT if that is none of this order."""
    values = _read(order, cursor)
    if not any(each.column.is_nullable for each in order) and len({each.is_descending for each in order}) == 1:
        columns = join(", ", (_value(each, row) for each in order))
        bound = join(", ", (Sql("{}", value) for value in values))
        return Sql("({}) < ({})" if order[0].is_descending else "({}) > ({})", columns, bound)
    branches: list[Sql] = []
    equal: list[Sql] = []
    for each, value in zip(order, values, strict=True):
        column, bound = _value(each, row), Sql("{}", value)
        if value is not None:  # nothing comes behind an empty value
            further = Sql("{} < {}" if each.is_descending else "{} > {}", column, bound)
            if each.column.is_nullable:
                further = Sql("{} or {} is null", further, column)
            branches.append(all_of((*equal, further)))
        equal.append(Sql("{} is null", column) if value is None else Sql("{} = {}", column, bound))
    return join(" or ", (Sql("({})", branch) for branch in branches))


def _sorted(each: Sorted, row: Sql) -> Sql:
    way = " desc" if each.is_descending else ""
    return Sql(f"{{}}{way}{' nulls last' if each.column.is_nullable and each.is_descending else ''}", _value(each, row))


def _value(each: Sorted, row: Sql) -> Sql:
    return Sql("{}.{}", row, name(each.column.name))


def _mark(order: tuple[Sorted, ...]) -> str:
    return " ".join(f"{each.column.name}{'-' if each.is_descending else '+'}" for each in order)


def _read(order: tuple[Sorted, ...], cursor: str) -> list[object]:
    try:
        mark, *values = orjson.loads(base64.b64decode(cursor, validate=True))
        if mark == _mark(order) and len(values) == len(order):
            return [_parsed(each.column, value) for each, value in zip(order, values, strict=True)]
    except (binascii.Error, ValueError, TypeError, InvalidOperation):
        pass  # told below: a cursor of another order and no cursor at all are mended the same way
    raise AccordError(
        ErrorCode.BAD_INPUT,
        "`after` is no cursor of this list in this order.",
        "Take it from `pageInfo.endCursor` or an edge's `cursor` of the same list, asked with the same `orderBy`.",
    )


_PARSERS: dict[type, Callable[[str], object]] = {
    UUID: UUID,
    datetime: datetime.fromisoformat,
    date: date.fromisoformat,
    Decimal: Decimal,
}


def _parsed(column: ColumnShape, value: object) -> object:
    if value is None:
        if column.is_nullable:
            return None
        raise ValueError(f"{column.name} is never empty")
    parse = _PARSERS.get(column.python)
    if parse is not None:
        return parse(str(value))
    expected = str if column.note.vocab else column.python
    if type(value) is not expected:
        raise TypeError(f"{column.name} is no {expected.__name__}")
    return value

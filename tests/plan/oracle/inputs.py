"""What a client gives, read: ids, and what filters compare with."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from schema.base import ColumnShape
from tests.plan.oracle.shapes import COLUMNS, KEYS, LINKS, LISTS, VISIBLE, Row

_ID = re.compile(r"([a-z_]+)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


class RefusedError(Exception):
    """What a resolver raises on input that cannot be, with the code of the error."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def read_id(text: str, table: str | None = None) -> tuple[str, UUID]:
    """The table and the row that an id names."""
    found = _ID.fullmatch(text)
    if found is None or found[1] not in VISIBLE or KEYS[found[1]] != ("id",) or table not in (None, found[1]):
        raise RefusedError("BAD_INPUT")
    return found[1], UUID(found[2])


def tests_of(table: str, column: ColumnShape, given: Row) -> list[tuple[str, Any]]:
    """The operators of a column's filter with what they compare with."""
    found: list[tuple[str, Any]] = []
    for operator, value in given.items():
        if value is None:
            raise RefusedError("BAD_INPUT")
        if operator == "isNull":
            found.append((operator, value))
        elif operator == "in":
            found.append((operator, [_read(table, column, each) for each in value]))
        else:
            found.append((operator, _read(table, column, value)))
    return found


def check(table: str, where: Row) -> None:
    """Refuse a filter that has what cannot be compared, whatever rows there are."""
    for key, value in where.items():
        if value is None:
            continue
        if key in ("and", "or"):
            for each in value:
                check(table, each)
        elif key == "not":
            check(table, value)
        elif key in LINKS[table]:
            check(LINKS[table][key][1], value)
        elif key in LISTS[table]:
            for each in value.values():
                check(LISTS[table][key][0], each or {})
        else:
            tests_of(table, COLUMNS[table][key], value)


def _read(table: str, column: ColumnShape, value: Any) -> Any:  # noqa: ANN401 - a column's value
    if column.link is not None or column.name == "id":
        return read_id(value, column.link.target if column.link else table)[1]
    if column.python is datetime:
        return datetime.fromisoformat(value).astimezone(UTC)
    if column.python is date:
        return date.fromisoformat(value)
    return Decimal(str(value)) if column.python is Decimal else value

"""The values that a rule compares a column with.

Equal values are brought into one form, so that equal accords have equal content hashes.
"""

from decimal import Decimal, InvalidOperation
from uuid import UUID

from schema.base import ColumnShape
from schema.history import kept_columns
from schema.tables import SHAPES, TABLES

Value = bool | int | Decimal | str

_LARGEST_INTEGER = 2**31 - 1
_LARGEST_NUMBER = Decimal(10) ** 16
_FINEST = Decimal("0.000001")
_MOST_POINTS = 1_000_000
_FINEST_POINTS = Decimal("0.01")
_KINDS = {bool: "true or false", int: "a whole number", Decimal: "a number", UUID: "an id", str: "text"}
_ORDERED = (int, Decimal)
_KEPT = {
    # An erasure is no fact about the person, and must not change what was counted.
    shape.name: frozenset(kept_columns(table))
    - {column.name for column in shape.columns if column.note.written_by == "erasePerson"}
    for shape, table in zip(SHAPES.values(), TABLES, strict=True)
    if shape.name in ("contact", "company")
}


def rule_column(field: str) -> ColumnShape:
    """Find a column by `contact.NAME` or `company.NAME`; ValueError unless its history is kept, as rules need it."""
    table, _, name = field.partition(".")
    kept = _KEPT.get(table, frozenset())
    if name not in kept:
        known = ", ".join(f"{table}.{column}" for column in sorted(kept)) or "contact.… and company.…"
        raise ValueError(f"'{field}' is not a field that rules can read; they can read {known}")
    return SHAPES[table].column(name)


def rule_value(field: str, op: str, value: object) -> object:
    """Bring the value of a condition into its one form; ValueError if it does not fit the column or the operator."""
    column = rule_column(field)
    if op == "is_null":
        if not isinstance(value, bool):
            raise ValueError(f"{field}: the operator is_null needs true or false")
        return value
    if column.note.personal:
        # An erased person keeps their stages: then the value itself is gone.
        raise ValueError(f"{field} is personal data; rules can only ask whether it is known, with is_null")
    if op in ("lt", "lte", "gt", "gte") and column.python not in _ORDERED:
        raise ValueError(f"{field} has no order; use eq, ne, in or is_null")
    if op != "in":
        if isinstance(value, list | tuple):
            raise ValueError(f"{field}: a list of values needs the operator in")
        return _one(field, column, value)
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"{field}: the operator in needs a list of values")
    return tuple(_one(field, column, item) for item in value)


def plain_number(value: object) -> Decimal:
    """Parse a number into a form without trailing zeros or exponent; ValueError if it is too large or too precise."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError(f"'{value}' is not a number")  # noqa: TRY004 - the validator turns only ValueErrors into errors
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"'{value}' is not a number") from error
    if not number.is_finite() or abs(number) >= _LARGEST_NUMBER or number % _FINEST != 0:
        raise ValueError(f"'{value}' has more than 16 digits before the decimal point or more than 6 after it")
    return Decimal(f"{number:f}".rstrip("0").rstrip(".")) if number % 1 else Decimal(int(number))


def points_number(value: object) -> Decimal:
    """Parse a number of points, as `plain_number` does: at most a million, with at most two decimal places."""
    points = plain_number(value)
    if abs(points) > _MOST_POINTS or points % _FINEST_POINTS != 0:
        raise ValueError(f"'{value}' is above {_MOST_POINTS:,}, or has more than 2 digits after the decimal point")
    return points


def _one(field: str, column: ColumnShape, value: object) -> Value:
    words = column.note.vocab
    if words is not None and value not in [word.value for word in words]:
        raise ValueError(f"{field}: '{value}' is not one of {', '.join(word.value for word in words)}")
    if words is not None:
        return str(value)
    try:
        return _typed(column.python, value)
    except ValueError as error:
        raise ValueError(f"{field}: '{value}' is not {_KINDS[column.python]}") from error


def _typed(python: type, value: object) -> Value:
    if python is bool and isinstance(value, bool):
        return value
    if python is int and isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _LARGEST_INTEGER:
        return value
    if python is Decimal:
        return plain_number(value)
    if python is UUID and isinstance(value, str | UUID):
        return str(UUID(str(value)))
    if python is str and isinstance(value, str):
        return str(value)
    raise ValueError(value)

"""The values that a rule compares a column with: one spelling each, so that equal accords have equal hashes."""

from decimal import Decimal, InvalidOperation
from uuid import UUID

from schema.base import ColumnShape
from schema.history import kept_columns
from schema.tables import SHAPES, TABLES

Value = bool | int | Decimal | str

_LARGEST_INTEGER = 2**31 - 1
_LARGEST_NUMBER = Decimal(10) ** 16
_FINEST = Decimal("0.000001")
_KINDS = {bool: "true or false", int: "a whole number", Decimal: "a number", UUID: "an id", str: "a text"}
_ORDERED = (int, Decimal)
_KEPT = {
    shape.name: frozenset(kept_columns(table))
    for shape, table in zip(SHAPES.values(), TABLES, strict=True)
    if shape.name in ("contact", "company")
}


def rule_column(field: str) -> ColumnShape:
    """Find the column that a rule may read: one of a contact or company whose history is kept."""
    table, _, name = field.partition(".")
    kept = _KEPT.get(table, frozenset())
    if name not in kept:
        known = ", ".join(f"{table}.{each}" for each in sorted(kept)) or "those of contact.… and company.…"
        raise ValueError(f"'{field}' is no field that a rule may read; there are {known}")
    return SHAPES[table].column(name)


def rule_value(field: str, op: str, value: object) -> object:
    """Bring the value of a condition into its one spelling; ValueError if it does not fit column and operator."""
    column = rule_column(field)
    if op == "is_null":
        if not isinstance(value, bool):
            raise ValueError(f"{field}: is_null takes true or false")
        return value
    if op in ("lt", "lte", "gt", "gte") and column.python not in _ORDERED:
        raise ValueError(f"{field} has no order; use eq, ne, in or is_null")
    if op != "in":
        if isinstance(value, list | tuple):
            raise ValueError(f"{field}: a list needs the operator 'in'")
        return _one(field, column, value)
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"{field}: 'in' takes a list of values")
    return tuple(_one(field, column, each) for each in value)


def plain_number(value: object) -> Decimal:
    """Read a number without trailing zeros or exponent; ValueError on what is none, too large or too fine."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError(f"'{value}' is not a number")  # noqa: TRY004 - the validator turns only ValueErrors into errors
    try:
        number = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"'{value}' is not a number") from error
    if not number.is_finite() or abs(number) >= _LARGEST_NUMBER or number % _FINEST != 0:
        raise ValueError(f"'{value}' has more than 16 digits before the point or 6 behind it")
    return Decimal(f"{number:f}".rstrip("0").rstrip(".")) if number % 1 else Decimal(int(number))


def _one(field: str, column: ColumnShape, value: object) -> Value:
    words = column.note.vocab
    if words is not None and value not in [word.value for word in words]:
        raise ValueError(f"{field}: '{value}' is none of {', '.join(word.value for word in words)}")
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

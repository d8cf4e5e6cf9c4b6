"""The values of input fields: each in the one form that is stored, or what is wrong with it."""

from datetime import date, datetime
from decimal import Decimal

from api.workflows.records.record_input import UNSTORABLE
from schema.base import ColumnShape
from schema.formats import READERS
from schema.writes.user_errors import UserErrorCode

MAX_TEXT_LENGTH = 10_000
_SHOWN_LENGTH = 60
_SMALLEST, _LARGEST = -(2**31), 2**31 - 1
_PRECISION = (18, 2)
_FIRST_DAY, _LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)


class InvalidValueError(ValueError):
    """A value that a column cannot have: its code, and why, as the rest of a sentence that begins with the value."""

    def __init__(self, code: UserErrorCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


def stored_value(column: ColumnShape, value: object) -> object:
    """Return a value as the column stores it.

    Texts with a format, such as e-mail addresses, are written in their one spelling. Nothing is cut or rounded.
    Errors: InvalidValueError.
    """
    if value is None:
        if not column.is_nullable:
            raise InvalidValueError(UserErrorCode.REQUIRED, "This field cannot be null.")
        return None
    match value:
        case str():
            return _text(column, value)
        case bool():
            return value
        case int() | Decimal():
            return _number(column, value)
        case date() | datetime():
            return bounded(value)
        case _:
            raise TypeError(f"{column.name} cannot be written from a {type(value).__name__}")


def _text(column: ColumnShape, value: str) -> str:
    if len(value) > MAX_TEXT_LENGTH:
        raise InvalidValueError(
            UserErrorCode.TOO_LONG, f"The text has {len(value):,} characters. The limit is {MAX_TEXT_LENGTH:,}."
        )
    if UNSTORABLE.search(value) is not None:
        raise InvalidValueError(UserErrorCode.INVALID, "The text has a NUL character or half a surrogate pair.")
    if not value.strip():
        raise InvalidValueError(UserErrorCode.INVALID, "The text is empty. Pass null to empty the field.")
    if column.note.vocab is not None:
        return column.note.vocab[value].value
    if column.note.format is None:
        return value.strip()
    try:
        return READERS[column.note.format](value)
    except ValueError as error:
        raise InvalidValueError(UserErrorCode.INVALID, f"{_shown(value)} {error}.") from error


def _number(column: ColumnShape, value: int | Decimal) -> int | Decimal:
    note = column.note
    for limit, is_broken, words in (
        (note.ge, note.ge is not None and value < note.ge, "less than"),
        (note.le, note.le is not None and value > note.le, "greater than"),
        (note.gt, note.gt is not None and value <= note.gt, "not greater than"),
    ):
        if is_broken:
            raise InvalidValueError(UserErrorCode.INVALID, f"{value} is {words} {limit}.")
    if isinstance(value, int) and column.python is int:
        if not _SMALLEST <= value <= _LARGEST:
            raise InvalidValueError(UserErrorCode.INVALID, f"{value} does not fit into 32 bits.")
        return value
    precision, scale = note.numeric or _PRECISION
    exact = Decimal(value)
    decimals = max(0, -int(exact.normalize().as_tuple().exponent))
    if decimals > scale:
        raise InvalidValueError(UserErrorCode.INVALID, f"{value} has {decimals} decimals. The field keeps {scale}.")
    if abs(exact) >= Decimal(10) ** (precision - scale):
        raise InvalidValueError(
            UserErrorCode.INVALID, f"{value} has more than {precision - scale} digits before the decimal point."
        )
    return exact


def bounded(value: date) -> date:
    """Return a day or an instant, if it is within the range that is stored. Errors: InvalidValueError."""
    day = value.date() if isinstance(value, datetime) else value
    if not _FIRST_DAY <= day <= _LAST_DAY:
        raise InvalidValueError(UserErrorCode.INVALID, f"{day} is not between {_FIRST_DAY} and {_LAST_DAY}.")
    return value


def _shown(value: str) -> str:
    return repr(value if len(value) <= _SHOWN_LENGTH else f"{value[:_SHOWN_LENGTH]}…")

"""The scalars: instants, days and decimals, written the same way by the executor and by PostgreSQL."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation

from api.graph.declared import ScalarType, TypeRef
from api.plan.json_values import decimal_as_text, instant_as_text

_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d{1,6})?([Zz]|[+-]\d{2}:\d{2})")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_DECIMAL = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")


def _write_instant(value: object) -> str:
    return instant_as_text(value) if isinstance(value, datetime) else str(value)


def _read_instant(value: object) -> datetime:
    if not isinstance(value, str) or not _INSTANT.fullmatch(value):
        raise ValueError(f'{value!r} is no instant; write one like "2026-01-10T09:30:00Z", with Z or an offset')
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{value!r} is no instant of the calendar") from error


def _read_day(value: object) -> date:
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        raise ValueError(f'{value!r} is no day; write one like "2026-01-10"')
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is no day of the calendar") from error


def _write_decimal(value: object) -> str:
    return decimal_as_text(value) if isinstance(value, Decimal) else str(value)


def _read_decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not _DECIMAL.fullmatch(str(value)):
        raise ValueError(f'{value!r} is no decimal; write one like "1200.50"')
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is no decimal") from error


DATE_TIME = ScalarType(
    "DateTime",
    "An instant in UTC (RFC 3339), like 2026-01-10T09:30:00Z; a fraction of a second only where there is one."
    " As an input any offset will do.",
    _write_instant,
    _read_instant,
    "https://www.rfc-editor.org/rfc/rfc3339",
)
DATE = ScalarType("Date", "A day of the calendar, like 2026-01-10.", str, _read_day)
DECIMAL = ScalarType(
    "Decimal",
    "An exact decimal number, as a string like 1200.50, so that no reader rounds it.",
    _write_decimal,
    _read_decimal,
)
SCALARS = (DATE_TIME, DATE, DECIMAL)

NAMES: dict[type, TypeRef] = {
    str: TypeRef("String"),
    int: TypeRef("Int"),
    bool: TypeRef("Boolean"),
    Decimal: TypeRef("Decimal"),
    datetime: TypeRef("DateTime"),
    date: TypeRef("Date"),
}

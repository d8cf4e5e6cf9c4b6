"""The scalars for instants, dates, decimals and durations, and the GraphQL type of a column.

The executor and PostgreSQL serialize values identically, so a response does not depend on how it was produced.
"""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from api.graph.declared import ScalarType, TypeRef
from api.plan.json_values import decimal_as_text, instant_as_text
from schema.base import ColumnShape
from schema.durations import iso_duration, parse_iso_duration
from schema.instants import read_rfc3339

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_DECIMAL = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?")


def _serialize_instant(value: object) -> str:
    return instant_as_text(value) if isinstance(value, datetime) else str(value)


def _parse_instant(value: object) -> datetime:
    try:
        return read_rfc3339(value if isinstance(value, str) else "")
    except ValueError as error:
        raise ValueError(f"{value!r} {error}") from error


def _parse_date(value: object) -> date:
    if not isinstance(value, str) or not _DATE.fullmatch(value):
        raise ValueError(f'{value!r} is not a date; write one like "2026-01-10"')
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise ValueError(f"{value!r} is not a date of the calendar") from error


def _serialize_decimal(value: object) -> str:
    return decimal_as_text(value) if isinstance(value, Decimal) else str(value)


def _parse_decimal(value: object) -> Decimal:
    if isinstance(value, bool) or not _DECIMAL.fullmatch(str(value)):
        raise ValueError(f'{value!r} is not a decimal; write one like "1200.50"')
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"{value!r} is not a decimal") from error


def _parse_json(_value: object) -> object:
    raise ValueError("JsonObject is no type of inputs")


def _serialize_duration(value: object) -> str:
    return iso_duration(value) if isinstance(value, timedelta) else str(value)


DATE_TIME = ScalarType(
    "DateTime",
    "An instant in UTC (RFC 3339), such as 2026-01-10T09:30:00Z. Fractions of a second are written only if there are"
    " any. As an input, any offset and any number of decimals are accepted; decimals beyond the microsecond are cut.",
    _serialize_instant,
    _parse_instant,
    "https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
)
DATE = ScalarType(
    "Date",
    "A calendar date, such as 2026-01-10.",
    str,
    _parse_date,
    "https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
)
DECIMAL = ScalarType(
    "Decimal",
    'An exact decimal number, written as a string such as "1200.50" so that clients do not round it.',
    _serialize_decimal,
    _parse_decimal,
    "https://www.w3.org/TR/xmlschema-2/#decimal",
)
DURATION = ScalarType(
    "Duration",
    "A length of elapsed time (ISO 8601), such as P30D, PT48H or P2W. A day always has 24 hours. Calendar years and"
    " months are not accepted, because they are not all of one length, nor are fractions. KPIs that measure a time are"
    " numbers of seconds, not durations.",
    _serialize_duration,
    parse_iso_duration,
    "https://www.rfc-editor.org/rfc/rfc3339#appendix-A",
)
JSON_OBJECT = ScalarType("JsonObject", "A JSON object of any form, for output only.", lambda value: value, _parse_json)
SCALARS = (DATE_TIME, DATE, DECIMAL, DURATION, JSON_OBJECT)

SCALAR_NAMES: dict[type, TypeRef] = {
    str: TypeRef("String"),
    int: TypeRef("Int"),
    bool: TypeRef("Boolean"),
    Decimal: TypeRef("Decimal"),
    datetime: TypeRef("DateTime"),
    date: TypeRef("Date"),
    timedelta: TypeRef("Duration"),
}


def column_type(column: ColumnShape) -> TypeRef:
    """Return the GraphQL type of a column's values."""
    if column.link is not None or column.name == "id":
        return TypeRef("ID")
    return TypeRef(column.note.vocab.graphql_name()) if column.note.vocab else SCALAR_NAMES[column.python]

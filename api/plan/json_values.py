"""The JSON form of column values, written by PostgreSQL or by the GraphQL executor. Both write the same text.

An instant is in UTC, in RFC 3339 with `Z`; its fraction has no trailing zeros and is absent if zero. A decimal is a
string. An id is `<table>_<uuid>`.
"""

from datetime import UTC, datetime
from decimal import Decimal

from api.sql import Sql
from schema.base import ColumnShape


def column_as_json(column: ColumnShape, table: str, value: Sql) -> Sql:
    """Return the expression whose JSON is the GraphQL value of a column.

    Shapes: column, its table, an expression of the column's type -> an expression.
    """
    if column.python is datetime:
        return instant_as_json(value)
    if column.python is Decimal:
        return Sql("{}::text", value)
    if column.name == "id":
        return Sql(f"'{table}_' || {{}}", value)
    return value


def decimal_as_float(value: Sql) -> Sql:
    """Return a decimal as the nearest 64-bit number, which PostgreSQL writes with as many digits as it needs.

    Shapes: a numeric expression -> a double precision expression.
    """
    return Sql("{}::double precision", value)


def instant_as_json(value: Sql) -> Sql:
    """Return an instant as JSON. The time zone of the session has to be UTC.

    Shapes: a timestamptz expression -> a json expression.
    """
    # `to_json` writes ISO 8601 whatever the server's date style, and takes less time than `to_char`.
    return Sql("""replace(to_json({})::text, '+00:00"', 'Z"')::json""", value)


def instant_as_text(value: datetime) -> str:
    """Return an instant as the statement writes it.

    Shapes: an aware datetime -> text.
    """
    moment = value.astimezone(UTC).replace(tzinfo=None)
    text = moment.isoformat()
    return f"{text.rstrip('0') if moment.microsecond else text}Z"


def decimal_as_text(value: Decimal) -> str:
    """Return a decimal as the statement writes it.

    Shapes: decimal -> text without an exponent, with the decimal's own number of places.
    """
    return format(value, "f")

"""How PostgreSQL writes one column as JSON, and how the executor writes the same value: one format in both.

An instant is UTC in RFC 3339 with `Z`, its fraction without trailing zeros and absent when zero; a decimal is a string;
an id is `<table>_<uuid>`.
"""

from datetime import UTC, datetime
from decimal import Decimal

from api.sql import Sql
from schema.base import ColumnShape


def column_as_json(column: ColumnShape, table: str, value: Sql) -> Sql:
    """The expression whose JSON is what GraphQL shows of a column."""
    if column.python is datetime:
        return instant_as_json(value)
    if column.python is Decimal:
        return Sql("{}::text", value)
    if column.name == "id":
        return Sql(f"'{table}_' || {{}}", value)
    return value


def instant_as_json(value: Sql) -> Sql:
    """An instant as JSON. Cheaper than `to_char`, and free of the server's date style; the session's zone is UTC."""
    return Sql("""replace(to_json({})::text, '+00:00"', 'Z"')::json""", value)


def instant_as_text(value: datetime) -> str:
    """An instant as the statement would write it."""
    moment = value.astimezone(UTC).replace(tzinfo=None)
    text = moment.isoformat()
    return f"{text.rstrip('0') if moment.microsecond else text}Z"


def decimal_as_text(value: Decimal) -> str:
    """A decimal as the statement would write it: no exponent, its own number of places."""
    return format(value, "f")

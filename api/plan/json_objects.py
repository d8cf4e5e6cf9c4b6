"""Rows as JSON objects. The keys are GraphQL names chosen by the client, or "$type" for the executor of GraphQL. They
are quoted, and never truncated.

PostgreSQL writes an object from a row of a subquery, which takes a third less time than `json_build_object`. The
subquery is named `"$"`. That is not a valid GraphQL name, so it cannot collide with a key.

The cursor of a row is JSON as well, in base64.
"""

import re
from collections.abc import Iterable, Sequence

from api.errors import AccordError, ErrorCode
from api.sql import Sql, join

MAX_CURSOR = 20_000  # characters; a cursor holds the texts that its row is sorted by

Columns = Sequence[tuple[str, Sql]]  # key and expression of each member, in the order of the response

NO_ROWS = Sql("")  # the `from` clause of a select without one

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*|\$type")
_MAX_IDENTIFIER_BYTES = 63  # PostgreSQL truncates longer identifiers
_MAX_COLUMNS = 1600  # of one row in PostgreSQL


def select_objects(columns: Columns, from_clause: Sql) -> Sql:
    """Return a select that yields every row of a `from` clause as an object.

    Shapes: columns, a `from` clause (with `order by` and `limit`, or empty for one row) -> a select of one column.
    Errors: ValueError for a key that is not a GraphQL name.
    """
    if _fits_row(columns):
        return Sql('select "$" from (select {}{}) "$"', _named(columns), from_clause)
    return Sql("select {}{}", _aggregated(columns), from_clause)


def select_document(columns: Columns) -> Sql:
    """Return the select of one object, as UTF-8 bytes. Errors: ValueError for a key that is not a GraphQL name."""
    # Bytes, because the driver would decode a text into a string, which the response would encode again.
    if _fits_row(columns):
        return Sql('select convert_to(row_to_json("$")::text, \'UTF8\') from (select {}) "$"', _named(columns))
    return Sql("select convert_to({}::text, 'UTF8')", _aggregated(columns))


def _fits_row(columns: Columns) -> bool:
    return len(columns) <= _MAX_COLUMNS and all(len(key) <= _MAX_IDENTIFIER_BYTES for key, _ in columns)


def _named(columns: Columns) -> Sql:
    return join(", ", (Sql(f'{{}} as "{_checked(key)}"', value) for key, value in columns))


def _aggregated(columns: Columns) -> Sql:
    """Return the object as an aggregate over its members: slower, but without a limit on the length of a key."""
    rows = (Sql(f"({number}, '{_checked(key)}', to_json({{}}))", value) for number, (key, value) in enumerate(columns))
    return Sql('(select json_object_agg("$".k, "$".v order by "$".n) from (values {}) "$" (n, k, v))', join(", ", rows))


def _checked(key: str) -> str:
    if not _NAME.fullmatch(key):
        raise ValueError(f"'{key}' is not a GraphQL name")
    return key


def require_cursor_length(cursor: str, argument: str) -> None:
    """Reject a cursor that is too long, before it is decoded. Errors: TOO_LARGE."""
    if len(cursor) > MAX_CURSOR:
        message = f"The cursor `{argument}` has {len(cursor):,} characters. The limit is {MAX_CURSOR:,}."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Sort by fields with shorter texts.")


def encoded_cursor(fingerprint: str, members: Iterable[Sql]) -> Sql:
    """Return the expression of a cursor: base64 of a JSON array of the fingerprint of its list, and its members."""
    text = Sql(f"json_build_array('{fingerprint}', {{}})::text", join(", ", members))
    # PostgreSQL's base64 breaks lines after 76 characters.
    return Sql("translate(encode(convert_to({}, 'UTF8'), 'base64'), e'\\n', '')", text)

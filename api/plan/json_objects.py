"""Rows as JSON objects. Keys come from the caller: they are GraphQL names, quoted, and never cut.

Composites are a third cheaper than `json_build_object`; `"$"` can be no GraphQL name, so it never hides a key.
"""

import re
from collections.abc import Sequence

from api.sql import Sql, join

Columns = Sequence[tuple[str, Sql]]

NO_SOURCE = Sql("")

_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]*")
_LONGEST = 63  # bytes; PostgreSQL cuts a longer identifier
_MOST = 1600  # columns; a composite has no more


def each_row(columns: Columns, source: Sql) -> Sql:
    """A select of one column: every row of `source` (a `from` clause with what follows, or nothing) as an object."""
    if _fits(columns):
        return Sql('select "$" from (select {}{}) "$"', _named(columns), source)
    return Sql("select {}{}", _aggregated(columns), source)


def document(columns: Columns) -> Sql:
    """The statement that answers an object as the bytes of its JSON: the driver would decode a text."""
    if _fits(columns):
        return Sql('select convert_to(row_to_json("$")::text, \'UTF8\') from (select {}) "$"', _named(columns))
    return Sql("select convert_to({}::text, 'UTF8')", _aggregated(columns))


def _fits(columns: Columns) -> bool:
    return len(columns) <= _MOST and all(len(key) <= _LONGEST for key, _ in columns)


def _named(columns: Columns) -> Sql:
    return join(", ", (Sql(f'{{}} as "{_checked(key)}"', value) for key, value in columns))


def _aggregated(columns: Columns) -> Sql:
    """The object built key by key: slower, but without a limit on the length of a key."""
    rows = (Sql(f"({place}, '{_checked(key)}', to_json({{}}))", value) for place, (key, value) in enumerate(columns))
    return Sql('(select json_object_agg("$".k, "$".v order by "$".n) from (values {}) "$" (n, k, v))', join(", ", rows))


def _checked(key: str) -> str:
    if not _NAME.fullmatch(key):
        raise ValueError(f"'{key}' is no GraphQL name")
    return key

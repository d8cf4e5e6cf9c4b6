"""The SQL types and defaults of columns, from the tables' declarations."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from api.sql import Sql
from schema.tables import METADATA

_DIALECT: sa.Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
INSTANT = "TIMESTAMP WITH TIME ZONE"


def sql_type(table: str, column: str) -> str:
    """Return the SQL type of a column."""
    return str(METADATA.tables[table].columns[column].type.compile(dialect=_DIALECT))


def default_of(table: str, column: str) -> Sql | None:
    """Return the default of a NOT NULL column, which stands in for an empty input; None if it has none."""
    built: sa.Column[Any] = METADATA.tables[table].columns[column]
    if built.nullable or not isinstance(built.server_default, sa.DefaultClause):
        return None
    return Sql.from_parts((str(built.server_default.arg),))

"""What the database's own declarations say of a column: its SQL type and its default."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

from api.sql import Sql
from schema.tables import METADATA

_DIALECT: sa.Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
INSTANT = "TIMESTAMP WITH TIME ZONE"


def sql_type(table: str, column: str) -> str:
    """The SQL type of a column, as it is declared."""
    return str(METADATA.tables[table].columns[column].type.compile(dialect=_DIALECT))


def default_of(table: str, column: str) -> Sql | None:
    """The default of a column that is never null, for cells that say nothing."""
    built: sa.Column[Any] = METADATA.tables[table].columns[column]
    if built.nullable or not isinstance(built.server_default, sa.DefaultClause):
        return None
    return Sql.of((str(built.server_default.arg),))

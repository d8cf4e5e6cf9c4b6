"""Inserting and updating rows of one table, many in one statement."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from api.intake.column_sql import default_of, sql_type
from api.sql import Sql, join, name
from api.workflows.records.stored_rows import StoredRow, all_columns
from api.workflows.unit_of_work import UnitOfWork
from schema.tables import SHAPES


async def insert_rows(work: UnitOfWork, table: str, rows: Sequence[Mapping[str, object]]) -> dict[UUID, StoredRow]:
    """Insert rows. A column that a row lacks, or has as None although it cannot be null, gets its default.

    Shapes: rows with their ids -> the inserted rows, by id. One statement.
    """
    columns = _columns(rows)
    values = [Sql("v.{}", name(column)) for column in columns]
    filled = [
        value if default is None else Sql("coalesce({}, {})", value, default)
        for value, default in ((value, default_of(table, it)) for value, it in zip(values, columns, strict=True))
    ]
    found = await work.session.rows(
        Sql(
            "insert into {} ({}) select {} from {} returning {}",
            *(name(table), join(", ", map(name, columns)), join(", ", filled), _values(table, columns, rows)),
            all_columns(table),
        )
    )
    return {row["id"]: dict(row) for row in found}


async def update_rows(work: UnitOfWork, table: str, rows: Sequence[Mapping[str, object]]) -> dict[UUID, StoredRow]:
    """Update rows that are locked. Every row has its id and the same columns; each gets the next row version.

    The change of a record with history holds since its `effective_at` (a column of the row), else since now. Its values
    are no longer assumed.
    Shapes: rows -> the updated rows, by id. One statement.
    """
    columns = [column for column in _columns(rows) if column not in ("id", "effective_at")]
    assigned = [Sql("{} = v.{}", name(column), name(column)) for column in columns]
    assigned += [Sql("updated_at = clock_timestamp()"), Sql("row_version = t.row_version + 1")]
    read = ["id", *columns]
    if SHAPES[table].has_history:
        read.append("effective_at")
        rows = [{"effective_at": None, **row} for row in rows]
        # Not before the former version began: another transaction may have committed between. Nor at its own start:
        # the history trigger takes an `effective_at` that does not change for one that is not given.
        after = Sql("t.effective_at + interval '1 microsecond'")
        since = Sql("greatest(coalesce(v.effective_at, clock_timestamp()), {})", after)
        assigned += [Sql("effective_at = {}", since), Sql("is_assumed = false")]
    found = await work.session.rows(
        Sql(
            "update {} t set {} from {} where t.id = v.id returning {}",
            *(name(table), join(", ", assigned), _values(table, read, rows), all_columns(table, "t.")),
        )
    )
    return {row["id"]: dict(row) for row in found}


def _columns(rows: Sequence[Mapping[str, object]]) -> list[str]:
    return list(dict.fromkeys(column for row in rows for column in row))


def _values(table: str, columns: Sequence[str], rows: Sequence[Mapping[str, object]]) -> Sql:
    """Return `unnest(…) as v (…)`: the rows as a table, one array for each column."""
    arrays: list[Sql] = []
    for column in columns:
        values: list[Any] = [row.get(column) for row in rows]
        arrays.append(Sql(f"{{}}::{sql_type(table, column)}[]", values))
    return Sql("unnest({}) as v ({})", join(", ", arrays), join(", ", map(name, columns)))

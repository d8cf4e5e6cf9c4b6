"""The rows of a table as of an instant, in the table's current columns.

- A table with history returns, for each record, the values of the version in force at the instant. Columns that no
  version keeps have their current value. `is_assumed` is true if the source had these values only later: the version is
  assumed, and was recorded after the instant.
- A fact, such as a touchpoint, is a row from its own instant on.
- A column that is set by a later decision is null, or has its value from before the decision, until the instant of
  that decision.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from api.sql import Sql, all_of, join, name
from schema.base import ColumnShape, TableShape
from schema.history import kept_columns, version_name
from schema.tables import SHAPES, TABLES

IS_ASSUMED = "is_assumed"  # a column of every table with history, and of no other
_KEPT = {table.__tablename__: frozenset(kept_columns(table)) for table in TABLES if table.__has_history__}


@cache
def changes_over_time(table: str) -> bool:
    """Return whether the rows of a table as of an earlier instant can differ from its current rows.

    Errors: KeyError for an unknown table.
    """
    return SHAPES[table].has_history or any(column.note.begins for column in SHAPES[table].columns)


def rows_as_of(table: str, alias: str, instant: Sql, scope: Iterable[Sql]) -> Sql:
    """Return a subquery of the rows that existed at an instant, with the values they had then.

    Shapes: table -> `(select … from … where …)` with one column for each column of the table; the caller names it
            `alias`. The conditions in `scope` apply to the current row of the record, named `record_alias(alias)`.
    Errors: KeyError for an unknown table.
    """
    shape, current, version = SHAPES[table], record_alias(alias), f"{alias}_then"
    tables = Sql("{} {}", name(table), name(current))
    conditions = list(scope)
    if shape.has_history:
        key = (version_name(table), version, version, f"{table}_id", current)
        tables += Sql(" join {} {} on {}.{} = {}.id", *map(name, key))
        conditions.append(_is_in_force(version, instant))
    conditions += (_had_begun(shape, column, current, instant) for column in shape.columns if column.note.begins)
    kept = _KEPT.get(table, frozenset())
    columns = (
        _is_assumed(version, instant)
        if column.name == IS_ASSUMED
        else _column(column, version if column.name in kept else current, instant)
        for column in shape.columns
    )
    return Sql("(select {} from {} where {})", join(", ", columns), tables, all_of(conditions))


def record_alias(alias: str) -> str:
    """Return the alias of the current row of a record, which stands beside its version.

    Shapes: alias of the table -> another alias, unique if the first one is.
    """
    return f"{alias}_now"


def _is_in_force(version: str, instant: Sql) -> Sql:
    """Return the condition that a version was in force: valid from its start up to, and excluding, its end."""
    started = Sql("{} <= {}", _start(version), instant)
    return Sql("{} and ({}.valid_to is null or {}.valid_to > {})", started, name(version), name(version), instant)


def _start(version: str) -> Sql:
    """Return the start of a version. An unknown start counts as the instant at which the version was recorded."""
    return Sql("coalesce({}.valid_from, {}.recorded_at)", name(version), name(version))


def _is_assumed(version: str, instant: Sql) -> Sql:
    row = name(version)
    return Sql("{}.is_assumed and {}.recorded_at > {} as {}", row, row, instant, name(IS_ASSUMED))


def _had_begun(shape: TableShape, column: ColumnShape, current: str, instant: Sql) -> Sql:
    """Return the condition that a fact had begun, judged by the column that holds its instant."""
    begins = Sql("{}.{}", name(current), name(column.name))
    if not column.is_nullable:
        return Sql("{} <= {}", begins, instant)
    # A fact without an instant counts from when it was recorded; without that, from when its records existed.
    if any(other.name == "recorded_at" and not other.is_nullable for other in shape.columns):
        return Sql("coalesce({}, {}.recorded_at) <= {}", begins, name(current), instant)
    linked_existed = all_of(_linked_existed(shape, current, instant))
    return Sql("{} <= {} or {} is null and {}", begins, instant, begins, linked_existed)


def _linked_existed(shape: TableShape, current: str, instant: Sql) -> Iterator[Sql]:
    """Yield the conditions that the records which a row links to had a version by the instant."""
    for link in shape.links:
        if SHAPES[link.target].has_history:
            version = f"{current}_{link.target}"
            started = Sql("{} <= {}", _start(version), instant)
            names = map(name, (version_name(link.target), version, version, f"{link.target}_id", current, link.column))
            yield Sql("exists (select from {} {} where {}.{} = {}.{} and {})", *names, started)


def _column(column: ColumnShape, row: str, instant: Sql) -> Sql:
    value = Sql("{}.{}", name(row), name(column.name))
    if column.note.known_by is None:
        return value
    # `known_by` names the column with the instant of the decision. With a null instant the comparison is not true, so
    # an undecided row takes the `else` branch as well.
    before = Sql("") if column.note.before is None else Sql(" else {}", str(column.note.before))
    known_since = Sql("{}.{}", name(row), name(column.note.known_by))
    return Sql("case when {} <= {} then {}{} end as {}", known_since, instant, value, before, name(column.name))

"""Rows as they were at an instant, under the names that the columns have now.

A record with history has the values of the version in force then; what has no history is told as it is now. A fact is
there from its own instant on, and what was decided about it later is not known yet.
"""

from collections.abc import Iterable, Iterator
from functools import cache

from api.sql import Sql, all_of, join, name
from schema.base import ColumnShape, TableShape
from schema.history import kept_columns, version_name
from schema.tables import SHAPES, TABLES

_KEPT = {table.__tablename__: frozenset(kept_columns(table)) for table in TABLES if table.__has_history__}


@cache
def is_dated(table: str) -> bool:
    """Whether rows of the table were not always there, or not as they are now."""
    return SHAPES[table].has_history or any(column.note.begins for column in SHAPES[table].columns)


def rows_at(table: str, alias: str, at: Sql, scoped: Iterable[Sql]) -> Sql:
    """The rows of a dated table that were there, to be known as `alias`; `scoped` is said of the record, `record`."""
    shape, own, then = SHAPES[table], record(alias), f"{alias}_then"
    source = Sql("{} {}", name(table), name(own))
    there = list(scoped)
    if shape.has_history:
        source += Sql(" join {} {} on {}.{} = {}.id", *map(name, (version_name(table), then, then, f"{table}_id", own)))
        there.append(_in_force(then, at))
    there += (_had_begun(shape, column, own, at) for column in shape.columns if column.note.begins)
    kept = _KEPT.get(table, frozenset())
    columns = (_column(column, then if column.name in kept else own, at) for column in shape.columns)
    return Sql("(select {} from {} where {})", join(", ", columns), source, all_of(there))


def record(alias: str) -> str:
    """The name of the record itself beside its version."""
    return f"{alias}_now"


def _in_force(version: str, at: Sql) -> Sql:
    """An unknown start counts from when it was recorded."""
    return Sql(
        "{} <= {} and ({}.valid_to is null or {}.valid_to > {})", _start(version), at, name(version), name(version), at
    )


def _start(version: str) -> Sql:
    return Sql("coalesce({}.valid_from, {}.recorded_at)", name(version), name(version))


def _had_begun(shape: TableShape, column: ColumnShape, own: str, at: Sql) -> Sql:
    instant = Sql("{}.{}", name(own), name(column.name))
    if not column.is_nullable:
        return Sql("{} <= {}", instant, at)
    if any(each.name == "recorded_at" for each in shape.columns):
        return Sql("coalesce({}, {}.recorded_at) <= {}", instant, name(own), at)
    return Sql("{} <= {} or {} is null and {}", instant, at, instant, all_of(_began_with(shape, own, at)))


def _began_with(shape: TableShape, own: str, at: Sql) -> Iterator[Sql]:
    """That the records a row is about were known."""
    for link in shape.links:
        if SHAPES[link.target].has_history:
            version = f"{own}_{link.target}"
            start = Sql("{} <= {}", _start(version), at)
            names = map(name, (version_name(link.target), version, version, f"{link.target}_id", own, link.column))
            yield Sql("exists (select from {} {} where {}.{} = {}.{} and {})", *names, start)


def _column(column: ColumnShape, row: str, at: Sql) -> Sql:
    value = Sql("{}.{}", name(row), name(column.name))
    if column.note.known_by is None:
        return value
    before = Sql("") if column.note.before is None else Sql(" else {}", str(column.note.before))
    since = Sql("{}.{}", name(row), name(column.note.known_by))
    return Sql("case when {} <= {} then {}{} end as {}", since, at, value, before, name(column.name))

"""The facts that were known at an instant, as selects that take the place of the tables.

- A fact counts if it was recorded by then: as in the first of its former rows that was replaced later (see
  `schema.corrections`), as it is now if there is none. A row without such an instant, because it was stored before
  Accord kept it, counts as known always.
- Of what is noted on a fact later, such as a decision or that it was voided, it has nothing until that was noted.
- A version of a record ends where the next version begins that was known by then.
- A record has the values of its last version that was known by then; whether it is excluded or deleted is so today.

Statements read the same names: as common tables, or as temporary tables, which PostgreSQL finds before the others.
"""

import re
from datetime import datetime

from api.sql import Sql, join, name
from schema.base import ColumnShape, sql_table
from schema.corrections import correction_name, later_columns
from schema.history import kept_columns, version_name
from schema.tables import METADATA, SHAPES, TABLES

_HISTORY = {sql_table(table).name: frozenset(kept_columns(table)) for table in TABLES if table.__has_history__}
_VERSIONS = {version_name(table): table for table in _HISTORY}
_FACTS = tuple(shape.name for shape in SHAPES.values() if shape.keeps_corrections)
# In an order in which a select reads only tables that come before it.
KNOWN_TABLES = (*_VERSIONS, *_HISTORY, *_FACTS)
_EXCLUSIONS = frozenset({"is_test", "is_internal", "deleted_at"})
# Where another column than the step's own says when Accord stored it. If null, the step came with the fact.
_STORED_BY = {"decided_at": "decision_recorded_at"}
_WORD = re.compile(r"\w+")


def known_rows(table: str, known_at: Sql) -> Sql:
    """Select the rows of a table that were known at an instant, with all columns of the table.

    Shapes: one of `KNOWN_TABLES`, a timestamptz expression -> a select. That of a record reads its version table.
    Errors: KeyError for another table.
    """
    if table in _VERSIONS:
        return _known_versions(table, _VERSIONS[table], known_at)
    if table in _HISTORY:
        return _known_records(table)
    if table in _FACTS:
        return _known_facts(table, known_at)
    raise KeyError(table)


def with_known_facts(statement: Sql, known_at: datetime) -> Sql:
    """Let a statement read the facts that were known at an instant alone."""
    words = frozenset(_WORD.findall(str(statement)))
    read = words | {version_name(table) for table in _HISTORY if table in words}
    instant = Sql("{}::timestamptz", known_at)
    tables = [
        Sql("{} as not materialized ({})", name(table), known_rows(table, instant))
        for table in KNOWN_TABLES
        if table in read
    ]
    if not tables:
        return statement
    first, *rest = statement.parts
    if isinstance(first, str) and first.startswith("with "):
        return Sql("with {}, {}", join(", ", tables), Sql.from_parts((first.removeprefix("with "), *rest)))
    return Sql("with {} {}", join(", ", tables), statement)


def _known_versions(table: str, record: str, known_at: Sql) -> Sql:
    key = f"{record}_id"
    columns = [column.name for column in METADATA.tables[table].columns]
    # The row after this one, of all rows: while it was not known, the end of this one was that of the next known row.
    end = Sql(
        "case when k.next_recorded_at is null or k.next_recorded_at <= {} then k.valid_to"
        f" else lead(k.starts_at) over (partition by k.{key} order by k.starts_at, k.id) end as valid_to",
        known_at,
    )
    selected = join(", ", (end if column == "valid_to" else Sql(f"k.{column}") for column in columns))
    starts = "coalesce(v.valid_from, v.recorded_at)"
    return Sql(
        f"select {{}} from (select v.*, {starts} as starts_at,"
        f" lead(v.recorded_at) over (partition by v.{key} order by {starts}, v.id) as next_recorded_at"
        f" from {table} v) k where k.recorded_at <= {{}}",
        selected,
        known_at,
    )


def _known_records(table: str) -> Sql:
    kept = _HISTORY[table] - _EXCLUSIONS
    columns = [column.name for column in METADATA.tables[table].columns]
    selected = join(
        ", ",
        (
            Sql(f"v.{column}")
            if column in kept
            else Sql("v.recorded_at as updated_at")
            if column == "updated_at"
            else Sql(f"r.{column}")
            for column in columns
        ),
    )
    version = version_name(table)
    return Sql(f"select {{}} from {table} r join {version} v on v.{table}_id = r.id and v.valid_to is null", selected)


def _known_facts(table: str, known_at: Sql) -> Sql:
    """The present rows of facts that nothing replaced since, and the former rows that were the present ones then."""
    built, former = METADATA.tables[table], correction_name(table)
    keys = [column.name for column in built.primary_key.columns]
    selected = join(", ", (_known_value(table, column, known_at) for column in SHAPES[table].columns))
    is_known = Sql("f.recorded_at <= {}", known_at)
    if built.columns["recorded_at"].nullable:
        is_known = Sql("(f.recorded_at is null or {})", is_known)
    same = " and ".join(f"k.{key} = f.{key}" for key in keys)
    replaced = Sql(f"select from {former} k where {same} and k.replaced_at > {{}}", known_at)
    present = Sql(f"select {{}} from {table} f where {{}} and not exists ({{}})", selected, is_known, replaced)
    order = ", ".join(f"k.{key}" for key in keys)
    first = Sql(
        f"select distinct on ({order}) k.* from {former} k where k.replaced_at > {{}} order by {order}, k.replaced_at",
        known_at,
    )
    return Sql("{} union all select {} from ({}) f where {}", present, selected, first, is_known)


def _known_value(table: str, column: ColumnShape, known_at: Sql) -> Sql:
    """The value of a column of the row `f`: what a step noted since then is not known yet."""
    step = later_columns(SHAPES[table]).get(column.name)
    if step is None:
        return Sql(f"f.{column.name}")
    until = "null" if column.note.before is None else f"'{column.note.before}'"  # a word: a view binds no parameters
    if step in _STORED_BY:
        is_later = f"f.{_STORED_BY[step]} > {{}}"
        return Sql(f"case when {is_later} then {until} else f.{column.name} end as {column.name}", known_at)
    return Sql(f"case when f.{step} <= {{}} then f.{column.name} else {until} end as {column.name}", known_at)

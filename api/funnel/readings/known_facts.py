"""The facts that were known at an instant, as selects that take the place of the tables.

- A row counts if it was recorded by then. A row that has no such instant, because it was stored before Accord kept it,
  counts as known always.
- Of what is noted on a row later, such as a decision or that it was voided, the row has nothing until that was noted.
- A version of a record ends where the next version begins that was known by then.
- A record has the values of its last version that was known by then; whether it is excluded or deleted is so today.

Statements read the same names: as common tables, or as temporary tables, which PostgreSQL finds before the others.
"""

import re
from datetime import datetime

from api.sql import Sql, all_of, join, name
from schema.base import sql_table
from schema.history import kept_columns, version_name
from schema.tables import METADATA, SHAPES, TABLES

_HISTORY = {sql_table(table).name: frozenset(kept_columns(table)) for table in TABLES if table.__has_history__}
_VERSIONS = {version_name(table): table for table in _HISTORY}
_FACTS = ("touchpoint", "handoff", "reported_stage", "deal_contact", "exchange_rate", "campaign_cost")
# In an order in which a select reads only tables that come before it.
KNOWN_TABLES = (*_VERSIONS, *_HISTORY, *_FACTS)
_EXCLUSIONS = frozenset({"is_test", "is_internal", "deleted_at"})
# Columns that a later step writes, by the column that has the instant of that step.
_LATER = {"voided_at": ("voided_at", "void_reason"), "deleted_at": ("deleted_at",)}
_DECISION = {"status": "'PROPOSED'", "decided_at": "null", "reject_reason": "null", "note": "null"}
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
    columns = {column.name: column for column in SHAPES[table].columns}
    later = {column: by for by, concerned in _LATER.items() if by in columns for column in concerned}
    selected = []
    for column in METADATA.tables[table].columns.keys():  # noqa: SIM118 - iterating it gives the columns themselves
        value = Sql(f"f.{column}")
        if column in later:
            value = Sql(f"case when f.{later[column]} <= {{}} then f.{column} end as {column}", known_at)
        elif table == "handoff" and column in _DECISION:
            # A decision that came with the handoff has no instant of its own.
            unknown = f"f.decision_recorded_at > {{}} then {_DECISION[column]} else f.{column} end as {column}"
            value = Sql(f"case when {unknown}", known_at)
        selected.append(value)
    conditions = [Sql("f.recorded_at <= {} or f.recorded_at is null", known_at)]
    if not columns["recorded_at"].is_nullable:
        conditions = [Sql("f.recorded_at <= {}", known_at)]
    return Sql(f"select {{}} from {table} f where {{}}", join(", ", selected), all_of(conditions))

"""History: each change of a versioned record leaves a row in its `_version` table, whichever path wrote it.

One statement-level trigger per event (transition tables) writes them, so bulk loads are covered and cheap. Valid time
comes from the record's `effective_at`:

- an insert opens a version at `effective_at` (null: unknown, in no snapshot before it was recorded);
- an update that changes a kept column closes the open version and opens the next, at the new `effective_at` if the
  update states one, else now, and never before the open version began. A version replaced at its own instant stays as
  an empty interval: what we once knew is not lost.

An import that brings a source's own history sets `accord.history_is_given` to `on` for its transaction and writes
versions itself.
"""

from typing import Any

import sqlalchemy as sa

from schema.base import HistoryRecord, Table, add_search, describe, sql_table

VERSION_COLUMNS = ("id", "valid_from", "valid_to", "recorded_at", "is_assumed")
_NOT_KEPT = frozenset({"id", "created_at", "updated_at", "row_version"})


def version_name(table: str) -> str:
    """The name of a table's version table."""
    return f"{table}_version"


def kept_columns(table: type[Table]) -> tuple[str, ...]:
    """The columns whose history is kept: every visible one but the record's bookkeeping."""
    return tuple(each.name for each in describe(table).visible if each.name not in _NOT_KEPT)


def add_history(table: type[Table]) -> None:
    """Declare the version table of a record with history, and its triggers."""
    if not issubclass(table, HistoryRecord):
        return
    built = sql_table(table)
    name, key = version_name(built.name), f"{built.name}_id"
    kept = [_copy(built.columns[each]) for each in kept_columns(table)]
    links = [each for each in kept if each.name.endswith("_id")]
    version = sa.Table(
        name,
        Table.metadata,
        sa.Column(key, sa.Uuid(), nullable=False, comment=f"The {built.name}."),
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="Counts the versions as they were written.",
        ),
        sa.Column(
            "valid_from", sa.DateTime(timezone=True), comment="Since when these values are true; null if unknown."
        ),
        sa.Column(
            "valid_to", sa.DateTime(timezone=True), comment="Until when, not included; null while they are true."
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            comment="When Accord was told.",
        ),
        sa.Column(
            "is_assumed", sa.Boolean(), nullable=False, comment="The source told no history; these values are assumed."
        ),
        *kept,
        sa.PrimaryKeyConstraint(key, "id"),
        sa.CheckConstraint("valid_to >= valid_from", name="valid_in_order"),
        sa.Index(f"ix_{name}_valid_from", key, "valid_from"),
        sa.Index(f"uq_{name}_open", key, unique=True, postgresql_where=sa.text("valid_to is null")),
        *(
            sa.Index(f"ix_{name}_{each.name}", each, postgresql_where=sa.text(f"{each.name} is not null"))
            for each in links
        ),
        comment=f"History of {built.name}: what was true when, and when Accord was told. Written by triggers.",
    )
    add_search(version, built)
    for statement in history_statements(table):
        sa.event.listen(version, "after_create", _after_both(statement, built))


def _copy(source: sa.Column[Any]) -> sa.Column[Any]:
    return sa.Column(source.name, source.type, nullable=source.nullable, comment=source.comment)


def _after_both(statement: str, built: sa.Table) -> sa.schema.ExecutableDDLElement:
    """The triggers need both tables; the version table's dependency makes it come second."""
    built.metadata.tables[version_name(built.name)].add_is_dependent_on(built)
    return sa.DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]


def history_statements(table: type[Table]) -> tuple[str, ...]:
    """Return the DDL of a table's history function and triggers; migrations are drafted from it."""
    name = sql_table(table).name
    return (
        _function(name, kept_columns(table)),
        _trigger(name, "insert", "new table as new_rows"),
        _trigger(name, "update", "old table as old_rows new table as new_rows"),
    )


def _trigger(name: str, event: str, rows: str) -> str:
    return (
        f"create trigger {name}_history_{event} after {event} on {name} referencing {rows}"
        f" for each statement execute function {name}_history()"
    )


def _function(name: str, kept: tuple[str, ...]) -> str:
    version, columns = version_name(name), ", ".join(kept)
    new, old = (", ".join(f"{side}.{each}" for each in kept) for side in ("n", "o"))
    changed = ", ".join(f"changed.{each}" for each in kept)
    return f"""create function {name}_history() returns trigger language plpgsql as $$
begin
  if current_setting('accord.history_is_given', true) = 'on' then
    return null;
  end if;
  if tg_op = 'INSERT' then
    insert into {version} ({name}_id, valid_from, is_assumed, {columns})
    select id, effective_at, is_assumed, {columns} from new_rows;
  else
    with changed as (
      select n.*, case when n.effective_at is distinct from o.effective_at then coalesce(n.effective_at, now())
                       else now() end as since
      from new_rows n join old_rows o on o.id = n.id
      where row({new}) is distinct from row({old})
    ), closed as (
      update {version} v set valid_to = greatest(changed.since, v.valid_from)
      from changed where v.{name}_id = changed.id and v.valid_to is null
      returning v.{name}_id, v.valid_to
    )
    insert into {version} ({name}_id, valid_from, is_assumed, {columns})
    select changed.id, coalesce(closed.valid_to, changed.since), changed.is_assumed, {changed}
    from changed left join closed on closed.{name}_id = changed.id;
  end if;
  return null;
end $$"""

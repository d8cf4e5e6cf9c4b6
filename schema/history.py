"""History: every change of a record with history adds a row to its `_version` table, whatever wrote the change.

Statement-level triggers with transition tables write the versions, so bulk loads are covered at little cost. The valid
time of a version comes from the record's `effective_at`:

- An insert opens a version at `effective_at`. Null means unknown: reads as of an instant before `recorded_at` do not
  return the record.
- An update that changes a versioned column closes the open version and opens the next one: at the new `effective_at` if
  the update sets one, else now, but never before the start of the open version. A version that is replaced at its own
  start stays as an empty interval, so no earlier knowledge is lost.

A version with `is_assumed` is from a source without history: its values hold by assumption until `recorded_at`, and
since then by the source's word. Values that sources overwrite at a closing (`overwritten_at`) are null in an assumed
version from before the closing; values that a closing finalizes (`finalized_at`) stay as they were known before it. An
import also replaces an assumed version at its own start when it fills a value that
was empty in it.

An import with a history of its own sets `accord.history_is_given` to `on` for its transaction and writes the versions
itself.
"""

from typing import Any

import sqlalchemy as sa

from schema.base import Table, describe, searched_formats, sql_table
from schema.records import HistoryRecord
from schema.search.indexes import add_search_indexes
from schema.vocab import Unit

VERSION_COLUMNS = ("id", "valid_from", "valid_to", "recorded_at", "is_assumed")
_BOOKKEEPING = frozenset({"id", "created_at", "updated_at", "row_version"})


def version_name(table: str) -> str:
    """Return the name of the version table of a table."""
    return f"{table}_version"


def kept_columns(table: type[Table]) -> tuple[str, ...]:
    """Return the columns whose history is kept: all visible ones except id, created_at, updated_at and row_version."""
    return tuple(column.name for column in describe(table).visible if column.name not in _BOOKKEEPING)


def add_history(table: type[Table]) -> None:
    """Declare the version table and triggers of a record with history; do nothing for other tables."""
    if not issubclass(table, HistoryRecord):
        return
    built = sql_table(table)
    name, key = version_name(built.name), f"{built.name}_id"
    kept = [copied_column(built.columns[column]) for column in kept_columns(table)]
    links = [column for column in kept if column.name.endswith("_id")]
    money = [column.name for column in describe(table).visible if column.note.unit is Unit.MONEY]
    version = sa.Table(
        name,
        Table.metadata,
        sa.Column(key, sa.Uuid(), nullable=False, comment=f"The {built.name} that this is a version of."),
        sa.Column(
            "id",
            sa.BigInteger(),
            sa.Identity(always=True),
            nullable=False,
            comment="A number that grows in the order in which versions are written.",
        ),
        sa.Column(
            "valid_from",
            sa.DateTime(timezone=True),
            comment="Since when these values are true (inclusive); null if unknown.",
        ),
        sa.Column(
            "valid_to",
            sa.DateTime(timezone=True),
            comment="Until when these values are true (exclusive); null for the current version.",
        ),
        sa.Column(
            "recorded_at",
            sa.DateTime(timezone=True),
            nullable=False,
            server_default=sa.text("now()"),
            comment="When Accord stored the version.",
        ),
        sa.Column(
            "is_assumed",
            sa.Boolean(),
            nullable=False,
            comment="True if the source has no history: until recorded_at, the values are assumed.",
        ),
        *kept,
        sa.PrimaryKeyConstraint(key, "id"),
        sa.CheckConstraint("valid_to >= valid_from", name="valid_in_order"),
        sa.Index(f"ix_{name}_valid_from", key, "valid_from"),
        sa.Index(f"uq_{name}_open", key, unique=True, postgresql_where=sa.text("valid_to is null")),
        *(
            sa.Index(f"ix_{name}_{column.name}", column, postgresql_where=sa.text(f"{column.name} is not null"))
            for column in links
        ),
        # KPIs look up the few records with a negative amount.
        *(sa.Index(f"ix_{name}_negative_{amount}", key, postgresql_where=sa.text(f"{amount} < 0")) for amount in money),
        comment=f"History of {built.name}: one row for each version of a record, written by triggers.",
    )
    add_search_indexes(version, searched_formats(built), has_names=False)
    for statement in history_statements(table):
        sa.event.listen(version, "after_create", _after_both(statement, built))


def copied_column(source: sa.Column[Any]) -> sa.Column[Any]:
    """Return a column of a table that keeps former values: as in the record's table, its default included.

    A release that does not know a required column yet writes versions without it, as it does records.
    """
    default = source.server_default
    copied = sa.text(str(default.arg)) if isinstance(default, sa.DefaultClause) else None
    return sa.Column(source.name, source.type, nullable=source.nullable, server_default=copied, comment=source.comment)


def _after_both(statement: str, built: sa.Table) -> sa.schema.ExecutableDDLElement:
    """Build DDL that runs after both tables are created: the version table is made to depend on the record's table."""
    built.metadata.tables[version_name(built.name)].add_is_dependent_on(built)
    return sa.DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call]


def history_statements(table: type[Table]) -> tuple[str, ...]:
    """Return the DDL of the history function and triggers of a table."""
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
    new, old = (", ".join(f"{side}.{column}" for column in kept) for side in ("n", "o"))
    changed = ", ".join(f"changed.{column}" for column in kept)
    # `changed` holds the records of which a kept column changed: an update of the bookkeeping alone adds no version.
    # `greatest` keeps a version from ending before it began, if a write states an earlier effective_at. The left join
    # keeps records without an open version, which an import with a history of its own may leave.
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

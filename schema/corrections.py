"""Corrections: a fact that is changed or removed leaves its former row in a `_correction` table, whatever wrote it.

A declaration has `__keeps_corrections__`, and the table and its triggers are derived from it. A former row has all
columns of the fact, and `replaced_at`: it is what was known from its `recorded_at` until then. So at an instant, a fact
was as in the first of its former rows that was replaced later, and as it is now if there is none.

- What a step notes on a fact once, and with an instant of its own, leaves no former row: that the fact was voided,
  deleted or decided. To note something else afterwards does.
- Of several changes in one transaction, the first one counts: nobody saw what was between. So a row that the same
  transaction made leaves nothing.
- The triggers run for the rows that their condition finds, so that all other updates cost one comparison. They run row
  by row: with transition tables, they would keep the plan of their first run, whatever the number of rows.

Whoever erases a person sets `accord.corrections_are_kept` to `off` meanwhile, and erases the former rows, too.
"""

import sqlalchemy as sa

from schema.base import Table, TableShape, describe, sql_table
from schema.history import copied_column

# They say when and how often a row was written, and nothing of the fact.
_BOOKKEEPING = frozenset({"created_at", "updated_at", "recorded_at", "row_version", "decision_recorded_at"})
# Columns that a later step writes, by the column that has the instant of that step.
_LATER_STEPS = {"voided_at": ("voided_at", "void_reason"), "deleted_at": ("deleted_at",)}


def correction_name(table: str) -> str:
    """Return the name of the table with the former rows of a table."""
    return f"{table}_correction"


def later_columns(shape: TableShape) -> dict[str, str]:
    """Return the columns that a later step notes, by name: the column that is null until that step."""
    columns = {column.name for column in shape.columns}
    later = {column.name: column.note.known_by for column in shape.columns if column.note.known_by}
    return later | {
        column: step for step, concerned in _LATER_STEPS.items() for column in concerned if column in columns
    }


def add_corrections(table: type[Table]) -> None:
    """Declare the correction table and triggers of a fact that keeps its corrections; do nothing for other tables."""
    built, shape = sql_table(table), describe(table)
    if not shape.keeps_corrections:
        return
    name, keys = correction_name(built.name), [column.name for column in built.primary_key.columns]
    former = sa.Table(
        name,
        Table.metadata,
        *(copied_column(column) for column in built.columns),
        sa.Column(
            "replaced_at",
            sa.DateTime(timezone=True),
            nullable=False,
            comment="Until when Accord knew the fact like this (exclusive): when it was changed or removed.",
        ),
        sa.PrimaryKeyConstraint(*keys, "replaced_at"),
        comment=f"Former rows of {built.name}: one for each change of a fact that was known before, by triggers.",
    )
    former.add_is_dependent_on(built)
    for statement in (_function(built, keys), *_triggers(shape)):
        sa.event.listen(former, "after_create", sa.DDL(statement.replace("%", "%%")))  # type: ignore[no-untyped-call]


def _function(built: sa.Table, keys: list[str]) -> str:
    former, columns = correction_name(built.name), list(built.columns.keys())
    same = " and ".join(f"k.{key} = old.{key}" for key in keys)
    # A writer that began earlier and waited for another one has the earlier now(): its change came after all the same.
    return f"""create function {built.name}_corrected() returns trigger language plpgsql as $$
begin
  if old.recorded_at >= now() or current_setting('accord.corrections_are_kept', true) = 'off' then
    return null;
  end if;
  insert into {former} ({", ".join(columns)}, replaced_at)
  select {", ".join(f"old.{column}" for column in columns)}, greatest(now(), max(k.replaced_at))
  from {former} k where {same}
  on conflict do nothing;
  return null;
end $$"""


def _triggers(shape: TableShape) -> tuple[str, ...]:
    later = later_columns(shape)
    stated = [column.name for column in shape.columns if column.name not in _BOOKKEEPING and column.name not in later]
    conditions = [_differs(stated)]
    for step in dict.fromkeys(later.values()):
        noted = [column for column, by in later.items() if by == step]
        conditions.append(f"old.{step} is not null and {_differs(noted)}")
    return tuple(
        f"create trigger {shape.name}_corrected_{event} after {event} on {shape.name} for each row {condition}"
        f"execute function {shape.name}_corrected()"
        for event, condition in (("update", f"when ({' or '.join(conditions)}) "), ("delete", ""))
    )


def _differs(columns: list[str]) -> str:
    old, new = (", ".join(f"{side}.{column}" for column in columns) for side in ("old", "new"))
    return f"row({old}) is distinct from row({new})"

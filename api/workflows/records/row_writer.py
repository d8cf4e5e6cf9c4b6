"""Inserting and updating rows of one table, many in one statement, which records the changes, too.

The common tables of the statement are its steps: `given` has the rows, `written` writes them, `change` says what
changed, and `audited` and `published` write that to the audit and the outbox. It returns the current evaluation, by
which the stage entries follow.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from uuid import UUID

from api.funnel.following.compiled_accord import EVALUATION_NOW
from api.intake.column_sql import default_of, sql_type
from api.outbox.record_changes import (
    RECORDED,
    RecordChange,
    author_values,
    change_arrays,
    change_values,
    is_audited,
)
from api.sql import Parameter, Sql, Statement, join, name
from api.workflows.records.stored_rows import StoredRow
from api.workflows.unit_of_work import StartAgain, UnitOfWork
from schema.tables import SHAPES
from schema.writes.changes import ChangeType

_KEPT_STATEMENTS = 1_000  # one for each table and set of columns
# What is recorded of a change beside what the row itself and the table say.
_RECORDED_OF_INSERT = ("event_id",)
_RECORDED_OF_UPDATE = ("event_id", "change_type", "former_owner_id", "has_new_owner", "before", "after")
_CONTACT = "contact_id"


@dataclass(frozen=True, slots=True)
class RowUpdate:
    """What changes of a stored row, which is locked. `since` is when that holds: by default since now.

    `stored` has the former value of every changed column, and the id.
    """

    stored: StoredRow
    values: Mapping[str, object]
    since: datetime | None = None
    change_type: ChangeType = ChangeType.CHANGED

    def value(self, column: str) -> object:
        """Return the value that the column will have."""
        return self.values[column] if column in self.values else self.stored[column]


async def insert_rows(work: UnitOfWork, table: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Insert rows, and record them as created. A fact belongs to the contact of its `contact_id`.

    A column that a row lacks, or has as None although it cannot be null, gets its default.

    Shapes: rows with their ids -> as many rows of the table, audit_event and outbox_event. One statement.
    """
    columns = _union(rows)
    changes = [_created(table, row) for row in rows]
    values = {f"row.{column}": [row.get(column) for row in rows] for column in columns}
    work.evaluation = await work.session.row(
        _insertion(table, columns), values | change_values(changes, _RECORDED_OF_INSERT) | author_values(work.author)
    )
    work.changes += changes


async def update_rows(work: UnitOfWork, table: str, updates: Sequence[RowUpdate]) -> None:
    """Update rows that are locked, and record the changes. Each row gets the next row version.

    The change of a record with history holds since the update's `since`. Its values are no longer assumed. Facts, which
    belong to a contact, are not edited.

    Shapes: updates -> as many rows of the table, audit_event and outbox_event. One statement.
    Errors: StartAgain if a row is not there any more.
    """
    columns = _union(update.values for update in updates)
    changes = [_changed(table, update) for update in updates]
    values: dict[str, object] = {f"row.{it}": [update.value(it) for update in updates] for it in columns}
    values["row.id"] = [update.stored["id"] for update in updates]
    values["row.effective_at"] = [update.since for update in updates]
    work.evaluation = await work.session.row(
        _updating(table, columns), values | change_values(changes, _RECORDED_OF_UPDATE) | author_values(work.author)
    )
    if work.evaluation is None or work.evaluation["written"] < len(updates):
        raise StartAgain
    work.changes += changes


def _union(rows: Iterable[Mapping[str, object]]) -> tuple[str, ...]:
    """Return the columns of any row. Their order is not that of the input: every order would be a statement."""
    return tuple(sorted({column for row in rows for column in row}))


def _created(table: str, row: Mapping[str, object]) -> RecordChange:
    id_, contact_id = row["id"], row.get(_CONTACT)
    if not isinstance(id_, UUID):
        raise TypeError(f"a new row of {table} has no id")
    return RecordChange(
        ChangeType.CREATED, table, id_, after=row, contact_id=contact_id if isinstance(contact_id, UUID) else None
    )


def _changed(table: str, update: RowUpdate) -> RecordChange:
    before = {column: update.stored[column] for column in update.values}
    return RecordChange(update.change_type, table, update.stored["id"], before, update.values)


@lru_cache(_KEPT_STATEMENTS)
def _insertion(table: str, columns: tuple[str, ...]) -> Statement:
    """Write the statement of `insert_rows`. Its audit has every column that is not null, defaults among them."""
    defaults = {it.name: default_of(table, it.name) for it in SHAPES[table].columns if is_audited(it.name)}
    filled = [
        Sql("v.{}", name(it)) if default is None else Sql("coalesce(v.{}, {}) as {}", name(it), default, name(it))
        for it, default in ((it, default_of(table, it)) for it in columns)
    ]
    left_out = {it: default for it, default in defaults.items() if default is not None and it not in columns}
    filled += [Sql("{} as {}", default, name(it)) for it, default in left_out.items()]
    written = [name(it) for it in (*columns, *left_out)]
    shown = [_shown(table, it) for it in (*columns, *left_out) if is_audited(it)]
    contact = name(_CONTACT) if _CONTACT in columns else Sql("null::uuid")
    return Statement.of(
        Sql(
            "with given as materialized (select {}, event_id from {}),"
            " written as (insert into {} ({}) select {} from given),"
            " change as (select event_id, {} as change_type, {} as record_type, id as record_id, {} as contact_id,"
            " null::text as stage, null::uuid as former_owner_id, false as has_new_owner, null::jsonb as before,"
            " (select jsonb_strip_nulls(to_jsonb(shown)) from (select {}) shown) as after from given), {}"
            " {}",
            *(join(", ", filled), _given(table, columns, _RECORDED_OF_INSERT)),
            *(name(table), join(", ", written), join(", ", written)),
            *(_text(ChangeType.CREATED.value), _text(table), contact, join(", ", shown), RECORDED),
            EVALUATION_NOW,
        )
    )


@lru_cache(_KEPT_STATEMENTS)
def _updating(table: str, columns: tuple[str, ...]) -> Statement:
    """Write the statement of `update_rows`."""
    assigned = [Sql("{} = v.{}", name(column), name(column)) for column in columns]
    assigned += [Sql("updated_at = clock_timestamp()"), Sql("row_version = t.row_version + 1")]
    read = ["id", *columns]
    if SHAPES[table].has_history:
        read.append("effective_at")
        # Not before the former version began: another transaction may have committed between. Nor at its own start:
        # the history trigger takes an `effective_at` that does not change for one that is not given.
        after = Sql("t.effective_at + interval '1 microsecond'")
        since = Sql("greatest(coalesce(v.effective_at, clock_timestamp()), {})", after)
        assigned += [Sql("effective_at = {}", since), Sql("is_assumed = false")]
    return Statement.of(
        Sql(
            "with given as materialized (select * from {}),"
            " written as (update {} t set {} from given v where t.id = v.id returning t.id),"
            " change as (select event_id, change_type, {} as record_type, id as record_id, null::uuid as contact_id,"
            " null::text as stage, former_owner_id, has_new_owner, before, after from given), {}"
            " select (select count(*) from written) as written, now.* from ({}) now",
            *(_given(table, read, _RECORDED_OF_UPDATE), name(table), join(", ", assigned)),
            *(_text(table), RECORDED, EVALUATION_NOW),
        )
    )


def _given(table: str, columns: Sequence[str], recorded: Sequence[str]) -> Sql:
    """Return `unnest(…) as v (…)`: the rows and what is recorded of them as a table, one array for each column."""
    arrays = [Sql(f"{{}}::{sql_type(table, column)}[]", Parameter(f"row.{column}")) for column in columns]
    return Sql(
        "unnest({}, {}) as v ({})",
        join(", ", arrays),
        change_arrays(recorded),
        join(", ", map(name, (*columns, *recorded))),
    )


def _shown(table: str, column: str) -> Sql:
    """Return a column as the audit shows it: a decimal number is a text, for a reader may take a number for a float."""
    is_decimal = sql_type(table, column).startswith("NUMERIC")
    return Sql("{}::text as {}", name(column), name(column)) if is_decimal else name(column)


def _text(value: str) -> Sql:
    return Sql("'{}'::text", name(value))

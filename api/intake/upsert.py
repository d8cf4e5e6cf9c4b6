"""Writes merged records: inserts new ones and updates those that differ. Triggers write their history.

A new record begins at its earliest date. If its source has no history, its values are assumed to hold since then
(`is_assumed`). A value that differs from the database's holds from now on; one that was empty there fills the assumed
versions, too (`filled_values`). For values with a date, and for those that come with a closing, see `dated_history`.
"""

from dataclasses import dataclass, replace

from api.db import WriteSession
from api.intake.column_sql import default_of
from api.intake.dated_history import bookkeeping, versioned_columns, write_history
from api.intake.filled_values import fill_assumed_versions
from api.intake.import_changes import keep_changes, keep_new_rows, keep_replaced_rows, remember_known
from api.intake.merge import LIFECYCLES, MergeTable, RecordLifecycle, current_value, first_version
from api.sql import Sql, join, name
from schema.base import ColumnShape
from schema.history import version_name

MOVED_FACTS = "moved_fact"  # temp table with facts, and the contacts that they were moved away from


@dataclass(frozen=True, slots=True)
class RecordCounts:
    """How many records of a table were created, changed, and left as they were."""

    created: int
    changed: int
    unchanged: int


async def upsert(session: WriteSession, merge: MergeTable) -> RecordCounts:
    """Write the differences between merged records and the database; equal records stay untouched.

    Shapes: merged records of one table -> their counts. Writes the table, its versions, import_change.
    Errors: what PostgreSQL raises for a row that violates a constraint; see `constraint_violations`.
    """
    counts = await _count(session, merge)
    remembers = await remember_known(session, merge, has_changes=counts.changed > 0)
    if counts.created:
        await _insert(session, merge)
        await keep_new_rows(session, merge)
    if merge.shape.has_history:
        await _begin_earlier(session, merge)
    if counts.changed and merge.changeable:
        await _update(session, merge)
    if merge.dated:
        more = await write_history(session, merge)
        counts = replace(counts, changed=counts.changed + more, unchanged=counts.unchanged - more)
    if remembers:
        await keep_changes(session, merge)
    return counts


async def _count(session: WriteSession, merge: MergeTable) -> RecordCounts:
    row = await session.row(
        Sql(
            "select count(*) filter (where is_new) as created,"
            " count(*) filter (where not is_new and (is_changed or is_earlier)) as changed, count(*) as merged from {}",
            name(merge.stage),
        )
    )
    if row is None:
        return RecordCounts(0, 0, 0)
    return RecordCounts(row["created"], row["changed"], row["merged"] - row["created"] - row["changed"])


async def _insert(session: WriteSession, merge: MergeTable) -> None:
    table, stage = name(merge.table), name(merge.stage)
    if merge.shape.has_id and len(merge.keys) > 1:
        # A fact moved to another contact. The contact is part of its primary key, which never changes: replace the row.
        await keep_replaced_rows(session, merge)
        await session.script(
            f"create temporary table if not exists {MOVED_FACTS} (id uuid, contact_id uuid) on commit drop"
        )
        deleted = Sql(
            "delete from {} t using {} n where t.id = n.id and n.is_new returning t.id, t.contact_id", table, stage
        )
        await session.run(Sql("with deleted as ({}) insert into {} table deleted", deleted, name(MOVED_FACTS)))
    columns, values = ([name("id")], [Sql("n.id")]) if merge.shape.has_id else ([], [])
    if merge.shape.has_history:
        # The history trigger dates the first version by these.
        columns += [name("effective_at"), name("is_assumed")]
        values += [Sql("n.begins"), Sql("true")]
    for column in merge.columns:
        columns.append(name(column.name))
        values.append(_first_value(merge, column))
    await session.run(
        Sql(
            "insert into {} ({}) select {} from {} n where n.is_new",
            table,
            join(", ", columns),
            join(", ", values),
            stage,
        )
    )


def _first_value(merge: MergeTable, column: ColumnShape) -> Sql:
    """A column's value when its record begins: before its first date, a dated value is unknown."""
    value = Sql("n.{}", name(column.name))
    unknown = default_of(merge.table, column.name) or Sql("null")
    if column not in merge.dated or (not column.is_nullable and not column.has_default):
        return value
    return Sql("case when n.{} then {} else {} end", name(f"dated_{column.name}"), unknown, value)


async def _begin_earlier(session: WriteSession, merge: MergeTable) -> None:
    """Move the assumed beginning of records for which an earlier date is now known.

    A first version in which the record is closed does not begin before the closing. Until then the record was open:
    one more version says so.
    """
    lifecycle = LIFECYCLES.get(merge.table)
    if lifecycle is None:
        await session.run(_moved_beginning(merge, Sql("n.begins")))
        return
    start, closed = Sql("coalesce(v.valid_from, v.recorded_at)"), Sql("v.{}", name(lifecycle.closed))
    since = Sql("case when {} is null then n.begins else greatest(n.begins, least({}, {})) end", closed, start, closed)
    columns = versioned_columns(merge)
    await session.run(
        Sql(
            "with moved as ({} returning v.*, n.begins) insert into {} ({}, valid_from, valid_to, is_assumed, {})"
            " select m.{}, m.begins, m.valid_from, true, {} from moved m where m.begins < m.valid_from",
            _moved_beginning(merge, since),
            *(name(version_name(merge.table)), name(f"{merge.table}_id"), join(", ", map(name, columns))),
            *(name(f"{merge.table}_id"), join(", ", (_value_when_open(merge, lifecycle, it) for it in columns))),
        )
    )


def _moved_beginning(merge: MergeTable, since: Sql) -> Sql:
    """The update of the first versions (`v`) of records for which an earlier date is known."""
    return Sql(
        "update {} v set valid_from = {} from {} n where n.is_earlier and v.{} = n.id and v.id = ({})",
        *(name(version_name(merge.table)), since, name(merge.stage), name(f"{merge.table}_id")),
        first_version(merge, Sql("f.id"), Sql("n.id")),
    )


def _value_when_open(merge: MergeTable, lifecycle: RecordLifecycle, column: str) -> Sql:
    """A column's value before the closing of the version `m`: unknown if it came with it."""
    if column in lifecycle.set_when_closed:
        return default_of(merge.table, column) or Sql("null")
    is_overwritten = merge.shape.column(column).note.overwritten_at == lifecycle.closed
    return Sql("null") if is_overwritten else Sql("m.{}", name(column))


async def _update(session: WriteSession, merge: MergeTable) -> None:
    """Update values that differ; they hold from now on, but for those that were empty in an assumed version."""
    assigned = [
        Sql("{} = {}", name(column.name), current_value(merge, column, _is_dated(column), _merged(column)))
        for column in merge.changeable
    ]
    assigned += bookkeeping(merge)
    same = join(" and ", (Sql("t.{} = n.{}", name(key), name(key)) for key in merge.keys))
    due = Sql("{} and n.is_changed and not n.is_new", same)
    # Statement triggers fire even for an update of no row, so find out first.
    found = Sql("select exists (select from {} t, {} n where {})", name(merge.table), name(merge.stage), due)
    if not await session.value(found):
        return
    if not merge.shape.has_history:
        await _assign(session, merge, assigned, due)
        return
    filled = await fill_assumed_versions(session, merge)
    # Their version is written: the trigger would close it, and open an equal one from now on.
    await session.script("set local accord.history_is_given = on")
    await _assign(session, merge, assigned, Sql("{} and n.id in ({})", due, filled))
    await session.script("set local accord.history_is_given = off")
    await _replan_history_trigger(session, merge)
    assigned += [Sql("effective_at = now()"), Sql("is_assumed = false")]
    await _assign(session, merge, assigned, Sql("{} and n.id not in ({})", due, filled))


async def _assign(session: WriteSession, merge: MergeTable, assigned: list[Sql], due: Sql) -> None:
    changes = join(", ", assigned)
    await session.run(Sql("update {} t set {} from {} n where {}", name(merge.table), changes, name(merge.stage), due))


def _merged(column: ColumnShape) -> Sql:
    return Sql("n.{}", name(column.name))


def _is_dated(column: ColumnShape) -> Sql:
    return Sql("n.{}", name(f"dated_{column.name}"))


async def _replan_history_trigger(session: WriteSession, merge: MergeTable) -> None:
    """Make PostgreSQL plan the history trigger for as many rows as are about to change.

    A trigger's statements keep the plan of their first run in the session. A plan made for a single row compares every
    changed row with every other: 63 s instead of 2 s for 30,000 rows. ANALYZE invalidates the plan.
    """
    await session.run(Sql("analyze {}", name(version_name(merge.table))))

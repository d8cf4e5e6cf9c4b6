"""The rows of one table when an import is undone: made ones end, changed ones get their former values back.

A row that an import made has the instant of the import's transaction, and was not changed since if `updated_at` is the
same instant.
"""

from datetime import datetime

import sqlalchemy as sa

from api.db import WriteSession
from api.intake.dated_history import RECORDED_ANEW
from api.intake.external_keys import ADDED_KEY
from api.intake.import_changes import BOOKKEEPING, row_key
from api.sql import Sql, all_of, join, name
from api.workflows.imports.undone_events import ended_columns, insert_events, moved_columns, restored_columns
from api.workflows.people.erased_columns import fact_tables
from schema.base import TableShape
from schema.corrections import correction_name
from schema.tables import METADATA

Ended = tuple[int, int]
"""How many rows were changed, and how many stay as they are."""


async def end_made_facts(session: WriteSession, shape: TableShape, made_at: datetime, source: str) -> Ended:
    """Void facts that an import made, or remove them where nothing voids them. Decided since, they stay.

    Shapes: rows of a table that has no `created_at` -> their counts. Writes the table, external_key and undone_event.
    """
    columns = {column.name for column in shape.columns}
    if "created_at" in columns:
        return 0, 0
    made = _made_facts(shape, made_at, source)
    total = await _count(session, shape, made)
    dates = dict.fromkeys(column.note.known_by for column in shape.columns if column.note.known_by)
    ended = all_of([made, *(Sql("(t.{} > {}) is not true", name(date), made_at) for date in dates)])
    verb = Sql("delete from {} t where {}", name(shape.name), ended)
    if "voided_at" in columns:
        verb = Sql("update {} t set voided_at = now() where {} and t.voided_at is null", name(shape.name), ended)
    gone = await _end(session, shape, source, verb)
    return gone, total - gone


async def remove_added_keys(session: WriteSession, made_at: datetime) -> int:
    """Remove the keys that an import gave to records which it did not make. Return how many.

    Shapes: rows of import_change -> rows of external_key that are gone.
    """
    tag = await session.run(
        Sql(
            "delete from external_key x using import_change c where c.changed_at = {} and c.record_type = {}"
            " and x.entity = c.row_key ->> 'entity' and x.source = c.row_key ->> 'source'"
            " and x.external_id = c.row_key ->> 'external_id' and x.record_id::text = c.after ->> 'record_id'",
            *(made_at, ADDED_KEY),
        )
    )
    return int(tag.rpartition(" ")[2])


async def end_made_records(session: WriteSession, shape: TableShape, made_at: datetime, source: str) -> Ended:
    """Delete records that an import made. Changed since, or with facts since, they stay.

    So do those that cannot be deleted, such as members, or have names that are taken once and for all, such as
    products: later imports find them again.

    Shapes: rows of a table with `created_at` -> their counts. Writes the table, its versions, external_key and
            undone_event.
    """
    columns = {column.name for column in shape.columns}
    if "created_at" not in columns:
        return 0, 0
    made = all_of([Sql("t.created_at = {}", made_at), _is_of_source(shape, source)])
    total = await _count(session, shape, made)
    has_unique_values = any(isinstance(it, sa.UniqueConstraint) for it in METADATA.tables[shape.name].constraints)
    if "deleted_at" not in columns or has_unique_values:
        return 0, total
    unchanged = [Sql("t.updated_at = {}", made_at)]
    if shape.name == "contact":
        unchanged += [_has_no_fact_since(fact, made_at) for fact in fact_tables()]
    verb = Sql(
        "update {} t set deleted_at = coalesce(deleted_at, now()), updated_at = clock_timestamp(),"
        " row_version = row_version + 1 where {}",
        *(name(shape.name), all_of([made, *unchanged])),
    )
    gone = await _end(session, shape, source, verb)
    return gone, total - gone


async def restore_replaced_rows(session: WriteSession, shape: TableShape, made_at: datetime) -> int:
    """Put back rows of facts that rows of other contacts replaced. Return how many.

    They keep the instant of their import. A former row that is known from now until now says that they were gone.
    """
    if not shape.has_id or not _is_dated_fact(shape):
        return 0
    replaced = Sql(
        "select row_key, before from import_change where changed_at = {} and record_type = {} and after is null",
        *(made_at, shape.name),
    )
    table = name(shape.name)
    gone = Sql(
        "delete from {} t using replaced r where {} = r.row_key and t.recorded_at = {} returning r.before, {}",
        *(table, _key(shape), made_at, moved_columns(shape, Sql("(r.before ->> 'contact_id')::uuid"))),
    )
    rows = await session.rows(
        Sql(
            "with replaced as ({}), gone as ({}), events as ({}) select before from gone",
            *(replaced, gone, insert_events("gone")),
        )
    )
    former = name(correction_name(shape.name))
    for row in rows:
        await session.run(
            Sql("insert into {} select * from jsonb_populate_record(null::{}, {}::jsonb)", table, table, row["before"])
        )
        gone_until_now = Sql(
            "{}::jsonb || jsonb_build_object('recorded_at', now(), 'replaced_at', now())", row["before"]
        )
        await session.run(
            Sql(
                "insert into {} select * from jsonb_populate_record(null::{}, {}) on conflict do nothing",
                *(former, former, gone_until_now),
            )
        )
    return len(rows)


async def restore_changed_rows(session: WriteSession, shape: TableShape, made_at: datetime) -> Ended:
    """Give changed rows their former values back, column by column, unless the value was changed since.

    Shapes: rows of import_change -> rows that got all or some values back, and rows that have others since. Writes the
            table, its versions and undone_event.
    """
    changed = Sql(
        "select row_key, before, after from import_change where changed_at = {} and record_type = {}"
        " and before is not null and after is not null",
        *(made_at, shape.name),
    )
    total = await session.value(Sql("select count(*) from ({}) c", changed))
    if not total:
        return 0, 0
    restored = await session.value(
        Sql(
            "with c as (select row_key, before, after, jsonb_populate_record(null::{}, before) as former from ({}) x),"
            " done as (update {} t set {} from c join {} f on {} = c.row_key where {} = c.row_key"
            " and exists (select from jsonb_each(c.after) v where to_jsonb(t) -> v.key is not distinct from v.value)"
            " returning {}), events as ({}) select count(*) from done",
            *(name(shape.name), changed, name(shape.name), join(", ", _restorations(shape))),
            *(name(shape.name), _key(shape, "f"), _key(shape)),
            *(restored_columns(shape), insert_events("done")),
        )
    )
    return restored, total - restored


def _restorations(shape: TableShape) -> list[Sql]:
    """Return the assignments that give the row `t` the values of `c.former` that it still has as `c.after` says."""
    assigned = []
    for column in shape.columns:
        if column.is_key or column.name in BOOKKEEPING:
            continue
        it = name(column.name)
        is_as_left = Sql(
            "c.before ? {}::text and to_jsonb(t) -> {}::text is not distinct from c.after -> {}::text",
            *(column.name, column.name, column.name),
        )
        assigned.append(Sql("{} = case when {} then (c.former).{} else t.{} end", it, is_as_left, it, it))
    columns = {column.name for column in shape.columns}
    bookkeeping = {
        "updated_at": "updated_at = clock_timestamp()",
        "row_version": "row_version = t.row_version + 1",
        "effective_at": "effective_at = greatest(now(), t.effective_at)",
        "is_assumed": "is_assumed = false",
    }
    if shape.name in RECORDED_ANEW:
        bookkeeping["recorded_at"] = "recorded_at = now()"
    return [*assigned, *(Sql(text) for column, text in bookkeeping.items() if column in columns)]


def _is_dated_fact(shape: TableShape) -> bool:
    """Return whether every row of the table says when it was recorded."""
    return any(column.name == "recorded_at" and not column.is_nullable for column in shape.columns)


def _made_facts(shape: TableShape, made_at: datetime, source: str) -> Sql:
    """Return the condition that an import made the fact `t`, and did not only change it."""
    change = Sql(
        "select from import_change c where c.changed_at = {} and c.record_type = {} and c.row_key = {}",
        *(made_at, shape.name, _key(shape)),
    )
    if not shape.has_id:
        return Sql("exists ({} and c.before is null)", change)
    is_recorded = Sql("t.recorded_at = {}", made_at)
    return all_of([is_recorded, Sql("not exists ({})", change), _is_of_source(shape, source)])


def _has_no_fact_since(fact: TableShape, made_at: datetime) -> Sql:
    """Return the condition that a contact `t` has no fact of a table but those that the import recorded."""
    if not _is_dated_fact(fact):
        return Sql("true")
    is_other = Sql("f.contact_id = t.id and f.recorded_at <> {}", made_at)
    return Sql("not exists (select from {} f where {})", name(fact.name), is_other)


def _is_of_source(shape: TableShape, source: str) -> Sql:
    return Sql(
        "exists (select from external_key x where x.entity = {} and x.source = {} and x.record_id = t.id)",
        *(shape.name, source),
    )


async def _end(session: WriteSession, shape: TableShape, source: str, verb: Sql) -> int:
    """End rows, and remove their external keys. Return how many."""
    gone = await session.value(
        Sql(
            "with gone as ({} returning {} as row_key, {}), keyless as (delete from external_key x using gone"
            " where x.entity = {} and x.source = {} and x.record_id::text = gone.row_key ->> 'id'), events as ({})"
            " select count(*) from gone",
            *(verb, _key(shape), ended_columns(shape), shape.name, source, insert_events("gone")),
        )
    )
    return int(gone)


def _key(shape: TableShape, alias: str = "t") -> Sql:
    return row_key(tuple(column.name for column in shape.columns if column.is_key), alias)


async def _count(session: WriteSession, shape: TableShape, condition: Sql) -> int:
    return int(await session.value(Sql("select count(*) from {} t where {}", name(shape.name), condition)))

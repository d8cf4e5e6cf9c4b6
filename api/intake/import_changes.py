"""What an import changes of rows that it does not make: kept set-based, so that the import can be undone.

Made rows have the instant of the import's transaction themselves. Of changed rows a copy is taken before they are
written, and compared afterwards: what dated values and histories change is among it. Keys of known records are kept,
too: they are no values of the records.
"""

from api.db import WriteSession
from api.intake.merge import MergeTable
from api.sql import Sql, all_of, join, name

# What every write of a row changes, and what follows from others.
BOOKKEEPING = ("created_at", "updated_at", "recorded_at", "row_version", "effective_at", "is_assumed")


async def remember_known(session: WriteSession, merge: MergeTable, *, has_changes: bool) -> bool:
    """Copy the rows that may change into a temporary table. Return whether there may be any.

    Cost: a copy of the rows that differ; of all that are merged if values have dates.
    """
    if not merge.changeable or not (has_changes or merge.dated):
        return False
    may_change = Sql("not n.is_new") if merge.dated else Sql("not n.is_new and (n.is_changed or n.is_earlier)")
    await session.run(
        Sql(
            "create temporary table {} on commit drop as select t.* from {} t join {} n on {} where {}",
            *(_known(merge), name(merge.table), name(merge.stage), _is_same(merge, "t", "n"), may_change),
        )
    )
    return True


async def keep_changes(session: WriteSession, merge: MergeTable) -> None:
    """Keep what differs from the copy of `remember_known`. Writes import_change: one row for each that differs."""
    columns = [name(column.name) for column in merge.changeable]
    before, after = (join(", ", (Sql(f"{side}.{{}}", column) for column in columns)) for side in ("k", "t"))
    await session.run(
        Sql(
            "insert into import_change (record_type, row_key, before, after)"
            " select {}, {}, d.before, d.after from {} k join {} t on {}"
            " cross join lateral (select jsonb_object_agg(o.key, o.value) as before, jsonb_object_agg(o.key, c.value)"
            " as after from jsonb_each(to_jsonb(k)) o join jsonb_each(to_jsonb(t)) c on c.key = o.key"
            " where o.value <> c.value and o.key <> all({}::text[])) d"
            " where row({}) is distinct from row({}) and d.before is not null",
            *(merge.table, row_key(merge.keys, "t"), _known(merge), name(merge.table), _is_same(merge, "k", "t")),
            *(list(BOOKKEEPING), before, after),
        )
    )


async def keep_new_rows(session: WriteSession, merge: MergeTable) -> None:
    """Keep which rows are new of a table whose rows have no instant of their own. Writes import_change."""
    if merge.shape.has_id:
        return
    await session.run(
        Sql(
            "insert into import_change (record_type, row_key, after) select {}, {}, to_jsonb(t) from {} t join {} n"
            " on {} where n.is_new",
            *(merge.table, row_key(merge.keys, "t"), name(merge.table), name(merge.stage), _is_same(merge, "t", "n")),
        )
    )


async def keep_replaced_rows(session: WriteSession, merge: MergeTable) -> None:
    """Keep the rows of facts that rows of other contacts are about to replace. Writes import_change."""
    await session.run(
        Sql(
            "insert into import_change (record_type, row_key, before) select {}, {}, to_jsonb(t)"
            " from {} t join {} n on n.id = t.id where n.is_new",
            *(merge.table, row_key(merge.keys, "t"), name(merge.table), name(merge.stage)),
        )
    )


def row_key(keys: tuple[str, ...], alias: str) -> Sql:
    """Return the primary key of a row as JSON; the id alone if the row has one."""
    named = ("id",) if "id" in keys else keys
    return Sql("jsonb_build_object({})", join(", ", (Sql(f"'{key}', {alias}.{{}}", name(key)) for key in named)))


def _known(merge: MergeTable) -> Sql:
    return name(f"known_{merge.table}")


def _is_same(merge: MergeTable, one: str, other: str) -> Sql:
    keys = ("id",) if merge.shape.has_id else merge.keys
    return all_of([Sql(f"{one}.{{}} = {other}.{{}}", name(key), name(key)) for key in keys])

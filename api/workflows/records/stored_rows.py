"""Rows of the database for a unit of work: read within the principal's reach, and locked until it ends."""

from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any
from uuid import UUID

from api.access.scope import MERGED_INTO, can_be_merged, reach_conditions
from api.sql import Sql, all_of, join, name
from api.workflows.records.record_input import ExternalKeyValue
from api.workflows.unit_of_work import UnitOfWork
from schema.tables import SHAPES

StoredRow = Mapping[str, Any]
_LONGEST_CHAIN = 20  # merges of merged records; longer chains are cycles, which imports can bring


async def lock_rows(work: UnitOfWork, table: str, ids: Collection[UUID]) -> dict[UUID, StoredRow]:
    """Read rows and lock them, in the order of their ids, so that two writers of the same rows never deadlock.

    Shapes: ids -> rows with all columns, by id; those out of reach are missing, like those that do not exist. Deleted
    and merged rows are among them.
    Errors: what PostgreSQL raises if the lock is not had in time.
    """
    if not ids:
        return {}
    reached = reach_conditions(table, "t", work.principal)
    found = await work.session.rows(
        Sql(
            "select {} from {} t where {} order by t.id for no key update of t",
            *(all_columns(table, "t."), name(table), all_of((Sql("t.id = any({}::uuid[])", list(ids)), *reached))),
        )
    )
    return {row["id"]: dict(row) for row in found}


@cache
def all_columns(table: str, prefix: str = "") -> Sql:
    """Return the names of all columns of a table, with a prefix such as an alias and a dot."""
    return Sql.from_parts((", ".join(f"{prefix}{column.name}" for column in SHAPES[table].columns),))


async def keyed_ids(work: UnitOfWork, table: str, keys: Sequence[ExternalKeyValue]) -> dict[ExternalKeyValue, UUID]:
    """Return the ids of the records that external keys name; for a merged record, the id of its survivor.

    Shapes: keys -> ids, by key; keys that no record has are missing. Neither reach nor deletion is considered.
    """
    keys = [key for key in keys if key.problem is None]
    if not keys:
        return {}
    rows = await work.session.rows(
        Sql(
            "select k.source, k.external_id, k.record_id from external_key k"
            " join unnest({}::text[], {}::text[]) as g (source, external_id)"
            " on k.source = g.source and k.external_id = g.external_id where k.entity = {}",
            *([key.source for key in keys], [key.external_id for key in keys], table),
        )
    )
    found = {ExternalKeyValue(row["source"], row["external_id"]): row["record_id"] for row in rows}
    survivors = await survivors_of(work, table, set(found.values()))
    return {key: survivors.get(id_, id_) for key, id_ in found.items()}


async def survivors_of(work: UnitOfWork, table: str, ids: Collection[UUID]) -> dict[UUID, UUID]:
    """Return the survivors of merged records, by the id of the merged one; ids of others are missing."""
    if not ids or not can_be_merged(table):
        return {}
    merged_into = name(MERGED_INTO)
    rows = await work.session.rows(
        Sql(
            "with recursive chain (id, survivor, steps) as ("
            " select id, {}, 1 from {} where id = any({}::uuid[]) and {} is not null"
            " union all select chain.id, t.{}, steps + 1 from chain join {} t on t.id = chain.survivor"
            " where t.{} is not null and steps < {}::int)"
            " select distinct on (id) id, survivor from chain order by id, steps desc",
            *(merged_into, name(table), list(ids), merged_into, merged_into, name(table), merged_into, _LONGEST_CHAIN),
        )
    )
    return {row["id"]: row["survivor"] for row in rows}


async def merged_ids(work: UnitOfWork, table: str, survivor: UUID) -> list[UUID]:
    """Return the id of a record and those of the records that were merged into it, directly or through others.

    The facts of all of them are facts of the survivor.
    """
    if not can_be_merged(table):
        return [survivor]
    # `union` instead of `union all` ends the recursion on a cycle.
    ids: list[UUID] = await work.session.value(
        Sql(
            "with recursive family (id) as (select {}::uuid union select t.id from family f join {} t on t.{} = f.id)"
            " select array_agg(id) from family",
            *(survivor, name(table), name(MERGED_INTO)),
        )
    )
    return ids


async def reached_rows(
    work: UnitOfWork, table: str, ids: Collection[UUID], columns: Sequence[str] = ()
) -> dict[UUID, StoredRow]:
    """Read rows that others shall link to, without locking them.

    Shapes: ids -> rows with `id`, those of `columns`, and of the columns that say that a row is deleted, deactivated,
            erased or merged those that the table has; rows out of reach are missing.
    """
    if not ids:
        return {}
    own = [column.name for column in SHAPES[table].columns]
    read = ["id", *columns, *(it for it in ("deleted_at", "deactivated_at", "erased_at", MERGED_INTO) if it in own)]
    reached = reach_conditions(table, "t", work.principal)
    found = await work.session.rows(
        Sql(
            "select {} from {} t where {}",
            join(", ", (Sql("t.{}", name(column)) for column in dict.fromkeys(read))),
            *(name(table), all_of((Sql("t.id = any({}::uuid[])", list(ids)), *reached))),
        )
    )
    return {row["id"]: dict(row) for row in found}

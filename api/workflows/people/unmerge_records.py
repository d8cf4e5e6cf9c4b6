"""Undoing the merge of a record: it gets back what nobody changed since."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from api.access.scope import MERGED_INTO
from api.outbox.record_changes import json_value
from api.sql import Sql, name
from api.workflows.outcome import Outcome
from api.workflows.people.company_tree import given_back_without_circles
from api.workflows.people.filled_values import Filled, values_to_take
from api.workflows.people.locked_family import lock_reached, referred_ids
from api.workflows.people.merge_records import change_survivor, filled_as_json
from api.workflows.people.moved_rows import move_rows_back
from api.workflows.records.record_input import Reference
from api.workflows.records.record_tree import is_above
from api.workflows.records.row_writer import RowUpdate, update_rows
from api.workflows.records.stored_rows import StoredRow, lock_rows
from api.workflows.unit_of_work import StartAgain, UnitOfWork
from schema.base import TableShape
from schema.tables import SHAPES
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode


async def unmerge_record(work: UnitOfWork, table: str, reference: Reference, field: str) -> Outcome:
    """Undo the merge of a record.

    The survivor loses what it took from the record, as far as it still has it and no other merged record gives it. What
    was changed or added since stays with the survivor.
    Shapes: one reference -> an outcome with the record and its former survivor. Writes the table, what the merge had
            moved, and record_merge.
    Errors: NOT_ALLOWED if the survivor is out of reach; user errors NOT_FOUND, WRONG_STATE, MERGED.
    """
    shape = SHAPES[table]
    row, survivor = await _locked(work, shape, reference, field)
    work.require_valid()
    if row is None or survivor is None:
        raise TypeError("a valid merge has two records")
    merge = await work.session.row(
        Sql("select id, filled, moved from record_merge where record_id = {}::uuid and undone_at is null", row["id"])
    )
    await update_rows(work, table, [RowUpdate(row, {MERGED_INTO: None}, change_type=ChangeType.UNMERGED)])
    if merge is not None:  # an import made the others: it changed nothing else
        await work.session.run(
            Sql("update record_merge set undone_at = {} where id = {}", work.started_at, merge["id"])
        )
        moved = merge["moved"]
        if table == "company":
            moved = await given_back_without_circles(work, moved, row["id"], survivor["id"])
        await move_rows_back(work, moved, row["id"], survivor["id"])
        await _give_back(work, shape, survivor, merge["filled"])
    return Outcome({table: row["id"], "survivor": survivor["id"]})


async def _locked(
    work: UnitOfWork, shape: TableShape, reference: Reference, field: str
) -> tuple[StoredRow | None, StoredRow | None]:
    """Lock the merged record and its survivor, in the order of their ids; note what is wrong."""
    [id_] = await referred_ids(work, shape, [reference])
    into = None
    if id_ is not None:
        into = await work.session.value(
            Sql("select {} from {} where id = {}::uuid", name(MERGED_INTO), name(shape.name), id_)
        )
    reached = await lock_rows(work, shape.name, {it for it in (id_, into) if it is not None})
    row = None if id_ is None else reached.get(id_)
    if row is None:
        work.reject((field,), UserErrorCode.NOT_FOUND, "No record that you reach has this id or external key.")
        return None, None
    if row[MERGED_INTO] != into:
        raise StartAgain
    if into is None:
        message = "The record is not merged. Name the merged one by its id: its external keys lead to the survivor."
        work.reject((field,), UserErrorCode.WRONG_STATE, message)
        return row, None
    survivor = (await lock_reached(work, shape, [into]))[into]
    if survivor[MERGED_INTO] is not None:
        message = "The survivor of this merge was merged into another record since. Undo that merge first."
        work.reject((field,), UserErrorCode.MERGED, message)
    return row, survivor


async def _give_back(
    work: UnitOfWork, shape: TableShape, survivor: StoredRow, filled: Mapping[str, Sequence[Any]]
) -> None:
    """Take from the survivor what a merge gave it, and give it what other merged records have instead."""
    unchanged = {column: former for column, (former, new) in filled.items() if json_value(survivor[column]) == new}
    former = await _typed(work, shape, unchanged)
    parent = former.get("parent_id")
    if isinstance(parent, UUID) and await is_above(work, "company", survivor["id"], parent):
        del former["parent_id"]  # the companies were moved since
    rest = dict(survivor) | former
    final = dict(rest)
    for merge_id, row in await _other_merged(work, shape, survivor["id"]):
        taken = values_to_take(shape, final, row)
        final |= {column: new for column, (_, new) in taken.items()}
        if taken:
            added = Sql("filled || {}::jsonb", filled_as_json(taken))
            await work.session.run(Sql("update record_merge set filled = {} where id = {}", added, merge_id))
    changes: Filled = {
        column: (survivor[column], value) for column, value in final.items() if survivor[column] != value
    }
    await change_survivor(work, shape, survivor, changes)


async def _typed(work: UnitOfWork, shape: TableShape, values: Mapping[str, object]) -> dict[str, object]:
    """Return values that were kept as JSON as those of the columns."""
    row = await work.session.row(
        Sql("select * from jsonb_populate_record(null::{}, {}::jsonb)", name(shape.name), dict(values))
    )
    return {} if row is None else {column: row[column] for column in values}


async def _other_merged(work: UnitOfWork, shape: TableShape, survivor: UUID) -> list[tuple[UUID, StoredRow]]:
    """Return the records that are still merged into a survivor, with the ids of their merges, the first merge first."""
    merges = await work.session.rows(
        Sql(
            "select id, record_id from record_merge where survivor_id = {}::uuid and undone_at is null"
            " order by merged_at, id",
            survivor,
        )
    )
    rows = {
        row["id"]: dict(row)
        for row in await work.session.rows(
            Sql("select * from {} where id = any({}::uuid[])", name(shape.name), [it["record_id"] for it in merges])
        )
    }
    return [(merge["id"], rows[merge["record_id"]]) for merge in merges if merge["record_id"] in rows]

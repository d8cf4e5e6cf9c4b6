"""Merging records of one table into one of them, in a way that can be undone."""

from collections.abc import Sequence
from uuid import UUID

from api.access.scope import MERGED_INTO
from api.outbox.record_changes import json_value
from api.sql import Sql
from api.workflows.outcome import Outcome
from api.workflows.people.company_tree import parent_after_merge
from api.workflows.people.filled_values import Filled, values_to_take
from api.workflows.people.locked_family import lock_family
from api.workflows.people.moved_rows import Moved, move_rows
from api.workflows.records.record_input import Reference
from api.workflows.records.row_writer import RowUpdate, update_rows
from api.workflows.records.stored_rows import StoredRow
from api.workflows.unit_of_work import UnitOfWork
from schema.base import TableShape, new_id
from schema.tables import SHAPES
from schema.writes.changes import ChangeType


async def merge_records(
    work: UnitOfWork, table: str, survivor: Reference, merged: Sequence[Reference], expected_version: int | None
) -> Outcome:
    """Merge records of a table into one of them, one after another.

    Shapes: references -> an outcome with the survivor. Writes the table, what `move_rows` moves, and record_merge.
    Errors: those of `lock_family` and `move_rows`.
    """
    shape = SHAPES[table]
    kept, others = await lock_family(work, shape, survivor, merged, expected_version)
    work.require_valid()
    if kept is None:
        raise TypeError("a valid merge has a survivor")
    for row in others:
        kept = await _merge(work, shape, kept, row)
    return Outcome({table: kept["id"]})


async def change_survivor(work: UnitOfWork, shape: TableShape, row: StoredRow, filled: Filled) -> StoredRow:
    """Write the new values of a survivor, and record the change. Return its row."""
    if not filled:
        return row
    after = {column: new for column, (_, new) in filled.items()}
    await update_rows(work, shape.name, [RowUpdate(row, after)])
    return {**row, **after}


def filled_as_json(filled: Filled) -> dict[str, list[object]]:
    """Return values that a survivor took, as `record_merge.filled` keeps them."""
    return {column: [json_value(old), json_value(new)] for column, (old, new) in filled.items()}


async def _merge(work: UnitOfWork, shape: TableShape, survivor: StoredRow, row: StoredRow) -> StoredRow:
    filled = values_to_take(shape, survivor, row)
    if shape.name == "company":
        filled |= await parent_after_merge(work, survivor, row)
    kept = await change_survivor(work, shape, survivor, filled)
    moved = await move_rows(work, shape.name, row["id"], kept["id"])
    await update_rows(work, shape.name, [RowUpdate(row, {MERGED_INTO: kept["id"]}, change_type=ChangeType.MERGED)])
    await _keep(work, shape.name, (row["id"], kept["id"]), filled, moved)
    return kept


async def _keep(work: UnitOfWork, table: str, pair: tuple[UUID, UUID], filled: Filled, moved: Moved) -> None:
    """Keep what a merge changed, so that it can be undone."""
    await work.session.run(
        Sql(
            "insert into record_merge (id, record_type, record_id, survivor_id, merged_at, principal, filled, moved)"
            " values ({}, {}, {}, {}, {}, {}, {}::jsonb, {}::jsonb)",
            *(new_id(), table, *pair, work.started_at, work.principal.name, filled_as_json(filled), moved),
        )
    )

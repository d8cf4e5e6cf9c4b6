"""Deleting, restoring, deactivating and reactivating one record. Nothing else changes: none of it cascades."""

from typing import Literal

from api.workflows.outcome import Outcome
from api.workflows.records.planned_row import PlannedRow
from api.workflows.records.record_input import RecordInput
from api.workflows.records.row_writer import RowUpdate, update_rows
from api.workflows.records.stored_rows import lock_rows
from api.workflows.records.table_rules import apply_rules
from api.workflows.records.write_records import require_current
from api.workflows.unit_of_work import UnitOfWork
from schema.base import TableShape
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

EndColumn = Literal["deleted_at", "deactivated_at"]


async def end_record(work: UnitOfWork, shape: TableShape, column: EndColumn, given: RecordInput) -> Outcome:
    """Delete or deactivate a record: set the column to now.

    Shapes: one record -> its outcome. Writes the table (1).
    Errors: user errors NOT_FOUND, DELETED, MERGED, INACTIVE, STALE_VERSION.
    """
    row = await _locked(work, shape, given)
    if column == "deactivated_at" and row.value(column) is not None:
        row.reject("id", UserErrorCode.INACTIVE, "The record is deactivated already.")
    change = ChangeType.DELETED if column == "deleted_at" else ChangeType.CHANGED
    return await _set(work, row, column, change, is_ended=True)


async def resume_record(work: UnitOfWork, shape: TableShape, column: EndColumn, given: RecordInput) -> Outcome:
    """Restore or reactivate a record: set the column to null.

    Shapes: one record -> its outcome. Writes the table (1).
    Errors: user errors NOT_FOUND, NOT_DELETED, MERGED, STALE_VERSION, WRONG_STATE, and those of the table's rules.
    """
    row = await _locked(work, shape, given, is_restored=True)
    if row.stored is not None and row.value(column) is None:
        is_deletion = column == "deleted_at"
        code = UserErrorCode.NOT_DELETED if is_deletion else UserErrorCode.WRONG_STATE
        row.reject("id", code, f"The record is not {'deleted' if is_deletion else 'deactivated'}.")
    elif row.stored is not None:
        row.changes[column] = None
        await apply_rules(work, shape, [row])
    change = ChangeType.RESTORED if column == "deleted_at" else ChangeType.CHANGED
    return await _set(work, row, column, change, is_ended=False)


async def _locked(work: UnitOfWork, shape: TableShape, given: RecordInput, *, is_restored: bool = False) -> PlannedRow:
    row = PlannedRow(shape, given, errors=list(given.errors))
    if given.id is not None:
        row.stored = (await lock_rows(work, shape.name, {given.id})).get(given.id)
    if row.stored is None and not row.errors:
        row.reject("id", UserErrorCode.NOT_FOUND, "No record that you reach has this id.")
    require_current(row, is_restored=is_restored)
    return row


async def _set(work: UnitOfWork, row: PlannedRow, column: EndColumn, change: ChangeType, *, is_ended: bool) -> Outcome:
    work.errors += row.errors
    work.require_valid()
    if row.stored is None:
        raise TypeError("a valid row has a record")
    value = work.started_at if is_ended else None
    await update_rows(work, row.shape.name, [RowUpdate(row.stored, {column: value}, change_type=change)])
    id_ = row.stored["id"]
    values = {"deleted_id": f"{row.shape.name}_{id_}"} if change is ChangeType.DELETED else {}
    return Outcome({row.shape.name: id_}, values=values)

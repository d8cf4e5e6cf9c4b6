"""The records of a merge: found, locked in the order of their ids, and checked."""

from collections.abc import Collection, Sequence
from uuid import UUID

from api.errors import AccordError, ErrorCode
from api.sql import Sql, name
from api.workflows.records.planned_row import PlannedRow
from api.workflows.records.record_input import RecordInput, Reference
from api.workflows.records.stored_rows import StoredRow, keyed_ids, lock_rows, survivors_of
from api.workflows.records.write_records import require_current
from api.workflows.unit_of_work import UnitOfWork
from api.workflows.user_errors import FieldPath, UserError
from schema.base import TableShape
from schema.writes.user_errors import UserErrorCode

MAX_MERGED = 100


async def lock_family(
    work: UnitOfWork, shape: TableShape, survivor: Reference, merged: Sequence[Reference], expected_version: int | None
) -> tuple[StoredRow | None, list[StoredRow]]:
    """Lock the survivor of a merge and the records to merge into it; note what is wrong with them.

    Shapes: references -> the survivor, and the others in their order; incomplete if anything is noted.
    Errors: NOT_ALLOWED for a record out of reach; user errors NOT_FOUND, DELETED, MERGED, STALE_VERSION, CIRCLE,
            ERASED, DUPLICATE, REQUIRED, TOO_LONG.
    """
    if not merged:
        work.reject(("merged",), UserErrorCode.REQUIRED, "Name at least one record to merge.")
    if len(merged) > MAX_MERGED:
        work.reject(("merged",), UserErrorCode.TOO_LONG, f"A merge takes {MAX_MERGED} records at most.")
        return None, []
    paths: list[FieldPath] = [("survivor",), *(("merged", str(place)) for place in range(len(merged)))]
    ids = await referred_ids(work, shape, [survivor, *merged])
    stored = await lock_reached(work, shape, [id_ for id_ in ids if id_ is not None])
    into = await survivors_of(work, shape.name, set(stored))
    seen: set[UUID] = set()
    rows: list[StoredRow] = []
    for place, (path, id_) in enumerate(zip(paths, ids, strict=True)):
        row = None if id_ is None else stored.get(id_)
        if id_ is None or row is None:
            message = "No record that you reach has this id or external key."
            work.reject(path, UserErrorCode.NOT_FOUND, message)
            continue
        problem = _repetition(path, id_, ids[0], seen) if place else None
        if place == 0 and id_ in into and into[id_] in ids[1:]:
            message = "This record was merged into one that shall be merged into it. Undo that merge first."
            problem = UserError(path, UserErrorCode.CIRCLE, message)
        work.errors += [problem] if problem else _outdated(shape, path, row, None if place else expected_version)
        seen.add(id_)
        rows.append(row)
    return (rows[0], rows[1:]) if len(rows) == len(ids) else (None, [])


async def referred_ids(work: UnitOfWork, shape: TableShape, references: Sequence[Reference]) -> list[UUID | None]:
    """Return the ids that references name; None for a key that no record has. A key leads to the survivor."""
    by_key = await keyed_ids(work, shape.name, [it.key for it in references if it.key is not None])
    return [it.id or (by_key.get(it.key) if it.key is not None else None) for it in references]


async def lock_reached(work: UnitOfWork, shape: TableShape, ids: Collection[UUID]) -> dict[UUID, StoredRow]:
    """Lock records; those that do not exist are missing. Errors: NOT_ALLOWED if one exists out of reach."""
    stored = await lock_rows(work, shape.name, set(ids))
    missing = [id_ for id_ in ids if id_ not in stored]
    if missing and await work.session.value(
        Sql("select exists (select from {} where id = any({}::uuid[]))", name(shape.name), missing)
    ):
        raise AccordError(
            ErrorCode.NOT_ALLOWED,
            "The merge concerns a record that you do not reach.",
            "Ask somebody who reaches all of the records to merge them.",
        )
    return stored


def _repetition(path: FieldPath, id_: UUID, survivor: UUID | None, seen: set[UUID]) -> UserError | None:
    if id_ == survivor:
        return UserError(path, UserErrorCode.CIRCLE, "A record cannot be merged into itself.")
    if id_ in seen:
        return UserError(path, UserErrorCode.DUPLICATE, "The record is named twice.")
    return None


def _outdated(shape: TableShape, path: FieldPath, row: StoredRow, expected_version: int | None) -> list[UserError]:
    """Return what is wrong with a record that is erased, deleted, merged, or changed since its caller read it."""
    if row.get("erased_at") is not None:
        message = "This person was erased, and is merged with nobody: nothing is left by which they are one."
        return [UserError(path, UserErrorCode.ERASED, message)]
    planned = PlannedRow(shape, RecordInput(id=row["id"], expected_version=expected_version), row)
    require_current(planned)
    return [
        UserError(
            path if error.code is not UserErrorCode.STALE_VERSION else ("expected_version",), error.code, error.message
        )
        for error in planned.errors
    ]

"""Creating, changing and upserting records: one row or many, in a fixed number of statements.

Every row is checked completely before anything is written: its values, its links, its record and its version, and the
rules of its table. What the database alone can find, such as a key that another transaction took meanwhile, rejects the
row when it is written.
"""

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum
from uuid import UUID

import asyncpg

from api.access.field_rights import may_read, needs_personal_data
from api.access.scope import MERGED_INTO, has_owner
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from api.workflows.outcome import RowOutcome
from api.workflows.records.constraint_errors import constraint_error
from api.workflows.records.past_instants import past_problem
from api.workflows.records.planned_row import PlannedRow
from api.workflows.records.record_input import ExternalKeyValue, RecordInput, settable_columns
from api.workflows.records.references import resolve_links
from api.workflows.records.row_writer import RowUpdate, insert_rows, update_rows
from api.workflows.records.stored_rows import StoredRow, keyed_ids, lock_rows, reached_rows
from api.workflows.records.table_rules import apply_rules
from api.workflows.records.values import InvalidValueError, stored_value
from api.workflows.unit_of_work import StartAgain, UnitOfWork
from api.workflows.user_errors import UserError
from schema.access.rights import Reach
from schema.base import TableShape, new_id
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode
from schema.writes.write_status import WriteStatus


class WriteOperation(StrEnum):
    """What a row of input does: it makes a record, changes one, or either."""

    CREATE = "CREATE"
    UPDATE = "UPDATE"
    UPSERT = "UPSERT"


async def write_records(
    work: UnitOfWork, shape: TableShape, operation: WriteOperation, rows: Sequence[RecordInput]
) -> list[RowOutcome]:
    """Write rows of input to a table. Rows that are wrong are not written, and their outcome says why.

    Shapes: rows -> an outcome for each, in their order. Writes the table, its versions and external_key.
    Errors: NOT_ALLOWED if an external key names a record that the principal does not reach, or if a value of a record
            would be changed that it may not read; StartAgain if another transaction wrote the same external key
            meanwhile.
    """
    planned = [_planned(shape, operation, row) for row in rows]
    links, link_errors = await resolve_links(work, shape, rows)
    for row, resolved, errors in zip(planned, links, link_errors, strict=True):
        row.changes |= resolved
        row.errors += errors
    await _find_records(work, shape, operation, planned)
    for row in planned:
        if operation is not WriteOperation.UPDATE:
            _require_values(row)
        _compare(work, row)
    known = [row for row in planned if row.stored is not None or operation is not WriteOperation.UPDATE]
    await apply_rules(work, shape, known)
    await _write(work, shape, [row for row in known if not row.errors])
    return [_outcome(row) for row in planned]


def _planned(shape: TableShape, operation: WriteOperation, given: RecordInput) -> PlannedRow:
    """Return the row with the values of its input in the form that is stored."""
    row = PlannedRow(shape, given, errors=list(given.errors))
    allowed = settable_columns(shape, is_new=operation is not WriteOperation.UPDATE)
    for column, value in given.values.items():
        try:
            row.changes[column] = stored_value(allowed[column], value)
        except InvalidValueError as error:
            row.reject(column, error.code, error.reason)
    return row


async def _find_records(
    work: UnitOfWork, shape: TableShape, operation: WriteOperation, rows: Sequence[PlannedRow]
) -> None:
    """Find and lock the record of every row. A row without one is new."""
    by_key = await keyed_ids(work, shape.name, [row.given.key for row in rows if row.given.key is not None])
    reject_repeated_keys(rows)
    wanted: dict[int, UUID] = {}
    taken: dict[int, UUID] = {}
    for place, row in enumerate(rows):
        known = by_key.get(row.given.key) if row.given.key is not None else None
        row.has_key = known is not None
        if operation is WriteOperation.CREATE and known is not None:
            taken[place] = known
        if operation is WriteOperation.UPDATE and row.given.id is not None:
            wanted[place] = row.given.id
            if known is not None and known != row.given.id:
                taken[place] = known
        if operation is WriteOperation.UPSERT and known is not None:
            wanted[place] = known
        if operation is WriteOperation.UPSERT and known is None and row.given.expected_version is not None:
            message = "No record has this external key. To create one, leave the expected version out."
            row.errors.append(UserError((*row.given.path, "external_key"), UserErrorCode.NOT_FOUND, message))
    await _reject_taken_keys(work, shape, rows, taken)
    _reject_repeated_records(rows, wanted)
    stored = await lock_rows(work, shape.name, set(wanted.values()))
    for place, id_ in wanted.items():
        row = rows[place]
        row.stored = stored.get(id_)
        if row.stored is None:
            if operation is WriteOperation.UPSERT:
                raise out_of_reach(row.given.key)
            message = "No record that you reach has this id."
            row.errors.append(UserError((*row.given.path, "id"), UserErrorCode.NOT_FOUND, message))
        else:
            _require_readable(work, row)
            require_current(row, is_restored=row.given.restores)


def _reject_repeated_records(rows: Sequence[PlannedRow], wanted: Mapping[int, UUID]) -> None:
    """Note rows about the record of an earlier row. Keys that differ lead to one record after a merge."""
    first: dict[UUID, int] = {}
    for place, id_ in wanted.items():
        earlier = first.setdefault(id_, place)
        row = rows[place]
        if earlier != place and row.given.key != rows[earlier].given.key:
            message = f"This external key leads to the same record as that of row {earlier}."
            row.errors.append(UserError((*row.given.path, "external_key"), UserErrorCode.DUPLICATE, message))


def _require_readable(work: UnitOfWork, row: PlannedRow) -> None:
    """Require that the principal may read what it changes: whether a value is CHANGED tells what it was.

    Errors: NOT_ALLOWED.
    """
    for column in row.given.values:
        if not may_read(work.principal, row.shape.name, column):
            raise needs_personal_data(row.shape.name, column, "changes")


def require_current(row: PlannedRow, *, is_restored: bool = False) -> None:
    """Note if the record of a row is deleted or merged, or changed since the version that its caller read."""
    stored, given = row.stored, row.given
    named_by = "id" if given.id is not None else "external_key"
    if stored is None:
        return
    if stored.get(MERGED_INTO) is not None:
        message = "The record was merged into another one. Change that one."
        row.errors.append(UserError((*given.path, named_by), UserErrorCode.MERGED, message))
    if stored.get("deleted_at") is not None and not is_restored:
        message = "The record is deleted. Restore it first."
        row.errors.append(UserError((*given.path, named_by), UserErrorCode.DELETED, message))
    expected = given.expected_version
    if expected is not None and expected != stored["row_version"]:
        message = f"The record has version {stored['row_version']}, not {expected}. Read it again."
        row.errors.append(UserError((*given.path, "expected_version"), UserErrorCode.STALE_VERSION, message))


def _require_values(row: PlannedRow) -> None:
    """Note the columns that a new record needs and that the input does not have."""
    if row.stored is not None:
        return
    wrong = {error.path for error in row.errors}
    for column in settable_columns(row.shape, is_new=True).values():
        needs = not column.is_nullable and not column.has_default
        if needs and row.changes.get(column.name) is None and column.name not in row.given.links:
            before = len(row.errors)
            row.reject(column.name, UserErrorCode.REQUIRED, "A new record needs this field.")
            if row.errors[before].path in wrong:
                del row.errors[before:]


def _compare(work: UnitOfWork, row: PlannedRow) -> None:
    """Leave in `changes` what differs from the stored row, and give new records an id, an owner and a beginning."""
    given, shape = row.given, row.shape
    since = given.effective_at
    problem = past_problem(work, since, (*given.path, "effective_at"))
    if problem is not None:
        row.errors.append(problem)
    if row.stored is None:
        row.changes["id"] = new_id()
        if has_owner(shape.name) and work.principal.reach is Reach.OWN:
            row.changes.setdefault("owner_id", work.principal.member_id)
        if shape.has_history:
            row.changes |= _beginning(work, row)
        return
    stored = row.stored
    row.keep_stored_links()
    former = stored["effective_at"] if shape.has_history else None
    if since is not None and former is not None and since < former:
        message = f"The last change of the record holds since {former}. A later change cannot hold before it."
        row.errors.append(UserError((*given.path, "effective_at"), UserErrorCode.OUT_OF_ORDER, message))
    row.changes = {column: value for column, value in row.changes.items() if stored[column] != value}
    for column in row.changes:
        verb = shape.column(column).note.changed_by
        if verb is not None:
            row.reject(column, UserErrorCode.WRONG_STATE, f"`{verb}` changes this field of an existing record.")
    if given.restores and stored.get("deleted_at") is not None:
        row.changes["deleted_at"] = None


def _beginning(work: UnitOfWork, row: PlannedRow) -> dict[str, object]:
    """Return since when the values of a new record hold: as the caller says, else since its opening, else now."""
    if row.given.effective_at is not None:
        return {"effective_at": row.given.effective_at, "is_assumed": False}
    opened = row.changes.get("opened_at")
    if opened is not None and opened < work.started_at:
        # The values of then are not known: today's are assumed, as for an import without history.
        return {"effective_at": opened, "is_assumed": True}
    return {"effective_at": work.started_at, "is_assumed": False}


async def _write(work: UnitOfWork, shape: TableShape, rows: Sequence[PlannedRow]) -> None:
    """Write all rows at once; if one violates a constraint, write them one by one, to find which."""
    rows = [row for row in rows if row.stored is None or row.changes or _has_new_key(row)]
    if len(rows) == 1 and not rows[0].given.path:
        await _write_one(work, shape, rows[0])  # nothing else is written if it fails
        return
    before = len(work.changes)
    await work.session.script("savepoint rows")
    try:
        await _write_all(work, shape, rows)
    except asyncpg.IntegrityConstraintViolationError:
        await work.session.script("rollback to savepoint rows")
        del work.changes[before:]
        for row in rows:
            await work.session.script("savepoint row")
            if not await _write_one(work, shape, row):
                await work.session.script("rollback to savepoint row")


async def _write_one(work: UnitOfWork, shape: TableShape, row: PlannedRow) -> bool:
    try:
        await _write_all(work, shape, [row])
    except asyncpg.IntegrityConstraintViolationError as error:
        row.errors.append(constraint_error(shape, row.given.path, error))
        return False
    return True


async def _write_all(work: UnitOfWork, shape: TableShape, rows: Sequence[PlannedRow]) -> None:
    new = [row for row in rows if row.stored is None]
    if new:
        await insert_rows(work, shape.name, [row.changes for row in new])
    updates = [_update(row, row.stored) for row in rows if row.stored is not None and row.changes]
    if updates:
        await update_rows(work, shape.name, updates)
    await _register_keys(work, shape.name, rows)


def _update(row: PlannedRow, stored: StoredRow) -> RowUpdate:
    is_restored = row.changes.get("deleted_at", False) is None
    change_type = ChangeType.RESTORED if is_restored else ChangeType.CHANGED
    return RowUpdate(stored, row.changes, row.given.effective_at, change_type)


def _has_new_key(row: PlannedRow) -> bool:
    return row.given.key is not None and not row.has_key


async def _register_keys(work: UnitOfWork, table: str, rows: Sequence[PlannedRow]) -> None:
    ids = {row.given.key: row.id for row in rows if _has_new_key(row) and row.given.key and row.id}
    await register_keys(work, table, ids, {row.changes["id"] for row in rows if row.stored is None})


async def register_keys(
    work: UnitOfWork, table: str, ids: Mapping[ExternalKeyValue, UUID], new: Collection[UUID]
) -> None:
    """Store the external keys of records, of which some are `new`.

    Errors: StartAgain if another transaction made a record with the key of a new one since it was looked up.
    """
    if not ids:
        return
    registered = await work.session.rows(
        Sql(
            "insert into external_key as k (entity, source, external_id, record_id)"
            " select {}::text, * from unnest({}::text[], {}::text[], {}::uuid[])"
            " on conflict (entity, source, external_id) do update set record_id = k.record_id"
            " returning source, external_id, record_id",
            *(table, [key.source for key in ids], [key.external_id for key in ids], list(ids.values())),
        )
    )
    found = {ExternalKeyValue(row["source"], row["external_id"]): row["record_id"] for row in registered}
    if any(found[key] != id_ for key, id_ in ids.items() if id_ in new):
        raise StartAgain


def reject_repeated_keys(rows: Sequence[PlannedRow]) -> None:
    """Note external keys that cannot be stored, or that an earlier row has."""
    first: dict[ExternalKeyValue, PlannedRow] = {}
    for row in rows:
        key = row.given.key
        if key is None:
            continue
        if key.problem is not None:
            row.errors.append(UserError((*row.given.path, "external_key"), UserErrorCode.INVALID, key.problem))
        elif first.setdefault(key, row) is not row:
            message = "Another row of the input has this external key."
            row.errors.append(UserError((*row.given.path, "external_key"), UserErrorCode.DUPLICATE, message))


async def _reject_taken_keys(
    work: UnitOfWork, shape: TableShape, rows: Sequence[PlannedRow], taken: Mapping[int, UUID]
) -> None:
    """Note external keys that belong to another record. Errors: NOT_ALLOWED if the principal does not reach it."""
    reached = await reached_rows(work, shape.name, set(taken.values()))
    for place, id_ in taken.items():
        row = rows[place]
        if id_ not in reached:
            raise out_of_reach(row.given.key)
        message = "Another record has this external key; it may be a deleted one."
        row.errors.append(UserError((*row.given.path, "external_key"), UserErrorCode.DUPLICATE, message))


def out_of_reach(key: ExternalKeyValue | None) -> AccordError:
    """Return the error for an external key of a record that the principal does not reach."""
    named = "this external key" if key is None else f"the external key '{key.external_id}' of '{key.source}'"
    return AccordError(
        ErrorCode.NOT_ALLOWED,
        f"A record with {named} exists, and you do not reach it.",
        "Ask its owner, or somebody who reaches it, to write it.",
    )


def _outcome(row: PlannedRow) -> RowOutcome:
    if row.errors:
        return RowOutcome(None, WriteStatus.REJECTED, tuple(row.errors))
    if row.stored is None:
        return RowOutcome(row.id, WriteStatus.CREATED)
    return RowOutcome(row.id, WriteStatus.CHANGED if row.changes else WriteStatus.UNCHANGED)

"""Checks that verbs share: the records that a command names, and its texts, amounts and instants."""

from datetime import datetime

from api.workflows.records.past_instants import past_problem
from api.workflows.records.record_input import Reference
from api.workflows.records.references import link_problem, resolve_references
from api.workflows.records.stored_rows import StoredRow, keyed_ids, lock_rows
from api.workflows.records.values import InvalidValueError, stored_value
from api.workflows.unit_of_work import UnitOfWork
from schema.tables import SHAPES
from schema.writes.user_errors import UserErrorCode


async def lock_named(
    work: UnitOfWork, table: str, reference: Reference, expected_version: int | None = None
) -> StoredRow | None:
    """Return the record that a command's field of the table's name names, locked; None if it cannot be changed.

    Why it cannot is noted: it is not reached, deleted, merged or deactivated, or it has another version.
    """
    id_ = reference.id
    if id_ is None and reference.key is not None:
        id_ = (await keyed_ids(work, table, [reference.key])).get(reference.key)
    row = None if id_ is None else (await lock_rows(work, table, [id_])).get(id_)
    problem = link_problem(row, (table,))
    if problem is not None:
        work.errors.append(problem)
    elif row is not None and expected_version is not None and expected_version != row["row_version"]:
        message = f"The record has version {row['row_version']}, not {expected_version}. Read it again."
        work.reject(("expected_version",), UserErrorCode.STALE_VERSION, message)
    return None if problem is not None else row


async def linked_row(
    work: UnitOfWork, table: str, reference: Reference | None, field: str, columns: tuple[str, ...] = ()
) -> StoredRow | None:
    """Return the record that a field of a command names; None if it names none, or one that is not in use (noted)."""
    if reference is None:
        return None
    found = (await resolve_references(work, table, [reference], columns)).get(reference)
    problem = link_problem(found, (field,))
    if problem is not None:
        work.errors.append(problem)
        return None
    return found


def checked_value(work: UnitOfWork, table: str, column: str, value: object, field: str) -> object:
    """Return the value of a field in the form that the column stores; None if it is wrong, which is noted."""
    if value is None:
        return None
    try:
        return stored_value(SHAPES[table].column(column), value)
    except InvalidValueError as error:
        work.reject((field,), error.code, error.reason)
        return None


def require_past(work: UnitOfWork, instant: datetime | None, field: str) -> None:
    """Note if the instant of a field is in the future, or out of range."""
    problem = past_problem(work, instant, (field,))
    if problem is not None:
        work.errors.append(problem)

"""Logging touchpoints: one or many, in a fixed number of statements.

A touchpoint is a fact: it is logged once, and never edited. The external key decides whether it was logged before.
"""

from collections.abc import Sequence

from api.sql import Sql
from api.workflows.outcome import Outcome, RowOutcome
from api.workflows.records.past_instants import past_problem
from api.workflows.records.planned_row import PlannedRow
from api.workflows.records.record_input import RecordInput, field_name, settable_columns
from api.workflows.records.references import resolve_links
from api.workflows.records.row_writer import insert_rows
from api.workflows.records.stored_rows import keyed_ids, reached_rows, survivors_of
from api.workflows.records.values import InvalidValueError, stored_value
from api.workflows.records.write_records import out_of_reach, register_keys, reject_repeated_keys
from api.workflows.unit_of_work import UnitOfWork
from api.workflows.user_errors import UserError
from schema.base import new_id
from schema.tables import SHAPES
from schema.writes.user_errors import UserErrorCode
from schema.writes.write_status import WriteStatus

TABLE = "touchpoint"
_SHAPE = SHAPES[TABLE]
_COLUMNS = settable_columns(_SHAPE, is_new=True)
# What a touchpoint needs, and nothing else decides.
_REQUIRED = ("contact_id", "kind", "direction")


async def log_touchpoint(work: UnitOfWork, given: RecordInput) -> Outcome:
    """Log one touchpoint, as `log_touchpoints` does.

    Shapes: one row -> its outcome. Errors: those of the row, as user errors.
    """
    [logged] = await log_touchpoints(work, [given])
    work.errors += logged.errors
    work.require_valid()
    return Outcome({TABLE: logged.record_id}, values={"status": logged.status.value})


async def log_touchpoints(work: UnitOfWork, rows: Sequence[RecordInput]) -> list[RowOutcome]:
    """Log touchpoints. Rows that are wrong are not written, and their outcome says why.

    Left out, the instant is now, the member is the caller, and the kind of team is that of the member's team. A row
    whose external key has a touchpoint with the same values changes nothing.

    Shapes: rows -> an outcome for each, in their order. Writes touchpoint and external_key.
    Units:  instants UTC; durations in seconds.
    Errors: NOT_ALLOWED if an external key names a touchpoint that the principal does not reach; StartAgain if another
            transaction logged the same external key meanwhile. User errors REQUIRED, INVALID, NOT_FOUND, DELETED,
            MERGED, INACTIVE, IN_FUTURE, DUPLICATE, WRONG_STATE.
    """
    planned = [_planned(row) for row in rows]
    links, link_errors = await resolve_links(work, _SHAPE, rows)
    for row, resolved, errors in zip(planned, links, link_errors, strict=True):
        row.changes |= resolved
        row.errors += errors
    reject_repeated_keys(planned)
    await _find_logged(work, planned)
    for row in planned:
        if row.stored is None:
            _complete(work, row)
        else:
            row.keep_stored_links()
            _require_same(row)
    await _insert(work, [row for row in planned if row.stored is None and not row.errors])
    return [_outcome(row) for row in planned]


def _planned(given: RecordInput) -> PlannedRow:
    row = PlannedRow(_SHAPE, given, errors=list(given.errors))
    for column, value in given.values.items():
        # Null leaves a column to its default, as absence does.
        if value is None:
            continue
        try:
            row.changes[column] = stored_value(_COLUMNS[column], value)
        except InvalidValueError as error:
            row.reject(column, error.code, error.reason)
    return row


async def _find_logged(work: UnitOfWork, rows: Sequence[PlannedRow]) -> None:
    """Find the touchpoints that were logged under the external keys of rows."""
    ids = await keyed_ids(work, TABLE, [row.given.key for row in rows if row.given.key is not None])
    columns = tuple(column.name for column in _SHAPE.columns)
    stored = await reached_rows(work, TABLE, set(ids.values()), columns)
    survivors = await survivors_of(work, "contact", {row["contact_id"] for row in stored.values()})
    for row in rows:
        id_ = ids.get(row.given.key) if row.given.key is not None else None
        if id_ is None:
            continue
        if id_ not in stored:
            raise out_of_reach(row.given.key)
        person = stored[id_]["contact_id"]
        row.stored = {**stored[id_], "contact_id": survivors.get(person, person)}


def _complete(work: UnitOfWork, row: PlannedRow) -> None:
    """Fill in the instant and the member of a new touchpoint, and note what it needs and what is in the future."""
    wrong = {error.path[: len(row.given.path) + 1] for error in row.errors}
    for column in _REQUIRED:
        path = (*row.given.path, field_name(_SHAPE, column))
        if row.changes.get(column) is None and path not in wrong:
            row.errors.append(UserError(path, UserErrorCode.REQUIRED, "A touchpoint needs this field."))
    occurred_at = row.changes.setdefault("occurred_at", work.started_at)
    problem = past_problem(work, occurred_at, (*row.given.path, "occurred_at"))
    if problem is not None:
        row.errors.append(problem)
    if "member_id" not in row.given.links:
        row.changes["member_id"] = work.principal.member_id
    row.changes["id"] = new_id()


def _require_same(row: PlannedRow) -> None:
    """Note if the touchpoint with the external key of a row was voided, or if the row has other values."""
    if row.value("voided_at") is not None:
        message = "The touchpoint with this external key was voided. If it is true, log it under another key."
        _reject_key(row, UserErrorCode.WRONG_STATE, message)
    elif not row.errors and any(row.stored is None or row.stored[it] != value for it, value in row.changes.items()):
        message = (
            "A touchpoint with this external key has other values. Facts are not edited: void it, and log another."
        )
        _reject_key(row, UserErrorCode.DUPLICATE, message)


def _reject_key(row: PlannedRow, code: UserErrorCode, message: str) -> None:
    row.errors.append(UserError((*row.given.path, "external_key"), code, message))


async def _insert(work: UnitOfWork, rows: Sequence[PlannedRow]) -> None:
    if not rows:
        return
    await _fill_team_kinds(work, rows)
    await insert_rows(work, TABLE, [row.changes for row in rows])
    ids = {row.given.key: row.changes["id"] for row in rows if row.given.key is not None}
    await register_keys(work, TABLE, ids, set(ids.values()))


async def _fill_team_kinds(work: UnitOfWork, rows: Sequence[PlannedRow]) -> None:
    """Give touchpoints without a kind of team that of the team in which their member works."""
    unknown = [row for row in rows if row.changes.get("team_kind") is None and row.changes.get("member_id") is not None]
    if not unknown:
        return
    found = await work.session.rows(
        Sql(
            "select m.id, t.kind from member m join team t on t.id = m.team_id where m.id = any({}::uuid[])",
            list({row.changes["member_id"] for row in unknown}),
        )
    )
    kinds = {row["id"]: row["kind"] for row in found}
    for row in unknown:
        row.changes["team_kind"] = kinds.get(row.changes["member_id"])


def _outcome(row: PlannedRow) -> RowOutcome:
    if row.errors:
        return RowOutcome(None, WriteStatus.REJECTED, tuple(row.errors))
    return RowOutcome(row.id, WriteStatus.CREATED if row.stored is None else WriteStatus.UNCHANGED)

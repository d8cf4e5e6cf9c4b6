"""A deal that a verb changes: found, locked and written, with its pipeline stage."""

from collections.abc import Mapping
from datetime import datetime

from api.workflows.outcome import Outcome
from api.workflows.records.record_input import RecordInput, Reference
from api.workflows.records.references import link_problem, resolve_references
from api.workflows.records.row_writer import update_rows
from api.workflows.records.stored_rows import StoredRow, lock_rows
from api.workflows.records.table_rules import CLOCK_SKEW, PlannedRow
from api.workflows.records.write_records import require_current
from api.workflows.unit_of_work import UnitOfWork
from schema.tables import SHAPES
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode
from schema.writes.write_status import WriteStatus


async def lock_deal(work: UnitOfWork, reference: Reference, expected_version: int | None) -> StoredRow | None:
    """Return the deal that a reference names, locked; None if it cannot be changed, which is noted."""
    found = (await resolve_references(work, "deal", [reference])).get(reference)
    deal = None if found is None else (await lock_rows(work, "deal", [found["id"]])).get(found["id"])
    if deal is None:
        work.reject(("deal",), UserErrorCode.NOT_FOUND, "No deal that you reach has this id or external key.")
        return None
    row = PlannedRow(SHAPES["deal"], RecordInput(id=deal["id"], expected_version=expected_version), deal)
    require_current(row)
    work.errors += row.errors
    return deal


async def pipeline_stage_of(work: UnitOfWork, reference: Reference) -> StoredRow | None:
    """Return the pipeline stage that a reference names; None if it is not in use, which is noted."""
    columns = ("pipeline_id", "category", "rank")
    found = (await resolve_references(work, "pipeline_stage", [reference], columns)).get(reference)
    problem = link_problem(found, ("pipeline_stage",))
    if problem is not None:
        work.errors.append(problem)
        return None
    return found


def require_since(work: UnitOfWork, row: StoredRow, since: datetime | None) -> None:
    """Note if a change would hold since an instant in the future, or before the last change of the record."""
    if since is None:
        return
    if since > work.started_at + CLOCK_SKEW:
        work.reject(("effective_at",), UserErrorCode.IN_FUTURE, f"{since} is in the future.")
    elif row["effective_at"] is not None and since < row["effective_at"]:
        message = f"The last change of the record holds since {row['effective_at']}. A later one cannot hold before it."
        work.reject(("effective_at",), UserErrorCode.OUT_OF_ORDER, message)


async def write_deal(
    work: UnitOfWork, deal: StoredRow | None, values: Mapping[str, object], since: datetime | None
) -> Outcome:
    """Write what differs of a locked deal, and record the change."""
    if deal is None:
        raise TypeError("a valid command has a deal")
    changed = {column: value for column, value in values.items() if deal[column] != value}
    status = WriteStatus.CHANGED if changed else WriteStatus.UNCHANGED
    if changed:
        await update_rows(work, "deal", [{"id": deal["id"], **changed, "effective_at": since}])
        before = {column: deal[column] for column in changed}
        work.record(ChangeType.CHANGED, "deal", deal["id"], before=before, after=changed)
    return Outcome({"deal": deal["id"]}, values={"status": status.value})

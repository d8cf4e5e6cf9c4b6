"""A deal that a verb changes: found, locked and written, with its pipeline stage."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from api.sql import Sql
from api.workflows.outcome import Outcome
from api.workflows.records.command_checks import lock_named, require_past
from api.workflows.records.record_input import Reference
from api.workflows.records.references import link_problem, resolve_references
from api.workflows.records.row_writer import RowUpdate, update_rows
from api.workflows.records.stored_rows import StoredRow
from api.workflows.unit_of_work import UnitOfWork
from schema.vocab import DealOutcome
from schema.writes.user_errors import UserErrorCode
from schema.writes.write_status import WriteStatus

_STEP = timedelta(microseconds=1)  # the resolution of a timestamp


async def lock_deal(work: UnitOfWork, reference: Reference, expected_version: int | None) -> StoredRow | None:
    """Return the deal that a reference names, locked; None if it cannot be changed, which is noted."""
    return await lock_named(work, "deal", reference, expected_version)


def require_open(work: UnitOfWork, deal: StoredRow) -> None:
    """Note if a deal is closed."""
    if deal["outcome"] != DealOutcome.OPEN:
        work.reject(("deal",), UserErrorCode.WRONG_STATE, f"The deal is {deal['outcome']}. Reopen it first.")


async def pipeline_stage_of(work: UnitOfWork, reference: Reference, deal: StoredRow | None) -> StoredRow | None:
    """Return the pipeline stage that a reference names; None if it is not in use, which is noted.

    A stage of a deactivated pipeline is in use for the deals that are in that pipeline, and for no others.
    """
    columns = ("pipeline_id", "category", "rank")
    present = Reference(deal["pipeline_stage_id"]) if deal is not None else reference
    found = await resolve_references(work, "pipeline_stage", [reference, present], columns)
    stage, former = found.get(reference), found.get(present)
    problem = link_problem(stage, ("pipeline_stage",))
    if problem is not None:
        work.errors.append(problem)
        return None
    if stage is None or deal is None or (former is not None and stage["pipeline_id"] == former["pipeline_id"]):
        return stage
    if await work.session.value(
        Sql("select deactivated_at is not null from pipeline where id = {}::uuid", stage["pipeline_id"])
    ):
        message = "The pipeline of this stage is deactivated. Name a stage of one that is in use."
        work.reject(("pipeline_stage",), UserErrorCode.INACTIVE, message)
        return None
    return stage


def require_since(work: UnitOfWork, row: StoredRow, since: datetime | None, field: str = "effective_at") -> None:
    """Note if a change would hold since an instant in the future, or before the last change of the record."""
    require_past(work, since, field)
    if since is not None and row["effective_at"] is not None and since < row["effective_at"]:
        message = f"The last change of the record holds since {row['effective_at']}. A later one cannot hold before it."
        work.reject((field,), UserErrorCode.OUT_OF_ORDER, message)


def now_after(work: UnitOfWork, row: StoredRow) -> datetime:
    """Return the instant of a change that is made now, after the last change of the record."""
    former = row["effective_at"]
    # Another transaction that began later may have committed first.
    return work.started_at if former is None else max(work.started_at, former + _STEP)


async def write_deal(
    work: UnitOfWork, deal: StoredRow | None, values: Mapping[str, object], since: datetime | None
) -> Outcome:
    """Write what differs of a locked deal, and record the change."""
    if deal is None:
        raise TypeError("a valid command has a deal")
    changed = {column: value for column, value in values.items() if deal[column] != value}
    status = WriteStatus.CHANGED if changed else WriteStatus.UNCHANGED
    if changed:
        await update_rows(work, "deal", [RowUpdate(deal, changed, since)])
    return Outcome({"deal": deal["id"]}, values={"status": status.value})

"""Reopening a deal that was won or lost."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.sql import Sql
from api.workflows.commands import argument
from api.workflows.deals.locked_deal import lock_deal, now_after, require_since, write_deal
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.records.stored_rows import StoredRow
from api.workflows.unit_of_work import UnitOfWork
from schema.vocab import DealOutcome
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class ReopenDeal:
    """The deal to reopen."""

    deal: Reference = argument("The deal.", table="deal")
    expected_version: int | None = argument(
        "The version of the deal that you read; not compared if left out.", default=None
    )
    effective_at: datetime | None = argument(
        "When the deal was reopened, if that was earlier than now. Not before the last change of it.", default=None
    )


async def reopen_deal(work: UnitOfWork, do: ReopenDeal) -> Outcome:
    """Reopen a closed deal, in the last open stage that it was in. The closing stays in its history. Without such a
    stage, or if it is deactivated, the deal has none until `moveDeal` gives it one.

    Shapes: one deal -> its outcome. Writes deal (1), deal_version (1).
    Errors: user errors NOT_FOUND, DELETED, STALE_VERSION, WRONG_STATE, OUT_OF_ORDER, IN_FUTURE.
    """
    deal = await lock_deal(work, do.deal, do.expected_version)
    since, stage = do.effective_at, None
    if deal is not None:
        if deal["outcome"] == DealOutcome.OPEN:
            work.reject(("deal",), UserErrorCode.WRONG_STATE, "The deal is open already.")
        require_since(work, deal, since)
        since = since or now_after(work, deal)
        stage = await _last_open_stage(work, deal)
    work.require_valid()
    values = {
        "outcome": DealOutcome.OPEN.value,
        "closed_at": None,
        "lost_reason": None,
        "pipeline_stage_id": stage,
    }
    return await write_deal(work, deal, values, since)


async def _last_open_stage(work: UnitOfWork, deal: StoredRow) -> UUID | None:
    """Return the last open stage that the deal was in for any time; None if there is none that is in use."""
    found = await work.session.row(
        Sql(
            "select s.id, s.deactivated_at from deal_version v join pipeline_stage s on s.id = v.pipeline_stage_id"
            " where v.deal_id = {}::uuid and s.category = {} and v.valid_from is distinct from v.valid_to"
            " order by v.valid_from desc nulls last, v.id desc limit 1",
            *(deal["id"], DealOutcome.OPEN.value),
        )
    )
    return found["id"] if found is not None and found["deactivated_at"] is None else None

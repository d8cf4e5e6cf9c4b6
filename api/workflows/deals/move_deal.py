"""Moving an open deal to another open stage of a pipeline."""

from dataclasses import dataclass
from datetime import datetime

from api.workflows.commands import argument
from api.workflows.deals.locked_deal import lock_deal, pipeline_stage_of, require_open, require_since, write_deal
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.vocab import StageCategory
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class MoveDeal:
    """The deal and the stage to move it to."""

    deal: Reference = argument("The deal.", table="deal")
    pipeline_stage: Reference = argument("The open stage to move the deal to.", table="pipeline_stage")
    expected_version: int | None = argument(
        "The version of the deal that you read; not compared if left out.", default=None
    )
    effective_at: datetime | None = argument("When the deal moved, if that was earlier than now.", default=None)


async def move_deal(work: UnitOfWork, do: MoveDeal) -> Outcome:
    """Move an open deal to another open stage. `closeDeal` moves it to a stage that is won or lost.

    Shapes: one deal -> its outcome. Writes deal (1), deal_version (1).
    Errors: user errors NOT_FOUND, DELETED, STALE_VERSION, WRONG_STATE, INACTIVE, OUT_OF_ORDER, IN_FUTURE.
    """
    deal = await lock_deal(work, do.deal, do.expected_version)
    stage = await pipeline_stage_of(work, do.pipeline_stage, deal)
    if deal is not None:
        require_open(work, deal)
        require_since(work, deal, do.effective_at)
    if stage is not None and stage["category"] != StageCategory.OPEN:
        message = f"Deals in this stage are {stage['category']}. Use closeDeal."
        work.reject(("pipeline_stage",), UserErrorCode.WRONG_STATE, message)
    work.require_valid()
    return await write_deal(work, deal, {"pipeline_stage_id": stage and stage["id"]}, do.effective_at)

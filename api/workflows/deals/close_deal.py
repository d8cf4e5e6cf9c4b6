"""Closing an open deal: it is won, or lost for a reason."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.sql import Sql
from api.workflows.commands import MoneyValue, argument
from api.workflows.deals.locked_deal import (
    lock_deal,
    now_after,
    pipeline_stage_of,
    require_open,
    require_since,
    write_deal,
)
from api.workflows.outcome import Outcome
from api.workflows.records.command_checks import checked_value
from api.workflows.records.record_input import Reference
from api.workflows.records.stored_rows import StoredRow
from api.workflows.unit_of_work import UnitOfWork
from schema.writes.deal_closing import DealClosing
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class CloseDeal:
    """The deal, and how it ended."""

    deal: Reference = argument("The deal.", table="deal")
    outcome: DealClosing = argument("Whether the deal was won or lost.")
    reason: str | None = argument(
        "Why the deal was lost, in your words. Required if it was lost; left out if it was won.", default=None
    )
    closed_at: datetime | None = argument(
        "When the deal was won or lost; by default now. Not before it was opened, nor before the last change of it.",
        default=None,
    )
    amount: MoneyValue | None = argument(
        "The final amount, if it differs from that of the deal. It holds since the closing.", default=None
    )
    pipeline_stage: Reference | None = argument(
        "The stage to move the deal to. Needed only if several stages of the deal's pipeline are won, or lost.",
        table="pipeline_stage",
        default=None,
    )
    expected_version: int | None = argument(
        "The version of the deal that you read; not compared if left out.", default=None
    )


async def close_deal(work: UnitOfWork, do: CloseDeal) -> Outcome:
    """Close an open deal as won, or as lost with a reason, and move it to the stage of that outcome in its pipeline.
    A deal without a pipeline stage gets one only if the input names it.

    Shapes: one deal -> its outcome. Writes deal (1), deal_version (1); the new version holds since the closing.
    Units:  instants UTC; the amount in the currency beside it.
    Errors: user errors NOT_FOUND, DELETED, STALE_VERSION, WRONG_STATE, REQUIRED (reason; stage, with the candidates),
            INACTIVE, INVALID, TOO_LONG, OUT_OF_ORDER, IN_FUTURE.
    """
    deal = await lock_deal(work, do.deal, do.expected_version)
    values: dict[str, object] = {"outcome": do.outcome.value, "lost_reason": _reason(work, do)}
    if do.amount is not None:
        values["amount"] = checked_value(work, "deal", "amount", do.amount.amount, "amount")
        values["currency"] = do.amount.currency.value
    closed_at = do.closed_at
    if deal is not None:
        require_open(work, deal)
        closed_at = closed_at or now_after(work, deal)
        _require_order(work, deal, closed_at)
        values["pipeline_stage_id"] = await _closing_stage(work, deal, do)
    work.require_valid()
    return await write_deal(work, deal, {**values, "closed_at": closed_at}, closed_at)


def _reason(work: UnitOfWork, do: CloseDeal) -> object:
    if do.outcome is DealClosing.LOST and do.reason is None:
        work.reject(("reason",), UserErrorCode.REQUIRED, "A lost deal needs the reason for which it was lost.")
    elif do.outcome is DealClosing.WON and do.reason is not None:
        message = "A won deal has no reason for which it was lost. Leave the field out."
        work.reject(("reason",), UserErrorCode.INVALID, message)
    return checked_value(work, "deal", "lost_reason", do.reason, "reason")


def _require_order(work: UnitOfWork, deal: StoredRow, closed_at: datetime) -> None:
    opened_at = deal["opened_at"]
    if opened_at is not None and closed_at < opened_at:
        message = f"The deal was opened at {opened_at}. It cannot be closed before."
        work.reject(("closed_at",), UserErrorCode.OUT_OF_ORDER, message)
    else:
        require_since(work, deal, closed_at, "closed_at")


async def _closing_stage(work: UnitOfWork, deal: StoredRow, do: CloseDeal) -> UUID | None:
    """Return the stage that the closed deal is in; None if it is in none, or if no stage fits, which is noted."""
    category = do.outcome.value
    pipeline: UUID | None = await work.session.value(
        Sql("select pipeline_id from pipeline_stage where id = {}::uuid", deal["pipeline_stage_id"])
    )
    if do.pipeline_stage is not None:
        stage = await pipeline_stage_of(work, do.pipeline_stage, deal)
        return None if stage is None else _require_fitting(work, stage, category, pipeline)
    if pipeline is None:
        return None
    fitting = await work.session.rows(
        Sql(
            "select id, name from pipeline_stage where pipeline_id = {}::uuid and category = {}"
            " and deactivated_at is null order by rank, name",
            *(pipeline, category),
        )
    )
    if not fitting:
        message = f"No stage in use of the deal's pipeline is {category}. Create one, or reactivate one."
        work.reject(("pipeline_stage",), UserErrorCode.WRONG_STATE, message)
    elif len(fitting) > 1:
        names = ", ".join(stage["name"] for stage in fitting)
        message = f"Several stages of the deal's pipeline are {category}: {names}. Name one of them."
        work.reject(("pipeline_stage",), UserErrorCode.REQUIRED, message)
    return fitting[0]["id"] if fitting else None


def _require_fitting(work: UnitOfWork, stage: StoredRow, category: str, pipeline: UUID | None) -> UUID:
    """Return the id of a stage; note if it is one of another outcome or pipeline than those of the deal."""
    if stage["category"] != category:
        message = f"Deals in this stage are {stage['category']}, and not {category}."
        work.reject(("pipeline_stage",), UserErrorCode.WRONG_STATE, message)
    elif pipeline not in (None, stage["pipeline_id"]):
        message = "This stage belongs to another pipeline than that of the deal."
        work.reject(("pipeline_stage",), UserErrorCode.WRONG_STATE, message)
    found: UUID = stage["id"]
    return found

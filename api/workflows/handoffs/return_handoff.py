"""Returning a handoff that lacks data."""

from dataclasses import dataclass

from api.workflows.commands import argument
from api.workflows.handoffs.decision import decide
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.vocab import HandoffStatus


@dataclass(frozen=True, slots=True)
class ReturnHandoff:
    """The handoff to return, and what is missing."""

    handoff: Reference = argument("The undecided handoff.", table="handoff")
    reason: str = argument("The code of a reason of the accord in force whose disposition is RETURN_FOR_DATA.")
    note: str | None = argument("A note on what is missing.", default=None)


async def return_handoff(work: UnitOfWork, do: ReturnHandoff) -> Outcome:
    """Return a handoff to marketing because data is missing or wrong. It is neither accepted nor rejected, and ends no
    stage. `resubmitHandoff` hands the person over again. For the assigned member, their team, and operators. A
    person whom the assigned member owns goes back to who owned them before the handing over.

    Shapes: one handoff -> its outcome. Writes handoff (1), contact (at most 1).
    Errors: those of `decide`.
    """
    return await decide(work, do.handoff, HandoffStatus.RETURNED, note=do.note, reason=do.reason)

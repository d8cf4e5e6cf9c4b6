"""Rejecting a handoff, for a reason of the accord."""

from dataclasses import dataclass

from api.workflows.commands import argument
from api.workflows.handoffs.decision import decide
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.vocab import HandoffStatus


@dataclass(frozen=True, slots=True)
class RejectHandoff:
    """The handoff to reject, and why."""

    handoff: Reference = argument("The undecided handoff.", table="handoff")
    reason: str = argument(
        "The code of a reject reason of the accord in force, as `accord { rejectReasons { code } }` lists them."
    )
    note: str | None = argument("A note on the decision.", default=None)


async def reject_handoff(work: UnitOfWork, do: RejectHandoff) -> Outcome:
    """Reject a handoff for a reason of the accord, which recycles or disqualifies the person. A reason that asks for
    data belongs to `returnHandoff`. For the assigned member, their team, and operators. A person whom the
    assigned member owns goes back to who owned them before the handing over.

    Shapes: one handoff -> its outcome. Writes handoff (1), contact (at most 1).
    Errors: those of `decide`.
    """
    return await decide(work, do.handoff, HandoffStatus.REJECTED, note=do.note, reason=do.reason)

"""Accepting a handoff."""

from dataclasses import dataclass

from api.workflows.commands import argument
from api.workflows.handoffs.decision import decide
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.vocab import HandoffStatus


@dataclass(frozen=True, slots=True)
class AcceptHandoff:
    """The handoff to accept."""

    handoff: Reference = argument("The undecided handoff.", table="handoff")
    note: str | None = argument("A note on the decision.", default=None)


async def accept_handoff(work: UnitOfWork, do: AcceptHandoff) -> Outcome:
    """Accept a handoff: sales takes the person on. For the assigned member, their team, and operators. The member who
    accepts owns the person from then on; if an operator accepts, the assigned member does.

    Shapes: one handoff -> its outcome. Writes handoff (1), contact (at most 1).
    Errors: those of `decide`.
    """
    return await decide(work, do.handoff, HandoffStatus.ACCEPTED, note=do.note)

"""Voiding a touchpoint that did not happen, or not so."""

from dataclasses import dataclass

from api.sql import Sql
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.records.command_checks import checked_value, lock_named
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class VoidTouchpoint:
    """The touchpoint, and why it is wrong."""

    touchpoint: Reference = argument("The touchpoint.", table="touchpoint")
    reason: str = argument("Why the touchpoint is wrong, in your words. The audit keeps it.")


async def void_touchpoint(work: UnitOfWork, do: VoidTouchpoint) -> Outcome:
    """Void a touchpoint that is wrong: nothing lists or counts it any more, also as of earlier instants. It cannot be
    restored; if it was right after all, log it again.

    Shapes: one touchpoint -> its outcome. Writes touchpoint (1).
    Errors: user errors NOT_FOUND, WRONG_STATE, INVALID, TOO_LONG.
    """
    touchpoint = await lock_named(work, "touchpoint", do.touchpoint)
    reason = checked_value(work, "touchpoint", "void_reason", do.reason, "reason")
    if touchpoint is not None and touchpoint["voided_at"] is not None:
        message = f"The touchpoint was voided already, at {touchpoint['voided_at']}."
        work.reject(("touchpoint",), UserErrorCode.WRONG_STATE, message)
    work.require_valid()
    if touchpoint is None:
        raise TypeError("a valid command has a touchpoint")
    id_, contact_id = touchpoint["id"], touchpoint["contact_id"]
    after = {"voided_at": work.started_at, "void_reason": reason}
    await work.session.run(
        Sql(
            "update touchpoint set voided_at = {}, void_reason = {} where contact_id = {} and id = {}",
            *(*after.values(), contact_id, id_),
        )
    )
    work.record(ChangeType.DELETED, "touchpoint", id_, after=after, contact_id=contact_id)
    return Outcome({"contact": contact_id}, values={"voided_id": f"touchpoint_{id_}"})

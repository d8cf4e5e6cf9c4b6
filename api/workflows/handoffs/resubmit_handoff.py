"""Handing a person over again whose handoff was returned."""

from dataclasses import dataclass
from uuid import UUID

from api.sql import Sql
from api.workflows.commands import argument
from api.workflows.handoffs.hand_off import insert_handoff, require_no_open_handoff
from api.workflows.outcome import Outcome
from api.workflows.records.command_checks import checked_value, linked_row, lock_named
from api.workflows.records.record_input import Reference
from api.workflows.records.references import resolve_references
from api.workflows.records.stored_rows import StoredRow, merged_ids, survivors_of
from api.workflows.unit_of_work import UnitOfWork
from schema.vocab import HandoffStatus
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class ResubmitHandoff:
    """The returned handoff."""

    handoff: Reference = argument("The handoff that sales returned.", table="handoff")
    why: str | None = argument(
        "The facts that qualified the person, with what was missing; by default those of the returned handoff.",
        default=None,
    )
    assigned_to: Reference | None = argument(
        "The salesperson who decides; by default the one who returned it.", table="member", default=None
    )


async def resubmit_handoff(work: UnitOfWork, do: ResubmitHandoff) -> Outcome:
    """Hand a person over again, after the data was completed. The payload has the new handoff; the returned one stays.

    Shapes: one returned handoff -> the new one. Writes handoff (1), with the version of the accord in force.
    Errors: user errors NOT_FOUND, DELETED, INACTIVE, WRONG_STATE (not returned, or resubmitted already), INVALID,
            TOO_LONG.
    """
    why = checked_value(work, "handoff", "why", do.why, "why")
    columns = ("contact_id", "status", "handed_at", "assigned_to_id", "why")
    returned = (await resolve_references(work, "handoff", [do.handoff], columns)).get(do.handoff)
    contact, assigned_to = None, do.assigned_to
    if returned is None:
        message = "No handoff that you reach has this id or external key."
        work.reject(("handoff",), UserErrorCode.NOT_FOUND, message)
    else:
        contact = await _lock_person(work, returned)
        if assigned_to is None and returned["assigned_to_id"] is not None:
            assigned_to = Reference(id=returned["assigned_to_id"])
    assigned = await linked_row(work, "member", assigned_to, "assigned_to")
    work.require_valid()
    if returned is None:
        raise TypeError("a valid command has a handoff")
    return await insert_handoff(work, contact, assigned, why or returned["why"])


async def _lock_person(work: UnitOfWork, returned: StoredRow) -> StoredRow | None:
    """Lock the person of a handoff, and note if it cannot be resubmitted.

    Whatever hands a person over locks them first, so no other handoff comes between.
    """
    own: UUID = returned["contact_id"]
    person = (await survivors_of(work, "contact", {own})).get(own, own)
    before = len(work.errors)
    contact = await lock_named(work, "contact", Reference(id=person))
    if contact is None or len(work.errors) > before:
        return None
    if returned["status"] != HandoffStatus.RETURNED:
        message = f"The handoff is {returned['status']}. Only one that sales returned can be resubmitted."
        work.reject(("handoff",), UserErrorCode.WRONG_STATE, message)
        return contact
    await require_no_open_handoff(work, contact, "handoff")
    if len(work.errors) > before:
        return contact
    is_superseded = await work.session.value(
        Sql(
            "select exists (select from handoff where contact_id = any({}::uuid[]) and handed_at > {})",
            *(await merged_ids(work, "contact", person), returned["handed_at"]),
        )
    )
    if is_superseded:
        message = "The person was handed over again since. Use `handOff` to hand them over once more."
        work.reject(("handoff",), UserErrorCode.WRONG_STATE, message)
    return contact

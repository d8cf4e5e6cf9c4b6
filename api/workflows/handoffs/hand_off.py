"""Handing a person over to sales."""

from dataclasses import dataclass
from datetime import datetime

from api.accord.in_force import active_version
from api.sql import Sql
from api.workflows.commands import argument
from api.workflows.handoffs.responsibility import give_person
from api.workflows.outcome import Outcome
from api.workflows.records.command_checks import checked_value, linked_row, lock_named
from api.workflows.records.record_input import Reference
from api.workflows.records.row_writer import insert_rows
from api.workflows.records.stored_rows import StoredRow, merged_ids
from api.workflows.unit_of_work import UnitOfWork
from schema.accord import Accord
from schema.base import new_id
from schema.vocab import HandoffStatus
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class HandOff:
    """The person, and who of sales decides."""

    contact: Reference = argument("The person.", table="contact")
    assigned_to: Reference | None = argument(
        "The salesperson who decides. Left out, anybody in a sales team may.", table="member", default=None
    )
    why: str | None = argument("The facts that qualified the person, in your words.", default=None)
    due_at: datetime | None = argument(
        "When the decision is due. If left out, the accord in force says it: sales owes a decision within a time, which"
        " may count in the opening time of a calendar.",
        default=None,
    )


async def hand_off(work: UnitOfWork, do: HandOff) -> Outcome:
    """Hand a person over to sales, who accept, reject or return the handoff. A person has one undecided handoff at
    most. The assigned salesperson owns the person from then on.

    Shapes: one contact -> the new handoff. Writes handoff (1), with the version of the accord in force; contact (at
            most 1).
    Errors: user errors NOT_FOUND, DELETED, MERGED, INACTIVE, WRONG_STATE (an undecided handoff), INVALID, TOO_LONG,
            OUT_OF_ORDER (due before it is handed over).
    """
    contact = await lock_named(work, "contact", do.contact)
    assigned = await linked_row(work, "member", do.assigned_to, "assigned_to")
    why = checked_value(work, "handoff", "why", do.why, "why")
    if contact is not None:
        await require_no_open_handoff(work, contact, "contact")
    if do.due_at is not None and do.due_at <= work.started_at:
        message = f"The person is handed over at {work.started_at}, which is not before the decision is due."
        work.reject(("due_at",), UserErrorCode.OUT_OF_ORDER, message)
    work.require_valid()
    return await insert_handoff(work, contact, assigned, why, due_at=do.due_at)


async def require_no_open_handoff(work: UnitOfWork, contact: StoredRow, field: str) -> None:
    """Note if a person has an undecided handoff. The contact has to be locked."""
    ids = await merged_ids(work, "contact", contact["id"])
    handed_at = await work.session.value(
        Sql(
            "select handed_at from handoff where contact_id = any({}::uuid[]) and status = {}"
            " order by handed_at limit 1",
            *(ids, HandoffStatus.PROPOSED.value),
        )
    )
    if handed_at is not None:
        message = f"The person was handed over at {handed_at}, and sales has not decided yet."
        work.reject((field,), UserErrorCode.WRONG_STATE, message)


async def insert_handoff(
    work: UnitOfWork,
    contact: StoredRow | None,
    assigned: StoredRow | None,
    why: object,
    *,
    due_at: datetime | None = None,
) -> Outcome:
    """Insert a proposed handoff of a locked contact, under the version of the accord in force, which says when it is
    due unless that is given. Give the contact to the assigned member.
    """
    if contact is None:
        raise TypeError("a valid command has a contact")
    version = await active_version(work.session)
    id_ = new_id()
    row = {
        "id": id_,
        "contact_id": contact["id"],
        "accord_version_id": version and version.id,
        "assigned_to_id": assigned and assigned["id"],
        "why": why,
        "handed_at": work.started_at,
        "due_at": due_at or (version and _due_at(version.accord, work.started_at)),
        "status": HandoffStatus.PROPOSED.value,
    }
    await insert_rows(work, "handoff", [row])
    if assigned is not None:
        await give_person(work, contact, assigned["id"], work.started_at)
    return Outcome({"handoff": id_})


def _due_at(accord: Accord, handed_at: datetime) -> datetime | None:
    """When sales owes a decision on a handoff; None if nothing is agreed."""
    sales = accord.handoff.sales if accord.handoff else None
    return accord.after(sales.decide_within, handed_at) if sales and sales.decide_within else None

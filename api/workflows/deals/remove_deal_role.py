"""Taking a person's role in a deal away."""

from dataclasses import dataclass

from api.workflows.commands import argument
from api.workflows.deals.deal_roles import lock_roles, roles_of_person, update_role
from api.workflows.deals.locked_deal import lock_deal
from api.workflows.outcome import Outcome
from api.workflows.records.command_checks import linked_row
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class RemoveDealRole:
    """The deal and the person."""

    deal: Reference = argument("The deal.", table="deal")
    contact: Reference = argument("The person whose role is removed.", table="contact")


async def remove_deal_role(work: UnitOfWork, do: RemoveDealRole) -> Outcome:
    """Void the role of a person in a deal: nothing lists or counts it any more, also as of earlier instants.

    Shapes: one deal and one contact -> their outcome. Writes deal_contact (1, and those of contacts merged into it).
    Errors: user errors NOT_FOUND, DELETED, MERGED.
    """
    contact = await linked_row(work, "contact", do.contact, "contact")
    deal = await lock_deal(work, do.deal, None)
    own = []
    if deal is not None and contact is not None:
        own = await roles_of_person(work, await lock_roles(work, deal["id"]), contact["id"])
        if not own:
            work.reject(("contact",), UserErrorCode.NOT_FOUND, "This person has no role in the deal.")
    work.require_valid()
    if deal is None or contact is None:
        raise TypeError("a valid command has a deal and a contact")
    for role in own:
        # A voided role is not that of the main contact either, for whoever looks for the one of the deal.
        await update_role(work, role, {"voided_at": work.started_at, "is_primary": False}, ChangeType.DELETED)
    return Outcome({"deal": deal["id"], "contact": contact["id"]})

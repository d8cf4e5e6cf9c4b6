"""Giving a person a role in a deal, or changing it."""

from dataclasses import dataclass
from datetime import datetime

from api.workflows.commands import NOT_GIVEN, argument
from api.workflows.deals.deal_roles import insert_role, lock_roles, roles_of_person, update_role
from api.workflows.deals.locked_deal import lock_deal
from api.workflows.outcome import Outcome
from api.workflows.records.command_checks import checked_value, linked_row, require_past
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.writes.changes import ChangeType
from schema.writes.write_status import WriteStatus


@dataclass(frozen=True, slots=True)
class SetDealRole:
    """The deal, the person and the role. What is left out stays as it is; null empties it."""

    deal: Reference = argument("The deal.", table="deal")
    contact: Reference = argument("The person.", table="contact")
    role: str | None = argument(
        "What the person does in the purchase, such as decision maker, in your words.", default=NOT_GIVEN
    )
    is_primary: bool | None = argument(
        "True for the main contact of the deal. Whoever was it before is it no more.", default=None
    )
    since: datetime | None = argument(
        "Since when the person has the role; null means since the deal began.", default=NOT_GIVEN
    )


async def set_deal_role(work: UnitOfWork, do: SetDealRole) -> Outcome:
    """Give a person a role in a deal, or change the role that they have: what is left out stays, null empties it. A
    deal has one main contact at most.

    Shapes: one deal and one contact -> their outcome. Writes deal_contact (1, and the former main contact's).
    Units:  instants UTC.
    Errors: user errors NOT_FOUND, DELETED, MERGED, INVALID, TOO_LONG, IN_FUTURE.
    """
    contact = await linked_row(work, "contact", do.contact, "contact")
    deal = await lock_deal(work, do.deal, None)
    given: dict[str, object] = {} if do.is_primary is None else {"is_primary": do.is_primary}
    if do.role is not NOT_GIVEN:
        given["role"] = checked_value(work, "deal_contact", "role", do.role, "role")
    if do.since is not NOT_GIVEN:
        require_past(work, do.since, "since")
        given["since"] = do.since
    work.require_valid()
    if deal is None or contact is None:
        raise TypeError("a valid command has a deal and a contact")
    roles = await lock_roles(work, deal["id"])
    own = await roles_of_person(work, roles, contact["id"])
    status = WriteStatus.CREATED
    if do.is_primary:
        for role in roles:
            if role["is_primary"] and role not in own[:1]:
                await update_role(work, role, {"is_primary": False}, ChangeType.CHANGED)
    if not own:
        values = {"contact_id": contact["id"], "deal_id": deal["id"], "role": None, "since": None, "is_primary": False}
        await insert_role(work, {**values, **given})
    else:
        changed = {column: value for column, value in given.items() if own[0][column] != value}
        status = WriteStatus.CHANGED if changed else WriteStatus.UNCHANGED
        if changed:
            await update_role(work, own[0], changed, ChangeType.CHANGED)
    return Outcome({"deal": deal["id"], "contact": contact["id"]}, values={"status": status.value})

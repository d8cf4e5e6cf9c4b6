"""Who owns a person from the handing over on.

Whoever is to decide has to reach the person, also with the reach OWN. So the assigned salesperson owns the person from
the handing over on, and whoever accepts does so for good. If sales rejects or returns the handoff, the person goes back
to who owned them before.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import cast
from uuid import UUID

from api.sql import Sql
from api.workflows.records.row_writer import RowUpdate, update_rows
from api.workflows.records.stored_rows import StoredRow, lock_rows, survivors_of
from api.workflows.unit_of_work import UnitOfWork
from schema.vocab import HandoffStatus


async def lock_person(work: UnitOfWork, contact: UUID) -> StoredRow | None:
    """Lock the person of a handoff: the survivor of a contact that was merged. None if the principal reaches no such.

    Call it before the handoff is locked: handing over locks the person first, too.
    """
    id_ = (await survivors_of(work, "contact", {contact})).get(contact, contact)
    return (await lock_rows(work, "contact", {id_})).get(id_)


async def give_person(work: UnitOfWork, person: StoredRow, owner: UUID | None, since: datetime) -> None:
    """Set the owner of a locked person since an instant, and record it.

    Shapes: one contact -> nothing. Writes contact (at most 1) with its version.
    """
    if person["owner_id"] == owner:
        return
    await update_rows(work, "contact", [RowUpdate(person, {"owner_id": owner}, since)])


async def pass_on(
    work: UnitOfWork, person: StoredRow, before: Mapping[str, object], after: Mapping[str, object]
) -> None:
    """Give a person to whoever owns them after a decision: who accepts, or else who owned them before.

    Shapes: a locked person, and the handoff before and after the decision -> nothing. Writes contact (at most 1).
    """
    since = cast("datetime", after["decided_at"])
    if after["status"] == HandoffStatus.ACCEPTED:
        if after["assigned_to_id"] is not None:
            await give_person(work, person, cast("UUID", after["assigned_to_id"]), since)
    elif before["assigned_to_id"] is not None and person["owner_id"] == before["assigned_to_id"]:
        await give_person(work, person, await _former_owner(work, person["id"], before["handed_at"]), since)


async def _former_owner(work: UnitOfWork, person: UUID, handed_at: object) -> UUID | None:
    """Return who owned a person before the handing over; None for nobody, and for a member who left since."""
    found: UUID | None = await work.session.value(
        Sql(
            "select m.id from (select owner_id from contact_version where contact_id = {}"
            " and coalesce(valid_from, '-infinity') < {} and (valid_to is null or valid_to > valid_from)"
            " order by valid_from desc nulls last, id desc limit 1) v"
            " join member m on m.id = v.owner_id and m.deactivated_at is null",
            *(person, handed_at),
        )
    )
    return found

"""Revoke one's own signature of a version of the accord."""

from dataclasses import dataclass

from api.outbox.record_changes import RecordChange
from api.sql import Sql
from api.workflows.accord.versions import (
    NUMBER,
    OPEN,
    SIGNATURE_TABLE,
    LockedVersion,
    begin_accord_change,
    find_version,
    named_version,
    record_changes,
    version_outcome,
    write_version,
)
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import Permission
from schema.accord_vocab import AccordStatus
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

_REVOKED = "The member revoked it."


@dataclass(frozen=True, slots=True)
class RevokeSignature:
    """The version whose signature to revoke."""

    version: int = argument("The number of the version.")


async def revoke_signature(work: UnitOfWork, do: RevokeSignature) -> Outcome:
    """Revoke your own signature of a version of the accord, before the version is in force. A signed version is in
    review again, and an activation that was planned is cancelled.

    Shapes: one version -> its number. Writes accord_signature (1), accord_version (at most 1).
    Errors: NOT_ALLOWED; user errors NOT_FOUND (no version, or no signature of the member), WRONG_STATE.
    """
    await begin_accord_change(work, Permission.SIGN_ACCORD)
    version = await _revocable_version(work, do.version)
    row = await work.session.row(
        Sql(
            "update accord_signature set voided_at = clock_timestamp(), void_reason = {}"
            " where accord_version_id = {} and member_id = {}::uuid and voided_at is null returning id, voided_at",
            *(_REVOKED, version.id, work.principal.member_id),
        )
    )
    if row is None:
        work.reject((NUMBER,), UserErrorCode.NOT_FOUND, f"No signature of yours counts on version {do.version}.")
    work.require_valid()
    if row is None:
        raise TypeError("a valid command revokes a signature")
    change = RecordChange(
        ChangeType.CHANGED,
        SIGNATURE_TABLE,
        row["id"],
        {"voided_at": None, "void_reason": None},
        {"voided_at": row["voided_at"], "void_reason": _REVOKED},
    )
    record_changes(work, [change])
    if version.status is AccordStatus.SIGNED:
        after = {"status": AccordStatus.IN_REVIEW.value, "signed_at": None, "activates_at": None}
        record_changes(work, await write_version(work.session, version, after))
    return version_outcome(version.number)


async def _revocable_version(work: UnitOfWork, number: int) -> LockedVersion:
    """Return the version: an open one, or the first one while it is provisional. Errors: Rejected."""
    found = await find_version(work.session, number)
    if found is not None and found.is_provisional:
        return found
    return await named_version(work, number, OPEN, "A signature of a version that came into force stays.")

"""Withdraw a version of the accord."""

from dataclasses import dataclass

from api.errors import AccordError, ErrorCode
from api.workflows.accord.versions import (
    OPEN,
    TABLE,
    LockedVersion,
    begin_accord_change,
    named_version,
    record_changes,
    version_outcome,
    void_signatures,
    write_version,
)
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.records.command_checks import checked_value
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import LOWEST_LEVEL, Permission
from schema.accord_vocab import AccordStatus

_WITHDRAWN = "The version was withdrawn."


@dataclass(frozen=True, slots=True)
class WithdrawAccord:
    """The version to withdraw."""

    version: int = argument("The number of the version, which is not in force yet.")
    reason: str | None = argument("Why it is withdrawn, in your words.", default=None)


async def withdraw_accord(work: UnitOfWork, do: WithdrawAccord) -> Outcome:
    """Withdraw a version of the accord that is not in force yet: its signatures no longer count, and an activation that
    was planned is cancelled. For who proposed it, and for operators.

    Shapes: one version -> its number. Writes accord_version (1), accord_signature (those that counted).
    Errors: NOT_ALLOWED; user errors NOT_FOUND, WRONG_STATE, INVALID, TOO_LONG.
    """
    await begin_accord_change(work, Permission.EDIT_ACCORD)
    reason = checked_value(work, TABLE, "withdraw_reason", do.reason, "reason")
    version = await named_version(work, do.version, OPEN)
    _require_own(work, version)
    record_changes(work, await void_signatures(work.session, version, _WITHDRAWN))
    after = {
        "status": AccordStatus.WITHDRAWN.value,
        "withdrawn_at": work.started_at,
        "withdraw_reason": reason,
        "signed_at": None,
        "activates_at": None,
    }
    record_changes(work, await write_version(work.session, version, after))
    return version_outcome(version.number)


def _require_own(work: UnitOfWork, version: LockedVersion) -> None:
    member_id = work.principal.member_id
    is_own = member_id is not None and version.row["proposed_by_id"] == member_id
    if not is_own and not work.principal.may(Permission.ACTIVATE_ACCORD):
        raise AccordError(
            ErrorCode.NOT_ALLOWED,
            f"Version {version.number} was proposed by somebody else.",
            f"Ask them, or somebody with the access level {LOWEST_LEVEL[Permission.ACTIVATE_ACCORD]}.",
        )

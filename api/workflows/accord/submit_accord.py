"""Submit a version of the accord for review."""

from dataclasses import dataclass

from api.accord.in_force import accord_in_force
from api.workflows.accord.versions import (
    NUMBER,
    begin_accord_change,
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
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class SubmitAccord:
    """The version to submit."""

    version: int = argument("The number of the version: a draft, or one to which changes were requested.")


async def submit_accord(work: UnitOfWork, do: SubmitAccord) -> Outcome:
    """Submit a version of the accord for review: from then on both teams may sign it. For the reach ALL.

    Shapes: one version -> its number. Writes accord_version (1).
    Errors: NOT_ALLOWED; user errors NOT_FOUND, WRONG_STATE, DUPLICATE (its document came into force meanwhile).
    """
    await begin_accord_change(work, Permission.EDIT_ACCORD)
    version = await named_version(work, do.version, (AccordStatus.DRAFT, AccordStatus.CHANGES_REQUESTED))
    replaced = await accord_in_force(work.session)
    if version.content_hash == replaced.content_hash:
        message = f"The document is the same as that of version {replaced.number}, which is in force. Withdraw it."
        work.reject((NUMBER,), UserErrorCode.DUPLICATE, message)
        work.require_valid()
    after = {"status": AccordStatus.IN_REVIEW.value, "submitted_at": work.started_at}
    record_changes(work, await write_version(work.session, version, after))
    return version_outcome(version.number)

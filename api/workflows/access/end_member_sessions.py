"""End the sessions of a member, such as after a laptop was lost."""

from dataclasses import dataclass

from api.access.credentials.page_sessions import end_sessions_of_member
from api.workflows.access.access_rules import begin_access_change, required_id
from api.workflows.access.set_member_access import MEMBER_PATH
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.writes.changes import ChangeType

SESSIONS_ENDED = "sessions_ended"


@dataclass(frozen=True, slots=True)
class EndMemberSessions:
    """The member whose sessions end."""

    member: Reference = argument("The member.", table="member")


async def end_member_sessions(work: UnitOfWork, do: EndMemberSessions) -> Outcome:
    """Sign a member out everywhere: their sessions of Accord's pages end at once. Their keys and their access stay.

    Shapes: one EndMemberSessions -> the id of the member, and the number of sessions. Writes page_session (theirs).
    Errors: NOT_ALLOWED if the principal may not manage access; Rejected for a member who does not exist.
    """
    await begin_access_change(work)
    member_id = await required_id(work, "member", do.member, MEMBER_PATH)
    ended = await end_sessions_of_member(work.session, member_id)
    if ended:
        work.record(ChangeType.CHANGED, "member_access", member_id)
    return Outcome({"member": member_id}, values={SESSIONS_ENDED: ended})

"""Add a member, with or without access."""

from dataclasses import dataclass
from uuid import UUID

from api.access.credentials.grants import Grant
from api.sql import Sql
from api.workflows.access.access_rules import begin_access_change, check_grant, checked_name, require_grantable
from api.workflows.access.set_member_access import StoredAccess, free_address, store_access
from api.workflows.outcome import Outcome
from api.workflows.unit_of_work import UnitOfWork
from schema.base import new_id
from schema.vocab import MemberRole
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class AddMember:
    """A new member, and what they may do; None: they may not sign in."""

    name: str
    email: str | None = None
    team_id: UUID | None = None
    role: MemberRole | None = None
    grant: Grant | None = None


async def add_member(work: UnitOfWork, do: AddMember) -> Outcome:
    """Add a member.

    Shapes: one AddMember -> the id of the member. Writes member (1), member_access (1 with a grant).
    Errors: NOT_ALLOWED if the principal may not manage access, or grants more than it has; Rejected for a name or an
            address that is not valid, an address that another member has, and a team that does not exist or was
            deactivated.
    """
    await begin_access_change(work)
    name = checked_name(work, ("name",), do.name)
    email = None if do.email is None else await free_address(work, do.email, None)
    if await work.session.value(Sql("select exists (select from member where email = {})", email)):
        work.reject(("email",), UserErrorCode.DUPLICATE, "Another member has this address.")
    if do.team_id is not None:
        await _check_team(work, do.team_id)
    if do.grant is not None:
        check_grant(work, do.grant)
    work.require_valid()
    if do.grant is not None:
        require_grantable(work, do.grant)
    id_ = new_id()
    values = {"name": name, "email": email, "team_id": do.team_id, "role": do.role and do.role.value}
    await work.session.run(
        Sql("insert into member (id, name, email, team_id, role) values ({}, {}, {}, {}, {})", id_, *values.values())
    )
    work.record(ChangeType.CREATED, "member", id_, after=values)
    if do.grant is not None:
        await store_access(work, id_, None, StoredAccess(do.grant, email))
    return Outcome({"member": id_})


async def _check_team(work: UnitOfWork, team_id: UUID) -> None:
    row = await work.session.row(Sql("select deactivated_at from team where id = {} for share", team_id))
    if row is None:
        work.reject(("team",), UserErrorCode.NOT_FOUND, "There is no team with this id.")
    elif row["deactivated_at"] is not None:
        work.reject(("team",), UserErrorCode.INACTIVE, "The team was deactivated.")

"""Set what a member may do when they sign in, or take their access away."""

from dataclasses import dataclass
from uuid import UUID

from api.access.credentials.access_cache import announce_access_change
from api.access.credentials.grants import Grant, grant_from, stored_grant
from api.access.credentials.page_sessions import end_sessions_of_member
from api.sql import Sql, join, name
from api.workflows.access.access_rules import (
    active_member,
    begin_access_change,
    check_grant,
    require_administrator,
    require_grantable,
    required_id,
)
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import AccessLevel, Reach, Right
from schema.formats import READERS, Format
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

MEMBER_PATH, EMAIL_PATH = ("member",), ("email",)


@dataclass(frozen=True, slots=True)
class SetMemberAccess:
    """The member, and what they may do."""

    member: Reference = argument("The member.", table="member")
    level: AccessLevel = argument("The access level: what they may do.")
    reach: Reach = argument("The reach: which records.")
    rights: tuple[Right, ...] = argument("The rights beside the level. If left out, none.", default=())
    email: str | None = argument(
        "The e-mail address by which an identity provider knows the member. If left out, it stays as it is; at first it"
        " is that of their record.",
        default=None,
    )


@dataclass(frozen=True, slots=True)
class RemoveMemberAccess:
    """The member who may no longer sign in."""

    member: Reference = argument("The member.", table="member")


@dataclass(frozen=True, slots=True)
class StoredAccess:
    """What a member may do, and the address by which an identity provider knows them."""

    grant: Grant
    email: str | None

    @property
    def columns(self) -> dict[str, object]:
        """The values of the columns that store it."""
        return {**stored_grant(self.grant), "email": self.email}


async def set_member_access(work: UnitOfWork, do: SetMemberAccess) -> Outcome:
    """Set what a member may do when they sign in. It holds at once, also for their keys, which never allow more.

    Shapes: one SetMemberAccess -> the id of the member. Writes member_access (at most 1).
    Errors: NOT_ALLOWED if the principal may not manage access, or grants more than it has; Rejected for a member who
            does not exist or was deactivated, an address that is not valid or that another member has, and if nobody
            who can manage access would be left.
    """
    await begin_access_change(work)
    grant = Grant(do.level, do.reach, frozenset(do.rights or ()))
    check_grant(work, grant)
    member_id = await active_member(work, do.member, MEMBER_PATH)
    former = await stored_access(work, member_id)
    access = StoredAccess(grant, await _address(work, do.email, member_id, former))
    work.require_valid()
    require_grantable(work, grant)
    return await _changed(work, member_id, former, access)


async def remove_member_access(work: UnitOfWork, do: RemoveMemberAccess) -> Outcome:
    """Take a member's access away: their sessions end at once, and their keys no longer work.

    Shapes: one RemoveMemberAccess -> the id of the member. Writes member_access (at most 1).
    Errors: NOT_ALLOWED if the principal may not manage access; Rejected for a member who does not exist, and if nobody
            who can manage access would be left.
    """
    await begin_access_change(work)
    member_id = await required_id(work, "member", do.member, MEMBER_PATH)
    return await _changed(work, member_id, await stored_access(work, member_id), None)


async def _changed(
    work: UnitOfWork, member_id: UUID, former: StoredAccess | None, access: StoredAccess | None
) -> Outcome:
    """Write what a member may do if it differs. Errors: Rejected if nobody who can manage access would be left."""
    if former != access:
        await store_access(work, member_id, former, access)
        await require_administrator(work, MEMBER_PATH)
    return Outcome({"member": member_id})


async def stored_access(work: UnitOfWork, member_id: UUID) -> StoredAccess | None:
    """Return what a member may do; None for a member without access."""
    row = await work.session.row(Sql("select * from member_access where member_id = {}", member_id))
    return None if row is None else StoredAccess(grant_from(dict(row)), row["email"])


async def store_access(
    work: UnitOfWork, member_id: UUID, former: StoredAccess | None, access: StoredAccess | None
) -> None:
    """Write what a member may do, and record it. `former` is what they might do before."""
    if former is not None and (access is None or access.email != former.email):
        # For good: access may be given again before the sessions are over, and another address is another sign-in.
        await end_sessions_of_member(work.session, member_id)
    if access is None:
        await work.session.run(Sql("delete from member_access where member_id = {}", member_id))
    else:
        columns = list(map(name, access.columns))
        await work.session.run(
            Sql(
                "insert into member_access (member_id, {}) values ({}, {}) on conflict (member_id) do update set {}",
                join(", ", columns),
                member_id,
                join(", ", (Sql("{}", value) for value in access.columns.values())),
                join(", ", (Sql("{} = excluded.{}", column, column) for column in columns)),
            )
        )
    await announce_access_change(work.session)
    change = ChangeType.CREATED if former is None else ChangeType.DELETED if access is None else ChangeType.CHANGED
    before, after = former.columns if former else {}, access.columns if access else {}
    work.record(change, "member_access", member_id, before=before, after=after)


async def free_address(work: UnitOfWork, text: str, member_id: UUID | None) -> str | None:
    """Return an address in the one spelling. One that is malformed, or that another member has, is rejected."""
    try:
        email = READERS[Format.EMAIL](text)
    except ValueError as error:
        work.reject(EMAIL_PATH, UserErrorCode.INVALID, f"'{text}' {error}.")
        return None
    others = Sql(
        "select exists (select from member_access where email = {} and member_id is distinct from {})", email, member_id
    )
    if await work.session.value(others):
        work.reject(EMAIL_PATH, UserErrorCode.DUPLICATE, "Another member signs in by this address.")
    return email


async def _address(work: UnitOfWork, stated: str | None, member_id: UUID, former: StoredAccess | None) -> str | None:
    """Return the address by which a member signs in: the stated one, the former one, or that of their record."""
    if stated is not None:
        return await free_address(work, stated, member_id)
    if former is not None:
        return former.email
    own = await work.session.value(Sql("select email from member where id = {}", member_id))
    return None if own is None else await free_address(work, own, member_id)

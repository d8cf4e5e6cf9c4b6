"""Create an API key."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.access.credentials.access_cache import announce_access_change
from api.access.credentials.grants import Grant, stored_grant
from api.access.credentials.tokens import make_token
from api.sql import Sql, join, name
from api.workflows.access.access_rules import (
    active_member,
    begin_access_change,
    check_expiry,
    check_grant,
    checked_name,
    rejected,
    require_grantable,
)
from api.workflows.access.set_member_access import stored_access
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import AccessLevel, Reach, Right
from schema.base import new_id
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

TOKEN = "token"  # noqa: S105 - the name of the payload's field
_OTHERWISE = "If left out, as the member may; for a machine, as a viewer of all records without rights."
MACHINE = Grant(AccessLevel.VIEWER, Reach.ALL)
"""What a key of a machine allows, where nothing is stated."""


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    """What to create a key for, and what it allows. What is None is as the member has it, or as `MACHINE` has it."""

    name: str = argument("What the key is for.")
    member: Reference | None = argument(
        "The member whose key it is. If left out, it is a machine's.", table="member", default=None
    )
    level: AccessLevel | None = argument(f"The access level: what may be done. {_OTHERWISE}", default=None)
    reach: Reach | None = argument(f"The reach: which records. {_OTHERWISE}", default=None)
    rights: tuple[Right, ...] | None = argument(f"The rights beside the level. {_OTHERWISE}", default=None)
    expires_at: datetime | None = argument("When it expires. If left out, it does not.", default=None)


async def create_api_key(work: UnitOfWork, do: CreateApiKey) -> Outcome:
    """Create an API key. Nobody grants more than they have. Its token is shown once and never stored.

    Shapes: one CreateApiKey -> the id of the key, and its token. Writes api_key (1).
    Errors: NOT_ALLOWED if the principal may not manage access, or grants more than it has; Rejected for a name or an
            expiry that is not valid, for a member who does not exist, was deactivated or has less access, and for a
            restricted reach without a member.
    """
    await begin_access_change(work)
    shown_name = checked_name(work, ("name",), do.name)
    check_expiry(work, do.expires_at)
    member_id = None if do.member is None else await active_member(work, do.member, ("member",))
    limit = MACHINE if member_id is None else await _access_of(work, member_id)
    grant = Grant(
        do.level or limit.level,
        do.reach or limit.reach,
        limit.rights if do.rights is None else frozenset(do.rights),
    )
    check_grant(work, grant)
    if member_id is None and grant.reach is not Reach.ALL:
        message = f"A machine owns no records and is in no team, so that its reach is {Reach.ALL}. Or name a member."
        work.reject(("reach",), UserErrorCode.INVALID, message)
    if member_id is not None and not limit.includes(grant):
        work.reject(("member",), UserErrorCode.INVALID, f"The member has less access: {limit}.")
    work.require_valid()
    require_grantable(work, grant)
    return await store_key(work, NewKey(shown_name, grant, member_id, do.expires_at))


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key as it is stored, once it is known that it may be."""

    name: str
    grant: Grant
    member_id: UUID | None
    expires_at: datetime | None


async def store_key(work: UnitOfWork, key: NewKey) -> Outcome:
    """Make the token of a new key, insert the key, and record it in the audit without its hash."""
    token, id_ = make_token(), new_id()
    shown: dict[str, object] = {
        "name": key.name,
        "key_id": token.key_id,
        "member_id": key.member_id,
        "expires_at": key.expires_at,
        **stored_grant(key.grant),
    }
    stored = {"id": id_, "secret_hash": token.secret_hash, **shown}
    await work.session.run(
        Sql(
            "insert into api_key ({}) values ({})",
            join(", ", map(name, stored)),
            join(", ", (Sql("{}", value) for value in stored.values())),
        )
    )
    await announce_access_change(work.session)
    work.record(ChangeType.CREATED, "api_key", id_, after=shown)
    return Outcome({"api_key": id_}, secrets={TOKEN: token.text})


async def _access_of(work: UnitOfWork, member_id: UUID) -> Grant:
    """Return what a member may do. Errors: Rejected for one who may do nothing."""
    access = await stored_access(work, member_id)
    if access is None:
        message = "The member has no access, so that no key of theirs would work. Give them access first."
        raise rejected(("member",), UserErrorCode.WRONG_STATE, message)
    return access.grant

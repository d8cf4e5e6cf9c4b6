"""Create an API key."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.access.credentials.access_cache import announce_access_change
from api.access.credentials.grants import Grant, stored_grant
from api.access.credentials.tokens import make_token
from api.sql import Sql, join, name
from api.workflows.access.access_rules import (
    access_of,
    begin_access_change,
    check_expiry,
    check_grant,
    checked_name,
    rejected,
    require_active_member,
    require_grantable,
)
from api.workflows.outcome import Outcome
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import AccessLevel, Reach, Right
from schema.base import new_id
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

TOKEN = "token"  # noqa: S105 - the name of the payload's field
MACHINE = Grant(AccessLevel.VIEWER, Reach.ALL)
"""What a key of a machine allows, where nothing is stated."""


@dataclass(frozen=True, slots=True)
class CreateKey:
    """What to create a key for. What is None is as the member has it; for a machine, as `MACHINE` has it."""

    name: str
    member_id: UUID | None = None
    level: AccessLevel | None = None
    reach: Reach | None = None
    rights: frozenset[Right] | None = None
    expires_at: datetime | None = None


async def create_key(work: UnitOfWork, do: CreateKey) -> Outcome:
    """Create an API key. Its token is among the secrets of the outcome: it is shown once and never stored.

    Shapes: one CreateKey -> the id of the key, and its token. Writes api_key (1).
    Errors: NOT_ALLOWED if the principal may not manage access, or grants more than it has; Rejected for a name or an
            expiry that is not valid, for a member who does not exist, was deactivated or has less access, and for a
            restricted reach without a member.
    """
    await begin_access_change(work)
    shown_name = checked_name(work, ("name",), do.name)
    check_expiry(work, do.expires_at)
    limit = MACHINE if do.member_id is None else await _access(work, do.member_id)
    grant = Grant(
        do.level or limit.level,
        do.reach or limit.reach,
        limit.rights if do.rights is None else do.rights,
    )
    check_grant(work, grant)
    if do.member_id is None and grant.reach is not Reach.ALL:
        message = f"A machine owns no records and is in no team, so that its reach is {Reach.ALL}. Or name a member."
        work.reject(("reach",), UserErrorCode.INVALID, message)
    if do.member_id is not None and not limit.includes(grant):
        work.reject(("member",), UserErrorCode.INVALID, f"The member has less access: {limit}.")
    work.require_valid()
    require_grantable(work, grant)
    return await store_key(work, NewKey(shown_name, grant, do.member_id, do.expires_at))


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


async def _access(work: UnitOfWork, member_id: UUID) -> Grant:
    """Return what a member may do. Errors: Rejected for one who may do nothing."""
    await require_active_member(work, ("member",), member_id)
    access = await access_of(work, member_id)
    if access is None:
        message = "The member has no access, so that no key of theirs would work. Give them access first."
        raise rejected(("member",), UserErrorCode.WRONG_STATE, message)
    return access

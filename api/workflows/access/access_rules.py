"""Rules of granting access: nobody grants more than they have, and somebody can always administer access."""

from datetime import datetime
from uuid import UUID

from api.access.credentials.grants import Grant
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from api.workflows.outcome import Outcome, Rejected
from api.workflows.records.record_input import Reference
from api.workflows.records.references import resolve_references
from api.workflows.unit_of_work import UnitOfWork
from api.workflows.user_errors import FieldPath, UserError
from schema.access.rights import AccessLevel, Permission, Reach
from schema.base import now
from schema.tables import SHAPES
from schema.writes.user_errors import UserErrorCode

MAX_NAME_LENGTH = 200


async def begin_access_change(work: UnitOfWork) -> None:
    """Require the permission to manage access, and wait for other changes of access, so that the rules hold for all.

    Errors: NOT_ALLOWED; what PostgreSQL raises if the lock is not had in time.
    """
    work.principal.require(Permission.MANAGE_ACCESS)
    await work.session.run(Sql("lock table member_access in share row exclusive mode"))


def require_grantable(work: UnitOfWork, grant: Grant) -> None:
    """Require that a principal has all that it grants. Errors: NOT_ALLOWED."""
    own = Grant.of(work.principal)
    if not own.includes(grant):
        raise AccordError(
            ErrorCode.NOT_ALLOWED,
            f"You cannot grant more than you have. You have {own}; this would grant {grant}.",
            "Grant less, or ask an administrator who has more.",
        )


def check_grant(work: UnitOfWork, grant: Grant) -> None:
    """Reject a grant that means nothing: administrators manage access for everybody, so that they reach all records."""
    if grant.level is AccessLevel.ADMIN and grant.reach is not Reach.ALL:
        message = f"The level {AccessLevel.ADMIN} has the reach {Reach.ALL}."
        work.reject(("reach",), UserErrorCode.INVALID, message)


def checked_name(work: UnitOfWork, path: FieldPath, text: str) -> str:
    """Return a name without surrounding blanks. One that is empty, too long or has control characters is rejected."""
    shown = text.strip()
    if not shown or not shown.isprintable():
        work.reject(path, UserErrorCode.INVALID, "The name is empty, or has characters that cannot be shown.")
    elif len(shown) > MAX_NAME_LENGTH:
        message = f"The name has {len(shown):,} characters. The limit is {MAX_NAME_LENGTH}."
        work.reject(path, UserErrorCode.TOO_LONG, message)
    return shown


def check_expiry(work: UnitOfWork, expires_at: datetime | None) -> None:
    """Reject an expiry that has passed."""
    if expires_at is not None and expires_at <= now():
        work.reject(("expires_at",), UserErrorCode.INVALID, "The expiry is not in the future.")


def rejected(path: FieldPath, code: UserErrorCode, message: str) -> Rejected:
    """Return the exception that rejects an input for one reason."""
    return Rejected(Outcome(errors=(UserError(path, code, message),)))


async def required_id(work: UnitOfWork, table: str, reference: Reference, path: FieldPath) -> UUID:
    """Return the id of the record that a reference names. Errors: Rejected if there is none."""
    found = (await resolve_references(work, table, [reference])).get(reference)
    if found is None:
        noun = SHAPES[table].type_name
        raise rejected(path, UserErrorCode.NOT_FOUND, f"There is no {noun} with this id or external key.")
    id_: UUID = found["id"]
    return id_


async def active_member(work: UnitOfWork, reference: Reference, path: FieldPath) -> UUID:
    """Return the id of the member that a reference names, who cannot be deactivated until the end of the transaction.

    Errors: Rejected if there is none, or if the member was deactivated, with all that was rejected before.
    """
    id_ = await required_id(work, "member", reference, path)
    if await work.session.value(Sql("select deactivated_at from member where id = {} for share", id_)) is not None:
        work.reject(path, UserErrorCode.INACTIVE, "The member was deactivated.")
        work.require_valid()
    return id_


async def require_administrator(work: UnitOfWork, path: FieldPath) -> None:
    """Reject a change that leaves credentials, and nobody who can administer them. Call it after the change.

    The local operator may do it all the same: whoever works on the machine can make another administrator there.
    Errors: Rejected.
    """
    if work.principal.subject == "local" or await work.session.value(_IS_ADMINISTERED):
        return
    message = (
        "This would leave nobody who can manage access. Make another administrator first; or do it on the server's"
        " machine, with `accord key` or `accord member`."
    )
    work.reject(path, UserErrorCode.WRONG_STATE, message)
    work.require_valid()


# Whether no real credentials exist, or an administrator has one: a key that works, or a member who may sign in.
_IS_ADMINISTERED = Sql(
    "select not exists (select from api_key where not is_demo and revoked_at is null)"
    " or exists (select from api_key k left join member m on m.id = k.member_id"
    " left join member_access a on a.member_id = k.member_id"
    " where not k.is_demo and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())"
    " and k.level = {} and (k.member_id is null or (m.deactivated_at is null and a.level = {})))"
    " or exists (select from member_access a join member m on m.id = a.member_id"
    " where m.deactivated_at is null and a.level = {})",
    *([AccessLevel.ADMIN.value] * 3),
)

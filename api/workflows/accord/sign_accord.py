"""Sign a version of the accord for one of the two teams."""

from dataclasses import dataclass
from uuid import UUID

from api.access.principal import SignedInSession
from api.sql import Sql, join, name
from api.workflows.accord.signature_checks import (
    SigningMember,
    check_comments,
    check_hash,
    check_preview,
    check_team,
    require_fresh_session,
    signing_member,
)
from api.workflows.accord.versions import (
    NUMBER,
    SIGNATURE_TABLE,
    LockedVersion,
    begin_accord_change,
    find_version,
    named_version,
    record_changes,
    version_outcome,
    write_version,
)
from api.workflows.commands import OpaqueId, argument
from api.workflows.outcome import Outcome
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import Permission
from schema.accord_vocab import AccordStatus
from schema.base import new_id
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class SignAccord:
    """What the member signs: the version, the hash that they saw, and the preview that they had."""

    version: int = argument("The number of the version.")
    hash: str = argument("The hash of the document that you read. Another hash is refused.")
    preview_id: OpaqueId = argument("The id of the preview that you saw: of this hash, and at most 7 days old.")


async def sign_accord(work: UnitOfWork, do: SignAccord) -> Outcome:
    """Sign a version of the accord for your team. For members of marketing and sales teams with the reach ALL, in a
    session of Accord's pages that they opened at most 15 minutes ago. A key or token that is sent with a request does
    not sign, nor does a session that a machine's key opened. A version is signed when a member of each of both teams
    has signed it, by two different people.

    Shapes: one version, its hash and a preview -> the number of the version. Writes accord_signature (1),
            accord_version (at most 1: signed by both).
    Errors: NOT_ALLOWED (a level or reach that does not sign, a session that a machine's key opened, a member who was
            deactivated or whose team does not sign); SIGN_IN_AGAIN (no session, as with any key or token sent as a
            bearer, or a sign-in that is too old); user errors NOT_FOUND, STALE_VERSION (another hash, or another
            version in force), WRONG_STATE (not in review, open comments, the team or the member has signed), INVALID
            (the preview).
    """
    await begin_accord_change(work, Permission.SIGN_ACCORD)
    session = require_fresh_session(work)
    member = await signing_member(work)
    version = await _version_to_sign(work, do.version)
    check_hash(work, version, do.hash)
    preview_id = await check_preview(work, version, do.preview_id)
    await check_team(work, version, member)
    await check_comments(work, version)
    work.require_valid()
    if preview_id is None:
        raise TypeError("a valid command names a preview")
    await _insert_signature(work, version, member, session, preview_id)
    teams = await work.session.value(
        Sql("select count(*) from accord_signature where accord_version_id = {} and voided_at is null", version.id)
    )
    if teams == 2:
        signed_at = await work.session.value(Sql("select clock_timestamp()"))
        after: dict[str, object] = {"signed_at": signed_at}
        if version.is_open:
            after["status"] = AccordStatus.SIGNED.value
        record_changes(work, await write_version(work.session, version, after))
    return version_outcome(version.number)


async def _version_to_sign(work: UnitOfWork, number: int) -> LockedVersion:
    """Return the version: one in review, or the first one while it is provisional. Errors: Rejected."""
    found = await find_version(work.session, number)
    if found is not None and found.is_provisional:
        return found
    if found is not None and found.status is AccordStatus.SIGNED:
        work.reject((NUMBER,), UserErrorCode.WRONG_STATE, f"Version {number} is signed by both teams already.")
    return await named_version(
        work,
        number,
        (AccordStatus.IN_REVIEW, AccordStatus.SIGNED),
        "Only a version in review can be signed: submit it with `submitAccord`.",
    )


async def _insert_signature(
    work: UnitOfWork, version: LockedVersion, member: SigningMember, session: SignedInSession, preview_id: UUID
) -> None:
    row: dict[str, object] = {
        "id": new_id(),
        "accord_version_id": version.id,
        "content_hash": version.content_hash,
        "base_hash": version.row["base_hash"],
        "member_id": member.id,
        "team": member.team.value,
        "preview_id": preview_id,
        "signed_at": await work.session.value(Sql("select clock_timestamp()")),
        "session_id": session.id,
        "sign_in_method": session.method.value,
        "signed_in_at": session.signed_in_at,
    }
    await work.session.run(
        Sql(
            "insert into accord_signature ({}) values ({})",
            join(", ", map(name, row)),
            join(", ", (Sql("{}", value) for value in row.values())),
        )
    )
    id_ = row.pop("id")
    if not isinstance(id_, UUID):
        raise TypeError("a signature has an id")
    work.record(ChangeType.CREATED, SIGNATURE_TABLE, id_, after=row)

"""What a signature needs: a person with a fresh sign-in, the document as it is now, and a preview of it."""

from dataclasses import dataclass
from uuid import UUID

from api.access.principal import SignedInSession
from api.accord.verification import FRESH, PREVIEW_KEPT
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from api.workflows.accord.opaque_ids import read_opaque_id
from api.workflows.accord.versions import NUMBER, LockedVersion
from api.workflows.unit_of_work import UnitOfWork
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import TeamKind
from schema.writes.user_errors import UserErrorCode

SIGNING_TEAMS = (TeamKind.MARKETING, TeamKind.SALES)
PREVIEW_TABLE = "accord_preview"
_SIGN_IN = "Sign in again on the page `/sign-in`, and sign within 15 minutes."


@dataclass(frozen=True, slots=True)
class SigningMember:
    """The member who signs, and the team that they sign for."""

    id: UUID
    team: TeamKind


def require_fresh_session(work: UnitOfWork) -> SignedInSession:
    """Return the session of the principal.

    Errors: SIGN_IN_AGAIN without a session, as with any key or token sent as a bearer, or for a sign-in that is too
            old; NOT_ALLOWED for a session that a machine's key opened.
    """
    principal = work.principal
    if principal.session is None:
        message = (
            "A signature is given on Accord's pages, by a person who is signed in there: not with a key or a command."
        )
        raise AccordError(ErrorCode.SIGN_IN_AGAIN, message, _SIGN_IN)
    if principal.member_id is None:
        message = "This session was opened with a machine's key. A signature is given by a person."
        raise AccordError(
            ErrorCode.NOT_ALLOWED, message, "Sign in as a member: at the identity provider, or with your own key."
        )
    age = work.started_at - principal.session.signed_in_at
    if age > FRESH:
        minutes = int(age.total_seconds() // 60)
        message = f"You signed in {minutes:,} minutes ago. A signature needs a sign-in within the last 15 minutes."
        raise AccordError(ErrorCode.SIGN_IN_AGAIN, message, _SIGN_IN)
    return principal.session


async def signing_member(work: UnitOfWork) -> SigningMember:
    """Return the member, who cannot be deactivated or change teams until the end of the transaction.

    Errors: NOT_ALLOWED for a member who was deactivated, or whose team does not sign.
    """
    row = await work.session.row(
        Sql(
            "select m.id, m.deactivated_at, t.kind from member m left join team t on t.id = m.team_id"
            " where m.id = {}::uuid for share of m",
            work.principal.member_id,
        )
    )
    if row is None or row["deactivated_at"] is not None:
        message = "You are no longer a member of this company."
        raise AccordError(ErrorCode.NOT_ALLOWED, message, "Ask another member of your team to sign.")
    if row["kind"] not in SIGNING_TEAMS:
        whose = f"your team is {row['kind']}" if row["kind"] else "you are in no team"
        raise AccordError(
            ErrorCode.NOT_ALLOWED,
            f"The accord is signed for marketing and for sales; {whose}.",
            "Ask a member of a marketing and one of a sales team to sign.",
        )
    return SigningMember(row["id"], TeamKind[row["kind"]])


def check_hash(work: UnitOfWork, version: LockedVersion, content_hash: str) -> None:
    """Reject a hash that is not that of the present document, and a document that is in force already."""
    if content_hash != version.content_hash:
        message = f"The document changed since: its hash is {version.content_hash} now. Look at it again."
        work.reject(("hash",), UserErrorCode.STALE_VERSION, message)
    elif version.is_open and content_hash == version.row["base_hash"]:
        message = "The document is the same as the one in force: there is nothing to sign."
        work.reject((NUMBER,), UserErrorCode.DUPLICATE, message)


async def check_preview(work: UnitOfWork, version: LockedVersion, preview_id: str) -> UUID | None:
    """Return the id of the preview; one that does not show what is signed is rejected."""
    path = ("preview_id",)
    row = await work.session.row(
        Sql(
            "select id, accord_version_id, content_hash, compared_hash, computed_at < now() - {}::interval as is_old,"
            " computed_at, exists (select from jsonb_array_elements(figures->'warnings') w where w->>'code' = {})"
            " as is_before_data from accord_preview where id = {}::uuid",
            *(PREVIEW_KEPT, WarningCode.PERIOD_BEFORE_DATA.value, read_opaque_id(PREVIEW_TABLE, preview_id)),
        )
    )
    if row is None:
        message = "There is no preview with this id. Compute one with `accordPreview`."
        work.reject(path, UserErrorCode.NOT_FOUND, message)
        return None
    problem = ""
    if row["accord_version_id"] != version.id:
        problem = "The preview is of another version."
    elif row["content_hash"] != version.content_hash:
        problem = "The document changed since the preview."
    elif row["compared_hash"] != (version.row["base_hash"] or version.content_hash):
        problem = "The preview compares the version to another one than the one in force."
    elif row["is_old"]:
        problem = f"The preview is from {row['computed_at']:%Y-%m-%d}: older than {PREVIEW_KEPT.days} days."
    elif row["is_before_data"]:
        problem = "The preview is of a period before the data begin, so it shows nobody."
    if problem:
        work.reject(path, UserErrorCode.INVALID, f"{problem} Compute one with `accordPreview`, and look at it.")
    preview_found: UUID = row["id"]
    return preview_found


async def check_team(work: UnitOfWork, version: LockedVersion, member: SigningMember) -> None:
    """Reject a second signature of one team, or of one person."""
    rows = await work.session.rows(
        Sql(
            "select s.team, s.member_id, m.name from accord_signature s join member m on m.id = s.member_id"
            " where s.accord_version_id = {} and s.voided_at is null",
            version.id,
        )
    )
    for row in rows:
        if row["member_id"] == member.id:
            message = f"You signed this version, for {row['team']}. Somebody else has to sign for the other team."
            work.reject((NUMBER,), UserErrorCode.WRONG_STATE, message)
        elif row["team"] == member.team.value:
            message = f"{row['name']} signed this version for {row['team']}."
            work.reject((NUMBER,), UserErrorCode.WRONG_STATE, message)
    if version.is_open:
        in_force = await work.session.value(Sql("select content_hash from accord_version where status = 'ACTIVE'"))
        if in_force != version.row["base_hash"]:
            message = "The version that this one replaces is no longer in force. Edit it on the one that is."
            work.reject((NUMBER,), UserErrorCode.STALE_VERSION, message)


async def check_comments(work: UnitOfWork, version: LockedVersion) -> None:
    """Reject a version with open comments."""
    open_comments = await work.session.value(
        Sql("select count(*) from accord_comment where accord_version_id = {} and resolved_at is null", version.id)
    )
    if open_comments:
        noun = "comment is" if open_comments == 1 else "comments are"
        message = f"{open_comments} {noun} open. Resolve them with `resolveComment` first."
        work.reject((NUMBER,), UserErrorCode.WRONG_STATE, message)

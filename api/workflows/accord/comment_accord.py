"""Comment on a version of the accord, and request changes of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.accord.clause_paths import item_steps
from api.sql import Sql
from api.workflows.accord.opaque_ids import opaque_id
from api.workflows.accord.versions import (
    COMMENT_TABLE,
    OPEN,
    LockedVersion,
    begin_accord_change,
    named_version,
    record_changes,
    version_outcome,
    write_version,
)
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.records.command_checks import checked_value
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import Permission
from schema.accord_vocab import AccordStatus
from schema.base import new_id
from schema.nearest_words import suggestion
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

COMMENT_ID = "comment_id"
_CLAUSE = "The path of the clause, such as `stages.mql.rule` or `reporting`. Left out: the document as a whole."


@dataclass(frozen=True, slots=True)
class CommentAccord:
    """A comment on a version."""

    version: int = argument("The number of the version.")
    text: str = argument("The comment.")
    clause: str | None = argument(_CLAUSE, default=None)


@dataclass(frozen=True, slots=True)
class RequestAccordChanges:
    """What has to change before a version can be signed."""

    version: int = argument("The number of the version in review.")
    text: str = argument("What has to change, and why.")
    clause: str | None = argument(_CLAUSE, default=None)


async def comment_accord(work: UnitOfWork, do: CommentAccord) -> Outcome:
    """Comment on a version of the accord. It cannot be signed before the comment is resolved. For the reach ALL.

    Shapes: one comment -> the number of the version, and the id of the comment. Writes accord_comment (1).
    Errors: NOT_ALLOWED; user errors NOT_FOUND, WRONG_STATE, UNKNOWN_VALUE (the clause), INVALID, TOO_LONG.
    """
    await begin_accord_change(work, Permission.EDIT_ACCORD)
    version = await named_version(work, do.version, (*OPEN, AccordStatus.ACTIVE))
    return await _write_comment(work, version, do.text, do.clause)


async def request_accord_changes(work: UnitOfWork, do: RequestAccordChanges) -> Outcome:
    """Request changes of a version of the accord that is in review: it cannot be signed before it is submitted again,
    and the request is resolved. For the reach ALL.

    Shapes: one request -> the number of the version, and the id of the comment. Writes accord_version (1),
            accord_comment (1).
    Errors: those of `comment_accord`.
    """
    await begin_accord_change(work, Permission.EDIT_ACCORD)
    version = await named_version(work, do.version, (AccordStatus.IN_REVIEW,))
    outcome = await _write_comment(work, version, do.text, do.clause)
    after = {"status": AccordStatus.CHANGES_REQUESTED.value}
    record_changes(work, await write_version(work.session, version, after))
    return outcome


async def _write_comment(work: UnitOfWork, version: LockedVersion, text: str, clause: str | None) -> Outcome:
    stored = None
    if text.strip():
        stored = checked_value(work, COMMENT_TABLE, "text", text, "text")
    else:
        work.reject(("text",), UserErrorCode.REQUIRED, "The comment is empty. Write what is to change, and why.")
    path = _checked_clause(work, version.row["body"], clause)
    work.require_valid()
    id_ = new_id()
    written_at = await work.session.value(
        Sql(
            "insert into accord_comment (id, accord_version_id, clause, text, member_id, written_at)"
            " values ({}, {}, {}, {}, {}, clock_timestamp()) returning written_at",
            *(id_, version.id, path, stored, work.principal.member_id),
        )
    )
    _record(work, id_, version, path, stored, written_at)
    return version_outcome(version.number, **{COMMENT_ID: opaque_id(COMMENT_TABLE, id_)})


def _record(
    work: UnitOfWork, id_: UUID, version: LockedVersion, clause: str | None, text: object, written_at: datetime
) -> None:
    after = {
        "accord_version_id": version.id,
        "clause": clause,
        "text": text,
        "member_id": work.principal.member_id,
        "written_at": written_at,
    }
    work.record(ChangeType.CREATED, COMMENT_TABLE, id_, after=after)


def _checked_clause(work: UnitOfWork, body: object, clause: str | None) -> str | None:
    """Return the path of a clause; one that the document does not have is rejected, with what it has there."""
    if clause is None or not clause.strip():
        return None
    node: object = body
    for at, step in enumerate(clause.split(".")):
        parts = _parts(node)
        if step not in parts:
            within = ".".join(clause.split(".")[:at]) or "the document"
            message = f"There is no clause '{step}' in {within}. {suggestion(step, parts, 'clauses')}"
            work.reject(("clause",), UserErrorCode.UNKNOWN_VALUE, message)
            return None
        node = parts[step]
    return clause


def _parts(node: object) -> Mapping[str, object]:
    """The clauses within one: its keys, or the items of a list by their steps."""
    if isinstance(node, Mapping):
        return node
    if isinstance(node, Sequence) and not isinstance(node, str):
        return dict(zip(item_steps(node), node, strict=True))
    return {}

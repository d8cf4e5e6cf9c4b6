"""Resolve a comment on a version of the accord."""

from dataclasses import dataclass

from api.sql import Sql
from api.workflows.accord.opaque_ids import read_opaque_id
from api.workflows.accord.versions import COMMENT_TABLE, begin_accord_change, version_outcome
from api.workflows.commands import OpaqueId, argument
from api.workflows.outcome import Outcome
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import Permission
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class ResolveComment:
    """The comment to resolve."""

    id: OpaqueId = argument("The id of the comment.")


async def resolve_comment(work: UnitOfWork, do: ResolveComment) -> Outcome:
    """Resolve a comment on a version of the accord. One that is resolved stays as it is. For the reach ALL.

    Shapes: one comment -> the number of its version. Writes accord_comment (at most 1).
    Errors: NOT_ALLOWED; user error NOT_FOUND.
    """
    await begin_accord_change(work, Permission.EDIT_ACCORD)
    id_ = read_opaque_id(COMMENT_TABLE, do.id)
    row = await work.session.row(
        Sql(
            "select c.id, c.resolved_at, v.number from accord_comment c join accord_version v"
            " on v.id = c.accord_version_id where c.id = {}::uuid",
            id_,
        )
    )
    if row is None:
        work.reject(("id",), UserErrorCode.NOT_FOUND, "There is no comment with this id.")
    work.require_valid()
    if row is None:
        raise TypeError("a valid command names a comment")
    if row["resolved_at"] is None:
        after = {"resolved_by_id": work.principal.member_id}
        after["resolved_at"] = await work.session.value(
            Sql(
                "update accord_comment set resolved_at = clock_timestamp(), resolved_by_id = {} where id = {}"
                " returning resolved_at",
                *(work.principal.member_id, id_),
            )
        )
        before = dict.fromkeys(after)
        work.record(ChangeType.CHANGED, COMMENT_TABLE, row["id"], before=before, after=after)
    return version_outcome(row["number"])

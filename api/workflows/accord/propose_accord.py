"""Propose a version of the accord."""

from dataclasses import dataclass

from api.accord.in_force import AccordInForce, accord_in_force
from api.sql import Sql, join, name
from api.workflows.accord.documents import FIELD, ReadDocument, read_given_document
from api.workflows.accord.versions import TABLE, begin_accord_change, version_outcome
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.records.command_checks import checked_value
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import Permission
from schema.accord_vocab import AccordStatus
from schema.base import new_id
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode


@dataclass(frozen=True, slots=True)
class ProposeAccord:
    """The document of a new version."""

    document: str = argument("The whole document: TOML, or canonical JSON, which begins with a brace.")
    note: str | None = argument("What the version changes, and why, in your words.", default=None)


async def propose_accord(work: UnitOfWork, do: ProposeAccord) -> Outcome:
    """Propose a version of the accord, as a draft that would replace the version in force. Several drafts may be open
    at the same time. For the reach ALL.

    Shapes: one document -> the number of the version. Writes accord_version (1).
    Errors: NOT_ALLOWED; NO_ACCORD; user errors INVALID and TOO_LONG (the document, with the path of each mistake, and
            the note), DUPLICATE (the document in force).
    """
    await begin_accord_change(work, Permission.EDIT_ACCORD)
    replaced = await accord_in_force(work.session)
    document = read_given_document(work, do.document)
    note = checked_value(work, TABLE, "note", do.note, "note")
    require_difference(work, document, replaced)
    return await insert_draft(work, document, note, replaced)


def require_difference(work: UnitOfWork, document: ReadDocument | None, replaced: AccordInForce) -> None:
    """Reject a document that is the one in force."""
    if document is not None and document.content_hash == replaced.content_hash:
        message = f"The document is the same as that of version {replaced.number}, which is in force."
        work.reject((FIELD,), UserErrorCode.DUPLICATE, message)


async def insert_draft(
    work: UnitOfWork, document: ReadDocument | None, note: object, replaced: AccordInForce
) -> Outcome:
    """Insert a draft that would replace the version in force. Errors: Rejected if anything is wrong."""
    work.require_valid()
    if document is None:
        raise TypeError("a valid command has a document")
    number: int = await work.session.value(Sql("select max(number) + 1 from accord_version"))
    id_ = new_id()
    row: dict[str, object] = {
        "id": id_,
        "number": number,
        "status": AccordStatus.DRAFT.value,
        **document.columns,
        "base_id": replaced.id,
        "base_hash": replaced.content_hash,
        "note": note,
        "proposed_by_id": work.principal.member_id,
    }
    await work.session.run(
        Sql(
            "insert into accord_version ({}) values ({})",
            join(", ", map(name, row)),
            join(", ", (Sql("{}", value) for value in row.values())),
        )
    )
    shown = {column: value for column, value in row.items() if column not in ("id", "document", "body")}
    work.record(ChangeType.CREATED, TABLE, id_, after=shown)
    return version_outcome(number)

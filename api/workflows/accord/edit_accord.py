"""Edit a version of the accord."""

from dataclasses import dataclass

from api.accord.in_force import accord_in_force
from api.workflows.accord.documents import read_given_document
from api.workflows.accord.propose_accord import insert_draft, require_difference
from api.workflows.accord.versions import (
    OPEN,
    TABLE,
    begin_accord_change,
    check_expected,
    named_version,
    record_changes,
    version_outcome,
    void_signatures,
    write_version,
)
from api.workflows.commands import NOT_GIVEN, argument, given_or
from api.workflows.outcome import Outcome
from api.workflows.records.command_checks import checked_value
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import Permission
from schema.accord_vocab import AccordStatus

_EDITED = "The document was edited."


@dataclass(frozen=True, slots=True)
class EditAccord:
    """The version to edit, and its new document."""

    version: int = argument("The number of the version.")
    document: str = argument("The whole document: TOML, or canonical JSON, which begins with a brace.")
    note: str | None = argument(
        "What the version changes, and why, in your words. If left out, it stays.", default=NOT_GIVEN
    )
    expected_version: int | None = argument(
        "The `rowVersion` that you read. The edit is refused if somebody changed the version since.", default=None
    )


async def edit_accord(work: UnitOfWork, do: EditAccord) -> Outcome:
    """Edit a version of the accord. Another document makes it a draft again and voids its signatures: submit it again
    when it is ready. To edit the version in force proposes a new one, which would replace it. For the reach ALL.

    Shapes: one version and its document -> the number of the edited or new version. Writes accord_version (1),
            accord_signature (those that counted).
    Errors: NOT_ALLOWED; NO_ACCORD; user errors NOT_FOUND, WRONG_STATE, STALE_VERSION, INVALID, TOO_LONG, DUPLICATE.
    """
    await begin_accord_change(work, Permission.EDIT_ACCORD)
    version = await named_version(
        work, do.version, (*OPEN, AccordStatus.ACTIVE), "Propose a new version with `proposeAccord`."
    )
    check_expected(work, version, do.expected_version)
    replaced = await accord_in_force(work.session)
    document = read_given_document(work, do.document)
    note = checked_value(work, TABLE, "note", given_or(do.note, None), "note")
    require_difference(work, document, replaced)
    if not version.is_open:
        return await insert_draft(work, document, note, replaced)
    work.require_valid()
    if document is None:
        raise TypeError("a valid command has a document")
    after = {} if do.note is NOT_GIVEN else {"note": note}
    if document.content_hash != version.content_hash:
        after |= document.columns | {
            "status": AccordStatus.DRAFT.value,
            "signed_at": None,
            "activates_at": None,
        }
        record_changes(work, await void_signatures(work.session, version, _EDITED))
    record_changes(work, await write_version(work.session, version, after))
    return version_outcome(version.number)

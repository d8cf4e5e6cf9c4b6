"""Undoing an import of any size, on the machine itself."""

from api.access.principal import Principal
from api.db import AdvisoryLock, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import begin_evaluation
from api.identity.ids import parse_id
from api.outbox.record_changes import Author, RecordChange, write_changes
from api.progress import Progress, no_progress
from api.sql import Sql
from api.workflows.imports.undo_import import UndoneImport, undo_job, undone_before
from schema.access.rights import Permission
from schema.writes.changes import ChangeType


async def undo_as_job(
    session: WriteSession, principal: Principal, import_id: str, progress: Progress = no_progress
) -> UndoneImport:
    """Undo an import, however long that takes, as `undo_import` does.

    Shapes: one import -> its counts. Writes what `undo_job` writes, and audit_event (1).
    Errors: NOT_ALLOWED without the access level; BAD_INPUT for an unknown id, the sample company, or an import that was
            undone before.
    """
    principal.require(Permission.IMPORT)
    await session.lock(AdvisoryLock.LOADING)
    await begin_evaluation(session)
    id_ = parse_id("import_job", import_id)
    found = await session.row(Sql("select * from import_job where id = {} for no key update", id_))
    job = None if found is None else dict(found)
    problem = "There is no import with this id." if job is None else undone_before(job)
    if job is None or problem is not None:
        advice = "List the imports with their ids in GraphQL: { imports { nodes { id preset finishedAt undoneAt } } }"
        raise AccordError(ErrorCode.BAD_INPUT, problem or "", advice)
    done = await undo_job(session, job, progress)
    values = {"undone_at": None}, {"undone_at": done.undone_at}
    change = RecordChange(ChangeType.CHANGED, "import_job", job["id"], *values)
    await write_changes(session, Author(principal.name, "undoImport", principal.member_id), [change])
    return done

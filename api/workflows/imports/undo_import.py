"""Undoing an import: what it made goes, what it changed returns, and what was edited since stays."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from api.access.principal import Principal
from api.db import AdvisoryLock, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.identity.ids import parse_id
from api.intake.staged import record_tables
from api.outbox.record_changes import Author, RecordChange, write_changes
from api.progress import Progress, no_progress
from api.sql import Sql
from api.workflows.imports.undone_rows import (
    end_made_facts,
    end_made_records,
    restore_changed_rows,
    restore_replaced_rows,
)
from schema.access.rights import Permission
from schema.base import now
from schema.tables import METADATA, SHAPES
from schema.writes.changes import ChangeType


@dataclass(frozen=True, slots=True)
class UndoneImport:
    """What undoing an import did, by table: rows that went, rows that got values back, and rows that stay."""

    preset: str
    imported_at: datetime
    gone: Counter[str] = field(default_factory=Counter)
    restored: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)


async def undo_import(
    session: WriteSession, principal: Principal, import_id: str, progress: Progress = no_progress
) -> UndoneImport:
    """Undo an import.

    Records that it made are deleted, but for members, teams, pipelines and products, which keep their names; facts that
    it made are voided, or removed if they cannot be.
    What it changed gets its former values back. Whatever was edited since, or has facts since, stays as it is. External
    keys that it brought are removed, so that a later import of the same files makes the records anew.

    Shapes: one import -> its counts. Writes the tables of the import, their versions, external_key, import_job, audit,
            outbox, and what `evaluate` writes.
    Errors: NOT_ALLOWED without the access level; BAD_INPUT for an unknown id, the sample company, or an import that was
            undone before.
    """
    principal.require(Permission.IMPORT)
    await session.lock(AdvisoryLock.LOADING)
    job = await _job(session, parse_id("import_job", import_id))
    done = UndoneImport(job["preset"], job["finished_at"])
    made_at, source = job["created_at"], job["source"]
    tables = [SHAPES[table.name] for table in reversed(METADATA.sorted_tables) if table.name in record_tables()]
    for shape in tables:
        ended, kept = await end_made_facts(session, shape, made_at, source)
        done.gone[shape.name] += ended
        done.kept[shape.name] += kept
    for shape in tables:
        done.gone[shape.name] += await restore_replaced_rows(session, shape, made_at)
        restored, kept = await restore_changed_rows(session, shape, made_at)
        done.restored[shape.name] += restored
        done.kept[shape.name] += kept
    for shape in tables:
        ended, kept = await end_made_records(session, shape, made_at, source)
        done.gone[shape.name] += ended
        done.kept[shape.name] += kept
    await session.run(Sql("update import_job set undone_at = {} where id = {}", now(), job["id"]))
    await session.run(Sql("delete from import_change where changed_at = {}", made_at))
    await evaluate(session, progress=progress)
    change = RecordChange(ChangeType.CHANGED, "import_job", job["id"])
    await write_changes(session, Author(principal.name, "undoImport", principal.member_id), [change])
    return done


async def _job(session: WriteSession, id_: UUID) -> Mapping[str, Any]:
    """Return the import, locked. Errors: BAD_INPUT if it cannot be undone."""
    read = Sql("select id, preset, source, created_at, finished_at, undone_at from import_job where id = {}", id_)
    job = await session.row(read + Sql(" for update"))
    advice = "List the imports with their ids in GraphQL: { imports { nodes { id preset finishedAt undoneAt } } }"
    if job is None:
        raise AccordError(ErrorCode.BAD_INPUT, "There is no import with this id.", advice)
    if job["source"] is None:
        message = "The sample company cannot be undone."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Remove it with an import of your own and --replace-sample.")
    if job["undone_at"] is not None:
        message = f"This import was undone already, at {job['undone_at']:%Y-%m-%d %H:%M} UTC."
        raise AccordError(ErrorCode.BAD_INPUT, message, advice)
    return dict(job)

"""Undoing an import: what it made goes, what it changed returns, and what was edited since stays."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from api.db import AdvisoryLock, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import begin_evaluation
from api.intake.reported_stages import give_keys_back
from api.intake.staged import record_tables
from api.progress import Progress, no_progress
from api.sql import Sql
from api.workflows.commands import argument
from api.workflows.imports.undone_events import create_event_table, evaluate_undone
from api.workflows.imports.undone_rows import (
    end_made_facts,
    end_made_records,
    remove_added_keys,
    restore_changed_rows,
    restore_replaced_rows,
)
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.records.stored_rows import lock_rows
from api.workflows.unit_of_work import UnitOfWork
from schema.tables import METADATA, SHAPES
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

# Records of an import that a mutation undoes at most: a request does not wait for minutes.
MOST_RECORDS = 50_000
TABLES, REMOVED_KEYS = "undone", "removed_keys"
_PATH = ("import_job",)


@dataclass(frozen=True, slots=True)
class UndoImport:
    """The import to undo."""

    import_job: Reference = argument("The import.", table="import_job")


@dataclass(frozen=True, slots=True)
class UndoneImport:
    """What undoing an import did, by table: rows that went, rows that got values back, and rows that stay.

    `removed_keys` are external keys that it had given to records which it did not make.
    """

    preset: str
    imported_at: datetime
    undone_at: datetime
    gone: Counter[str] = field(default_factory=Counter)
    restored: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)
    removed_keys: int = 0

    def tables(self) -> Iterator[str]:
        """Yield the tables with any of these rows, by name."""
        counted = self.gone + self.restored + self.kept
        yield from sorted(counted)


async def undo_import(work: UnitOfWork, do: UndoImport) -> Outcome:
    """Undo an import. What it made goes: records are deleted, facts voided, and its external keys removed, so that
    another import of the same files makes the records anew. What it changed returns. Whatever was edited since, or has
    facts since, stays as it is, and so do members, teams, pipelines and products.

    Shapes: one import -> its id, and counts by table. Writes the tables of the import, their versions, external_key,
            import_job, and what the evaluation writes.
    Errors: TOO_LARGE for an import of more than `MOST_RECORDS` records; BUSY during an import or an evaluation; user
            errors NOT_FOUND, WRONG_STATE.
    """
    await work.session.lock(AdvisoryLock.LOADING)
    await begin_evaluation(work.session)
    id_ = do.import_job.id
    job = None if id_ is None else (await lock_rows(work, "import_job", {id_})).get(id_)
    if job is None:
        work.reject(_PATH, UserErrorCode.NOT_FOUND, "No import that you reach has this id.")
    elif problem := undone_before(job):
        work.reject(_PATH, UserErrorCode.WRONG_STATE, problem)
    work.require_valid()
    if job is None:
        raise TypeError("a valid undo has an import")
    await _require_small(work.session, job)
    done = await undo_job(work.session, job)
    undone = [
        {"record_type": table, "gone": done.gone[table], "restored": done.restored[table], "kept": done.kept[table]}
        for table in done.tables()
    ]
    work.record(
        ChangeType.CHANGED, "import_job", job["id"], before={"undone_at": None}, after={"undone_at": done.undone_at}
    )
    return Outcome({"import_job": job["id"]}, values={TABLES: undone, REMOVED_KEYS: done.removed_keys})


def undone_before(job: Mapping[str, Any]) -> str | None:
    """Return why an import cannot be undone, as a sentence; None if it can."""
    if job["source"] is None:
        return "The sample company cannot be undone. An import of your own with --replace-sample removes it."
    if job["undone_at"] is not None:
        return f"This import was undone already, at {job['undone_at']:%Y-%m-%d %H:%M} UTC."
    return None


async def undo_job(session: WriteSession, job: Mapping[str, Any], progress: Progress = no_progress) -> UndoneImport:
    """Undo an import whose row is locked. The caller holds the lock LOADING and has begun an evaluation.

    Records that it made are deleted, but for members, teams, pipelines and products, which keep their names; facts that
    it made are voided, or removed if they cannot be.
    What it changed gets its former values back. Whatever was edited since, or has facts since, stays as it is. External
    keys that it brought are removed, so that a later import of the same files makes the records anew.

    Shapes: one import -> its counts. Writes the tables of the import, their versions, external_key, import_job, outbox,
            and what the evaluation writes.
    """
    made_at, source = job["created_at"], job["source"]
    undone_at = await session.value(
        Sql(
            "update import_job set undone_at = clock_timestamp(), updated_at = clock_timestamp(),"
            " row_version = row_version + 1 where id = {} returning undone_at",
            job["id"],
        )
    )
    gone: Counter[str] = Counter()
    restored: Counter[str] = Counter()
    kept: Counter[str] = Counter()
    tables = [SHAPES[table.name] for table in reversed(METADATA.sorted_tables) if table.name in record_tables()]
    await create_event_table(session)
    for shape in tables:
        ended, left = await end_made_facts(session, shape, made_at, source)
        gone[shape.name] += ended
        kept[shape.name] += left
    await give_keys_back(session, source)
    for shape in tables:
        gone[shape.name] += await restore_replaced_rows(session, shape, made_at)
        returned, left = await restore_changed_rows(session, shape, made_at)
        restored[shape.name] += returned
        kept[shape.name] += left
    for shape in tables:
        ended, left = await end_made_records(session, shape, made_at, source)
        gone[shape.name] += ended
        kept[shape.name] += left
    keys = await remove_added_keys(session, made_at)
    await session.run(Sql("delete from import_change where changed_at = {}", made_at))
    await evaluate_undone(session, progress)
    return UndoneImport(job["preset"], job["finished_at"], undone_at, gone, restored, kept, keys)


async def _require_small(session: WriteSession, job: Mapping[str, Any]) -> None:
    """Require that a request can undo an import. Errors: TOO_LARGE."""
    written = await session.value(
        Sql("select coalesce(sum(created + changed), 0) from import_count where import_job_id = {}", job["id"])
    )
    if written > MOST_RECORDS:
        raise AccordError(
            ErrorCode.TOO_LARGE,
            f"The import wrote {written:,} records. A mutation undoes {MOST_RECORDS:,} at most.",
            f"Undo it on the server: accord import undo import_job_{job['id']}.",
        )

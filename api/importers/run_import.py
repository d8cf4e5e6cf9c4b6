"""One import: files to records, in one transaction that ends with the evaluation of the funnel."""

import time
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from api.access.evaluation import CURRENT_EVALUATION
from api.accord.documents import read_accord
from api.accord.in_force import AccordInForce, active_version
from api.db import AdvisoryLock, Database, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.importers.database_failures import database_failures
from api.importers.plan import StagedFile, bind
from api.importers.preset import Preset, read_preset, require_stages
from api.importers.rejects_file import RejectsFile
from api.importers.row_values import RowCount
from api.importers.source_file import SourceFile, detect_file
from api.importers.staging import stage_file
from api.importers.unread_merges import UnreadMerges, find_unread_merges
from api.intake.apply import apply_staged_rows
from api.intake.merge import count_unused_rows
from api.intake.staged import Reject, record_tables
from api.intake.upsert import RecordCounts
from api.progress import Progress, no_progress
from api.sql import Sql, join, name
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.base import new_id
from schema.history import version_name
from schema.tables import SHAPES

SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was read of a file: how, and how many rows. `unused` rows are good, but describe no record."""

    name: str
    encoding: str
    delimiter: str
    rows: int
    rejected: int
    unused: int = 0

    @property
    def is_mostly_rejected(self) -> bool:
        """Whether more rows were rejected than accepted: the preset may be the wrong one for this file."""
        return self.rejected * 2 > self.rows


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do (dry run). `rejects` is the file of rejected rows, if there are any.

    `unread_merges` are columns and files that say which records were merged, and that the preset does not read.
    """

    title: str
    files: tuple[FileReport, ...]
    records: dict[str, RecordCounts]
    rejects: Path | None
    accord: str
    is_adopted: bool
    is_presets_accord: bool
    is_dry_run: bool
    seconds: float
    unread_merges: tuple[UnreadMerges, ...] = ()

    @property
    def is_unchanged(self) -> bool:
        """Whether the import changed nothing in the database."""
        is_written = any(counts.created or counts.changed for counts in self.records.values())
        return not self.is_adopted and not is_written

    @property
    def rejected(self) -> int:
        """How many rows were rejected."""
        return sum(file.rejected for file in self.files)


class _DryRun(Exception):  # noqa: N818 - not an error: it rolls back the transaction of a dry run
    """Ends a dry run, and carries its report out of the transaction."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__()
        self.report = report


@dataclass(frozen=True, slots=True)
class _Import:
    """An import whose preset and files have been found to fit."""

    name: str
    folder: Path
    preset: Preset
    accord: Accord
    files: tuple[StagedFile, ...]
    sources: tuple[SourceFile, ...]
    unread_merges: tuple[UnreadMerges, ...]
    is_dry_run: bool
    progress: Progress


async def run_import(
    database: Database,
    preset: str,
    folder: Path,
    *,
    file: str | None = None,
    dry_run: bool = False,
    replace_sample: bool = False,
    rejects_folder: Path | None = None,
    progress: Progress = no_progress,
) -> ImportReport:
    """Import a folder of files by a preset, or one `file` of it by a preset for one; reject rows that are not certain.

    Shapes: files -> records. Writes the preset's tables, external_key, import_job (1), and what adopt_accord and
            evaluate write; nothing at all if nothing changed. Rejected rows go to a file in `rejects_folder`.
    Units:  instants UTC, read in the preset's time zone.
    Errors: UNKNOWN_PRESET; BAD_FILE (names the file, the column, and what is there); SAMPLE_PRESENT; BAD_ACCORD.
    Source: DESIGN "Writes, events, imports".
    """
    used = read_preset(preset) if file is None else _for_one_file(read_preset(preset), preset, file)
    accord = read_accord(used.accord)
    require_stages(used, accord, preset)
    files = bind(used, _absent(used, folder))
    sources = tuple(detect_file(folder, staged.file.name, staged.needed) for staged in files)
    known = {read.name for read in used.files}
    unread = find_unread_merges(files, sources, folder if file is None else None, known)
    planned = _Import(preset, folder, used, accord, files, sources, unread, dry_run, progress)
    path = (rejects_folder or Path()) / f"rejected-{Path(preset).stem}-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.csv"
    with database_failures(), RejectsFile(path) as rejects:
        try:
            async with database.write() as session:
                report = await _run(session, planned, rejects, replace_sample=replace_sample)
                rejects.publish()
                if dry_run:
                    raise _DryRun(report)
        except _DryRun as rolled_back:
            report = rolled_back.report
    return report


def _absent(preset: Preset, folder: Path) -> frozenset[str]:
    """The optional files that are missing. If all files are, the first is left out, so that the import fails on it."""
    absent = frozenset(file.name for file in preset.files if file.is_optional and not (folder / file.name).exists())
    if len(absent) == len(preset.files):
        return absent - {preset.files[0].name}
    return absent


def _for_one_file(preset: Preset, origin: str, name: str) -> Preset:
    """Return a preset for one file, changed to read a file of another name. BAD_FILE if it is for several."""
    if len(preset.files) != 1:
        names = ", ".join(file.name for file in preset.files)
        message = f"The preset {origin} is for {len(preset.files)} files ({names}), and one was named."
        raise AccordError(ErrorCode.BAD_FILE, message, f"Import their folder: accord import {origin} DIR.")
    return preset.model_copy(update={"files": (preset.files[0].model_copy(update={"name": name}),)})


async def _run(session: WriteSession, planned: _Import, rejects: RejectsFile, *, replace_sample: bool) -> ImportReport:
    """Do all steps of an import, inside its transaction."""
    began, started_at = time.monotonic(), datetime.now(UTC)
    await session.lock(AdvisoryLock.LOADING)
    await _remove_sample(session, replace_sample=replace_sample)
    accord, is_adopted = await _accord(session, planned)
    counts = await _stage(session, planned, rejects.add)
    inputs = tuple(file.rows for file in planned.files)
    applied = await apply_staged_rows(
        session,
        inputs,
        planned.preset.source,
        rows=sum(count.read - count.rejected for count in counts),
        reject=rejects.add,
        progress=planned.progress,
    )
    files = [
        FileReport(
            name=source.name,
            encoding=source.encoding,
            delimiter=source.dialect.delimiter,
            rows=count.read,
            rejected=count.rejected + applied.rejected[source.name],
            unused=await count_unused_rows(session, rows),
        )
        for source, count, rows in zip(planned.sources, counts, inputs, strict=True)
    ]
    report = ImportReport(
        title=planned.preset.title,
        files=tuple(files),
        records=applied.records,
        rejects=rejects.path if rejects.count else None,
        accord=accord.accord.title,
        is_adopted=is_adopted,
        is_presets_accord=accord.content_hash == planned.accord.content_hash(),
        is_dry_run=planned.is_dry_run,
        seconds=0,
        unread_merges=planned.unread_merges,
    )
    if not planned.is_dry_run:
        await _finish(session, planned, report, started_at)
    return replace(report, seconds=time.monotonic() - began)


async def _remove_sample(session: WriteSession, *, replace_sample: bool) -> None:
    """Keep a company's data and the sample company apart: remove the sample if allowed, else raise SAMPLE_PRESENT."""
    if not await session.value(Sql("select exists (select from import_job where preset = {})", SAMPLE)):
        return
    if not replace_sample:
        raise AccordError(
            ErrorCode.SAMPLE_PRESENT,
            "This database holds the sample company, which your own data must not be mixed with.",
            "Import into another data folder with --data DIR, or remove the sample with --replace-sample.",
        )
    # Every other import was refused, so all records are the sample's. Without `cascade`, an unnamed table is kept.
    tables = record_tables()
    tables += tuple(version_name(table) for table in tables if SHAPES[table].has_history)
    tables += ("stage_entry", "evaluation", "accord_version", "external_key", "import_job")
    await session.run(Sql("truncate {}", join(", ", map(name, tables))))


async def _accord(session: WriteSession, planned: _Import) -> tuple[AccordInForce, bool]:
    """The accord in force, and whether it is the preset's, adopted now because there was none."""
    present = await active_version(session)
    if present is not None:
        return present, False
    return await adopt_accord(session, planned.accord), True


async def _stage(session: WriteSession, planned: _Import, reject: Reject) -> list[RowCount]:
    """Load all files into their temporary tables; the counts of their rows."""
    return [
        await stage_file(session, file, source, reject, planned.progress)
        for file, source in zip(planned.files, planned.sources, strict=True)
    ]


async def _finish(session: WriteSession, planned: _Import, report: ImportReport, started_at: datetime) -> None:
    """Evaluate the funnel and record the import; if nothing changed, evaluate only where no evaluation exists."""
    is_evaluated = await session.value(Sql("select {} is not null", CURRENT_EVALUATION))
    if not report.is_unchanged or not is_evaluated:
        await evaluate(session, progress=lambda _step, done, total: planned.progress("evaluation", done, total))
    if report.is_unchanged:
        return
    counts = {
        "files": {file.name: {"rows": file.rows, "rejected": file.rejected} for file in report.files},
        "records": {table: asdict(records) for table, records in report.records.items()},
    }
    await session.run(
        Sql(
            "insert into import_job (id, preset, origin, started_at, finished_at, counts)"
            " values ({}, {}, {}, {}, clock_timestamp(), {})",
            new_id(),
            planned.name,
            str(planned.folder.absolute()),
            started_at,
            counts,
        )
    )

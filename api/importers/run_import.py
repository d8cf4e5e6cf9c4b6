"""One import: files to records, in one transaction that ends with the evaluation of the funnel."""

import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from api.access.evaluation import CURRENT_EVALUATION
from api.accord.documents import read_accord
from api.accord.in_force import AccordInForce, active_version
from api.db import AdvisoryLock, Database, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.importers.database_failures import database_failures
from api.importers.import_record import FileReport, FinishedImport, gaps_of, record_import, replace_gaps
from api.importers.plan import StagedFile, bind
from api.importers.preset import Preset, read_preset, require_stages
from api.importers.rejects_file import RejectLog, RejectsFile
from api.importers.row_values import RowCount
from api.importers.source_file import SourceFile, detect_file
from api.importers.staging import count_left_out, stage_file
from api.intake.apply import apply_staged_rows
from api.intake.merge import count_unused_rows
from api.intake.staged import Reject, record_tables
from api.intake.upsert import RecordCounts
from api.progress import Progress, no_progress
from api.sql import Sql, join, name
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.history import version_name
from schema.tables import SHAPES

SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or would do (dry run). `rejects` is the file of rejected rows, if there are any."""

    title: str
    files: tuple[FileReport, ...]
    records: dict[str, RecordCounts]
    rejects: Path | None
    accord: str
    is_adopted: bool
    is_presets_accord: bool
    is_dry_run: bool
    accepts_loss: bool
    seconds: float

    @property
    def is_unchanged(self) -> bool:
        """Whether the import changed nothing in the database."""
        is_written = any(counts.created or counts.changed for counts in self.records.values())
        return not self.is_adopted and not is_written

    @property
    def rejected(self) -> int:
        """How many rows were rejected."""
        return sum(file.rejected for file in self.files)

    @property
    def left_out(self) -> int:
        """How many values were left out."""
        return sum(file.left_out for file in self.files)

    @property
    def mostly_rejected(self) -> tuple[FileReport, ...]:
        """The files of which less than half of the rows can be kept."""
        return tuple(file for file in self.files if file.is_mostly_rejected)

    @property
    def is_refused(self) -> bool:
        """Whether the import commits nothing because it would lose most of a file, and nobody accepted that."""
        return bool(self.mostly_rejected) and not self.accepts_loss

    @property
    def is_rolled_back(self) -> bool:
        """Whether nothing is committed."""
        return self.is_dry_run or self.is_refused


class _RolledBack(Exception):  # noqa: N818 - not an error: it rolls back the transaction
    """Ends an import that commits nothing, and carries its report out of the transaction."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__()
        self.report = report


@dataclass(frozen=True, slots=True)
class _Import:
    """An import whose preset and files have been found to fit. `roles` are the preset's names of the files."""

    name: str
    folder: Path
    preset: Preset
    accord: Accord
    files: tuple[StagedFile, ...]
    sources: tuple[SourceFile, ...]
    roles: dict[str, str]
    is_dry_run: bool
    accepts_loss: bool
    progress: Progress


async def run_import(
    database: Database,
    preset: str,
    folder: Path,
    *,
    file: str | None = None,
    dry_run: bool = False,
    replace_sample: bool = False,
    accept_loss: bool = False,
    rejects_folder: Path | None = None,
    progress: Progress = no_progress,
) -> ImportReport:
    """Import a folder of files by a preset, or one `file` of it by a preset for one; reject rows that are not certain.

    Nothing is committed if less than half of a file's rows can be kept, unless `accept_loss`: the preset may be the
    wrong one for it.

    Shapes: files -> records. Writes the preset's tables, external_key, import_job (1) with import_file, import_count
            and import_reason, source_gap, and what adopt_accord and evaluate write; nothing at all if nothing changed.
            Rejected rows go to a file in `rejects_folder`.
    Units:  instants UTC, read in the preset's time zone.
    Errors: UNKNOWN_PRESET; BAD_FILE (names the file, the column, and what is there); SAMPLE_PRESENT; BAD_ACCORD.
    Source: DESIGN "Writes, events, imports".
    """
    written = read_preset(preset)
    used = written if file is None else _for_one_file(written, preset, file)
    roles = {now.name: before.name for now, before in zip(used.files, written.files, strict=True)}
    accord = read_accord(used.accord)
    require_stages(used, accord, preset)
    files = bind(used, _absent(used, folder))
    sources = tuple(detect_file(folder, staged.file.name, staged.needed) for staged in files)
    planned = _Import(preset, folder, used, accord, files, sources, roles, dry_run, accept_loss, progress)
    path = (rejects_folder or Path()) / f"rejected-{Path(preset).stem}-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.csv"
    with database_failures(), RejectsFile(path) as rejects:
        try:
            async with database.write() as session:
                report = await _run(session, planned, RejectLog(rejects), replace_sample=replace_sample)
                rejects.publish()
                if report.is_rolled_back:
                    raise _RolledBack(report)
        except _RolledBack as rolled_back:
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


async def _run(session: WriteSession, planned: _Import, rejects: RejectLog, *, replace_sample: bool) -> ImportReport:
    """Do all steps of an import, inside its transaction."""
    began, started_at = time.monotonic(), datetime.now(UTC)
    await session.lock(AdvisoryLock.LOADING)
    await _remove_sample(session, replace_sample=replace_sample)
    accord, is_adopted = await _accord(session, planned)
    counts = await _stage(session, planned, rejects.add)
    inputs = tuple(file.rows.with_left_out(count.left_out) for file, count in zip(planned.files, counts, strict=True))
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
            unused=await count_unused_rows(session, file.rows),
            left_out=await count_left_out(session, file, count),
        )
        for source, count, file in zip(planned.sources, counts, planned.files, strict=True)
    ]
    report = ImportReport(
        title=planned.preset.title,
        files=tuple(files),
        records=applied.records,
        rejects=rejects.file.path if rejects.file.count else None,
        accord=accord.accord.title,
        is_adopted=is_adopted,
        is_presets_accord=accord.content_hash == planned.accord.content_hash(),
        is_dry_run=planned.is_dry_run,
        accepts_loss=planned.accepts_loss,
        seconds=0,
    )
    if not report.is_rolled_back:
        await _finish(session, planned, report, rejects, started_at)
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
    tables += ("stage_entry", "evaluation", "accord_version", "external_key")
    tables += ("import_job", "import_file", "import_count", "import_reason", "source_gap")
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


async def _finish(
    session: WriteSession, planned: _Import, report: ImportReport, rejects: RejectLog, started_at: datetime
) -> None:
    """Evaluate the funnel and record the import; if nothing changed, evaluate only where no evaluation exists."""
    is_evaluated = await session.value(Sql("select {} is not null", CURRENT_EVALUATION))
    if not report.is_unchanged or not is_evaluated:
        await evaluate(session, progress=lambda _step, done, total: planned.progress("evaluation", done, total))
    roles = [planned.roles[file.name] for file in report.files]
    gaps = gaps_of(planned.files, planned.roles, report.files)
    has_other_gaps = await replace_gaps(session, planned.preset.source, roles, gaps)
    if report.is_unchanged and not has_other_gaps:
        return
    done = FinishedImport(
        preset=planned.name,
        source=planned.preset.source,
        origin=planned.folder,
        started_at=started_at,
        files=report.files,
        records=report.records,
        reasons=rejects.reasons,
    )
    await record_import(session, done)

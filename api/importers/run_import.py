"""One import: files to records, in one transaction that ends with the evaluation of the funnel."""

import time
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from api.access.credentials.access_cache import announce_access_change
from api.access.evaluation import CURRENT_EVALUATION
from api.accord.documents import read_accord
from api.accord.in_force import AccordInForce, active_version
from api.db import AdvisoryLock, Database, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import begin_evaluation, discard_former_entries
from api.identity.sources import SourceName, choose_source, require_source_name
from api.importers.database_failures import database_failures
from api.importers.explain.explainer import RowExplainer
from api.importers.exports.recognise import FoundFiles, recognise_files
from api.importers.layout.workbook import SheetCopies
from api.importers.plan import StagedFile, bind
from api.importers.preset import Preset, read_preset, require_stages
from api.importers.reporting.import_record import FileReport, FinishedImport, gaps_of, record_import, replace_gaps
from api.importers.reporting.import_report import ImportReport
from api.importers.reporting.rejects_file import RejectLog, RejectsFile
from api.importers.reporting.reported_stages import ReportedStages, compare_reported_stages
from api.importers.reporting.unread_merges import UnreadMerges, find_unread_merges
from api.importers.row_values import RowCount
from api.importers.source_file import SourceFile, detect_file
from api.importers.staging import count_left_out, stage_file
from api.intake.apply import apply_staged_rows
from api.intake.evaluate_import import EvaluatedPeople, evaluate_import
from api.intake.merge import count_unused_rows
from api.intake.record_events import write_record_events
from api.intake.staged import Reject, record_tables
from api.outbox.positions import expire_cursors
from api.progress import Progress, no_progress
from api.sql import Sql, join, name
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.history import version_name
from schema.tables import SHAPES

SAMPLE = "sample"


class _RolledBack(Exception):  # noqa: N818 - not an error: it rolls back the transaction of an import
    """Ends a dry run or a refused import, and carries its report out of the transaction."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__()
        self.report = report


@dataclass(frozen=True, slots=True)
class _Inputs:
    """The accord of a preset, the source whose keys the files have, and the files, bound and detected."""

    accord: Accord
    source: SourceName
    files: tuple[StagedFile, ...]
    sources: tuple[SourceFile, ...]


@dataclass(frozen=True, slots=True)
class _Import:
    """An import whose preset and files have been found to fit. `roles` are the preset's names of the files."""

    name: str
    folder: Path
    preset: Preset
    inputs: _Inputs
    roles: dict[str, str]
    links: Collection[str]
    unread_merges: tuple[UnreadMerges, ...]
    is_dry_run: bool
    accepts_changes: bool
    accepts_loss: bool
    progress: Progress
    ignored: tuple[str, ...]
    explainer: RowExplainer | None = None


async def run_import(
    database: Database,
    preset: str,
    folder: Path,
    *,
    file: str | None = None,
    sheet: str | None = None,
    dates: str | None = None,
    source: str | None = None,
    may_ask_source: bool = False,
    links: Collection[str] = (),
    dry_run: bool = False,
    accept_changes: bool = False,
    replace_sample: bool = False,
    accept_loss: bool = False,
    rejects_folder: Path | None = None,
    progress: Progress = no_progress,
    explainer: RowExplainer | None = None,
    accord: str | None = None,
) -> ImportReport:
    """Import a folder of files by a preset, or one `file` of it by a preset for one; reject rows that are not certain.

    A preset that recognises its files takes a file in place of the folder too; `dates` is the order of day and month.
    Nothing is committed if less than half of a file's rows can be kept, unless `accept_loss`: the preset may be the
    wrong one for it; nor if so many known records change name and address at once that the keys are in doubt, unless
    `accept_changes`.

    Shapes: files -> records. Writes the preset's tables, external_key, import_job (1) with import_file, import_count
            and import_reason, source_gap, audit_event (1), outbox_event for each record that is new or changed (a first
            load expires cursors instead), and what adopt_accord and evaluate write; nothing at all if nothing changed.
            Rejected rows go to a file in `rejects_folder`, or to the `explainer` of one row; with it, `dry_run` must be
            true. `source` names whose keys these are; `accord` is adopted instead of the preset's. In the tables of
            `links`, new keys become keys of the record with the same domain or e-mail address.
    Units:  instants UTC, read in the preset's time zone.
    Errors: UNKNOWN_PRESET; BAD_FILE (names the file, the column, and what is there); SAMPLE_PRESENT; BAD_ACCORD;
            UnnamedSourceError if neither the preset nor the columns of its files decide the source; with
            `may_ask_source` also for the first import, which is named after its file otherwise.
    Source: api/README.md, "A write".
    """
    require_source_name(source)
    path = (rejects_folder or Path()) / f"rejected-{Path(preset).stem}-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.csv"
    with SheetCopies() as copies, database_failures(), RejectsFile(path) as rejects:
        found = _with_files(preset, folder, file, sheet=sheet, dates=dates, copies=copies)
        inputs = await _inputs(database, preset, found, copies, source=source, may_ask_source=may_ask_source)
        if accord is not None:
            inputs = replace(inputs, accord=read_accord(accord))
        if explainer is not None:
            explainer.choose(inputs.files)
        all_of_folder = folder if file is None and folder == found.folder else None
        planned = _Import(
            name=preset,
            folder=found.folder,
            preset=found.preset,
            inputs=inputs,
            roles=found.roles,
            links=links,
            unread_merges=_unread_merges(found.preset, inputs.files, inputs.sources, all_of_folder),
            is_dry_run=dry_run,
            accepts_changes=accept_changes,
            accepts_loss=accept_loss,
            progress=progress,
            ignored=found.ignored,
            explainer=explainer,
        )
        try:
            async with database.write() as session:
                report = await _run(session, planned, RejectLog(rejects), replace_sample=replace_sample)
                rejects.publish()
                if report.is_rolled_back:
                    raise _RolledBack(report)
        except _RolledBack as rolled_back:
            report = rolled_back.report
        else:
            async with database.write() as session:
                await discard_former_entries(session)
    return report


async def _inputs(
    database: Database,
    origin: str,
    found: FoundFiles,
    copies: SheetCopies,
    *,
    source: str | None,
    may_ask_source: bool,
) -> _Inputs:
    """Check that the preset and the files fit, and decide whose keys they have."""
    accord = read_accord(found.preset.accord)
    require_stages(found.preset, accord, origin)
    absent = _absent(found.preset, found.folder)
    # The files show which columns they have, the columns from which source they are.
    sources = tuple(_detect(found.folder, staged, copies) for staged in bind(found.preset, "", absent))
    headers = {detected.name: frozenset(detected.columns) for detected in sources}
    named = await choose_source(database, source or found.preset.source, headers, may_ask=may_ask_source)
    return _Inputs(accord, named, bind(found.preset, named.name, absent), sources)


def _detect(folder: Path, staged: StagedFile, copies: SheetCopies) -> SourceFile:
    file = staged.file
    return detect_file(folder, file.name, staged.needed, key=file.key, layout=file.layout, copies=copies)


def _unread_merges(
    preset: Preset, files: Sequence[StagedFile], sources: Sequence[SourceFile], folder: Path | None
) -> tuple[UnreadMerges, ...]:
    """What says merges and is not read, in these files, and in others of the folder if there is one."""
    return find_unread_merges(files, sources, folder, {file.name for file in preset.files})


def _with_files(
    origin: str, path: Path, file: str | None, *, sheet: str | None, dates: str | None, copies: SheetCopies
) -> FoundFiles:
    """The preset, changed to read the files that are there, where it recognises them or one is named."""
    preset = read_preset(origin)
    if preset.is_recognised:
        return recognise_files(preset, origin, path if file is None else path / file, dates, copies)
    if dates is not None:
        message = f"The preset {origin} states how dates are written."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Leave --dates out, or change the preset.")
    used = preset if file is None else _for_one_file(preset, origin, file, sheet)
    roles = {now.name: before.name for now, before in zip(used.files, preset.files, strict=True)}
    return FoundFiles(used, path, roles)


def _absent(preset: Preset, folder: Path) -> frozenset[str]:
    """The optional files that are missing. If all files are, the first is left out, so that the import fails on it."""
    absent = frozenset(file.name for file in preset.files if file.is_optional and not (folder / file.name).exists())
    if len(absent) == len(preset.files):
        return absent - {preset.files[0].name}
    return absent


def _for_one_file(preset: Preset, origin: str, name: str, sheet: str | None) -> Preset:
    """Return a preset for one file, changed to read a file of another name. BAD_FILE if it is for several."""
    if len(preset.files) != 1:
        names = ", ".join(file.name for file in preset.files)
        message = f"The preset {origin} is for {len(preset.files)} files ({names}), and one was named."
        raise AccordError(ErrorCode.BAD_FILE, message, f"Import their folder: accord import {origin} DIR.")
    changes = {"name": name, "sheet": sheet or preset.files[0].sheet}
    return preset.model_copy(update={"files": (preset.files[0].model_copy(update=changes),)})


async def _file_reports(
    session: WriteSession, planned: _Import, counts: Sequence[RowCount], rejected: Counter[str]
) -> tuple[FileReport, ...]:
    """What was read of the files; `rejected` are the rows that the intake rejected."""
    inputs = planned.inputs
    reports = [
        FileReport(
            name=source.name,
            encoding=source.encoding,
            delimiter=source.dialect.delimiter,
            rows=count.read,
            rejected=count.rejected + rejected[source.name],
            unused=await count_unused_rows(session, file.rows),
            left_out=await count_left_out(session, file, count),
            sheet=source.sheet,
            header_line=source.header_line,
            totals=tuple(line for footer in count.footers for line in footer.totals),
            notes=tuple(line for footer in count.footers for line in footer.notes),
        )
        for source, count, file in zip(inputs.sources, counts, inputs.files, strict=True)
    ]
    return tuple(reports)


async def _run(session: WriteSession, planned: _Import, rejects: RejectLog, *, replace_sample: bool) -> ImportReport:
    """Do all steps of an import, inside its transaction."""
    began, started_at = time.monotonic(), datetime.now(UTC)
    await session.lock(AdvisoryLock.LOADING)
    if not planned.is_dry_run:
        await begin_evaluation(session)
    await _remove_sample(session, replace_sample=replace_sample)
    accord, is_adopted = await _accord(session, planned)
    explainer = planned.explainer
    reject = rejects.add if explainer is None else explainer.reject
    counts = await _stage(session, planned, reject)
    if explainer is not None:
        await explainer.staged(session, planned.inputs.files, planned.inputs.sources, counts)
    inputs = tuple(
        file.rows.with_left_out(count.left_out) for file, count in zip(planned.inputs.files, counts, strict=True)
    )
    applied = await apply_staged_rows(
        session,
        inputs,
        planned.inputs.source.name,
        rows=sum(count.read - count.rejected for count in counts),
        reject=reject,
        progress=planned.progress,
        links=planned.links,
    )
    if explainer is not None:
        used = planned.preset
        await explainer.applied(
            session, planned.inputs.files, planned.inputs.sources, planned.inputs.source.name, used.zone
        )
    report = ImportReport(
        title=planned.preset.title,
        source=planned.inputs.source,
        files=await _file_reports(session, planned, counts, applied.rejected),
        records=applied.records,
        rejects=rejects.file.path if rejects.file.count else None,
        accord=accord.accord.title,
        is_adopted=is_adopted,
        is_presets_accord=accord.content_hash == planned.inputs.accord.content_hash(),
        is_dry_run=planned.is_dry_run,
        accepts_loss=planned.accepts_loss,
        seconds=0,
        ignored=planned.ignored,
        identity_changes=applied.identity_changes,
        likely_same=applied.likely_same,
        are_changes_accepted=planned.accepts_changes,
        unread_merges=planned.unread_merges,
        reported_stages=await _reported_stages(session, planned, accord),
    )
    if not report.is_rolled_back:
        if not applied.is_first_load:
            await write_record_events(session, report.records)
        report = replace(report, evaluated=await _evaluated(session, planned, report))
        await _record(session, planned, report, rejects, started_at)
        if applied.is_first_load:
            await expire_cursors(session)
    return replace(report, seconds=time.monotonic() - began)


async def _reported_stages(session: WriteSession, planned: _Import, accord: AccordInForce) -> ReportedStages:
    """How the reported stages fit the accord; nothing if the preset reads none."""
    reads = any(record.table == "reported_stage" for file in planned.preset.files for record in file.records)
    if not reads:
        return ReportedStages()
    return await compare_reported_stages(session, accord.accord, planned.inputs.source.name)


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
    # Every other import was refused, so all records are the sample's, and the credentials of its people end with them.
    # Keys of nobody stay. Without `cascade`, an unnamed table is kept.
    keys_of_nobody = "select * from api_key where member_id is null and not is_demo"
    await session.script(f"create temporary table kept_key on commit drop as {keys_of_nobody}")
    tables = record_tables()
    tables += tuple(version_name(table) for table in tables if SHAPES[table].has_history)
    tables += ("stage_entry", "journey", "handoff_journey", "deal_journey", "deal_span", "wake_up", "touched_record")
    tables += ("day_sum", "day_sum_run", "journey_change", "evaluation", "accord_version", "external_key")
    tables += (
        "import_job",
        "import_file",
        "import_count",
        "import_reason",
        "source_gap",
        "record_merge",
        "import_change",
    )
    tables += ("api_key", "member_access", "page_session", "audit_event")
    tables += ("accord_signature", "accord_comment", "accord_preview", "accord_preview_person")
    await session.run(Sql("truncate {}", join(", ", map(name, tables))))
    await session.script("insert into api_key select * from kept_key")
    await announce_access_change(session)


async def _accord(session: WriteSession, planned: _Import) -> tuple[AccordInForce, bool]:
    """The accord in force, and whether it is the preset's, adopted now because there was none."""
    present = await active_version(session)
    if present is not None:
        return present, False
    return await adopt_accord(session, planned.inputs.accord), True


async def _stage(session: WriteSession, planned: _Import, reject: Reject) -> list[RowCount]:
    """Load all files into their temporary tables; the counts of their rows."""
    watch_of = planned.explainer.watch_of if planned.explainer else lambda _file: None
    return [
        await stage_file(session, file, source, reject, planned.progress, watch_of(file.file.name))
        for file, source in zip(planned.inputs.files, planned.inputs.sources, strict=True)
    ]


async def _evaluated(session: WriteSession, planned: _Import, report: ImportReport) -> EvaluatedPeople | None:
    """Evaluate the funnel; if nothing changed, only where no evaluation exists."""
    is_evaluated = await session.value(Sql("select {} is not null", CURRENT_EVALUATION))
    if report.is_unchanged and is_evaluated:
        return None
    return await evaluate_import(
        session, report.records, lambda _step, done, total: planned.progress("evaluation", done, total)
    )


async def _record(
    session: WriteSession, planned: _Import, report: ImportReport, rejects: RejectLog, started_at: datetime
) -> None:
    """Record the import, and what its source does not have."""
    roles = [planned.roles[file.name] for file in report.files]
    gaps = gaps_of(planned.inputs.files, planned.roles, report.files)
    has_other_gaps = await replace_gaps(session, planned.inputs.source.name, roles, gaps)
    if report.is_unchanged and not has_other_gaps:
        return
    done = FinishedImport(
        preset=planned.name,
        source=planned.inputs.source.name,
        origin=planned.folder,
        columns={source.name: source.columns for source in planned.inputs.sources},
        started_at=started_at,
        files=report.files,
        records=report.records,
        reasons=rejects.reasons,
        rejects=report.rejects,
    )
    await record_import(session, done)

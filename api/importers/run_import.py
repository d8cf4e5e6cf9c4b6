"""One import: a company's files into the records, in one transaction that ends with the evaluation."""

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
from api.importers.mapping import importable
from api.importers.plan import StagedFile, bind
from api.importers.preset import Preset, read_preset, require_stages
from api.importers.rejects_file import Rejects
from api.importers.row_values import Count
from api.importers.source_file import Source, find_source
from api.importers.staging import stage
from api.intake.constraint_violations import Contradiction, contradictions, refuse
from api.intake.dangling_keys import refuse_dangling
from api.intake.external_keys import make_keys
from api.intake.first_load import bare_if_first
from api.intake.merge import by_table, compare, silent_rows
from api.intake.upsert import Tally, write
from api.progress import Progress
from api.sql import Sql, join, name
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.base import new_id
from schema.history import version_name
from schema.tables import SHAPES

SAMPLE = "sample"


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was read of a file."""

    name: str
    encoding: str
    delimiter: str
    rows: int
    rejected: int
    silent: int = 0
    """How many good rows say nothing that the preset reads: no record has anything from them."""

    @property
    def is_mostly_refused(self) -> bool:
        """Whether more rows were refused than kept: the preset may not be meant for this file."""
        return self.rejected * 2 > self.rows


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did, or (dry run) would do."""

    title: str
    files: tuple[FileReport, ...]
    records: dict[str, Tally]
    rejects: Path | None
    accord: str
    is_adopted: bool
    is_presets_accord: bool
    is_dry_run: bool
    seconds: float

    @property
    def is_unchanged(self) -> bool:
        """Whether the database is as it was."""
        return not self.is_adopted and not any(each.created or each.changed for each in self.records.values())

    @property
    def rejected(self) -> int:
        """How many rows were refused."""
        return sum(each.rejected for each in self.files)


class _DryRun(Exception):  # noqa: N818 - no error: the way out of a unit of work that must leave nothing
    """Ends a dry run, with what it found."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__()
        self.report = report


@dataclass(frozen=True, slots=True)
class _Import:
    """An import whose files have been found and can be read."""

    name: str
    folder: Path
    preset: Preset
    accord: Accord
    files: tuple[StagedFile, ...]
    sources: tuple[Source, ...]
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
    progress: Progress | None = None,
) -> ImportReport:
    """Import a folder of files by a preset, or one `file` of it by a preset for one; refuse what is not certain.

    Shapes: files -> records. Writes the preset's tables, external_key, import_job (1), and what adopt_accord and
            evaluate write; nothing at all where nothing changed. Refused rows go to a file in `rejects_folder`.
    Units:  instants UTC, read in the preset's zone.
    Errors: UNKNOWN_PRESET; BAD_FILE (which file, which column, what is there); SAMPLE_PRESENT; BAD_ACCORD.
    Source: DESIGN "Writes, events, imports".
    """
    wanted = read_preset(preset) if file is None else _for_one_file(read_preset(preset), preset, file)
    accord = read_accord(wanted.accord)
    require_stages(wanted, accord, preset)
    files = bind(wanted, _absent(wanted, folder))
    sources = tuple(find_source(folder, each.file.name, each.needed) for each in files)
    tell = progress or (lambda _step, _done, _total: None)
    planned = _Import(preset, folder, wanted, accord, files, sources, dry_run, tell)
    target = (rejects_folder or Path()) / f"rejected-{Path(preset).stem}-{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}.csv"
    with database_failures(), Rejects(target) as rejects:
        try:
            async with database.write() as session:
                report = await _work(session, planned, rejects, replace_sample=replace_sample)
                rejects.settle()
                if dry_run:
                    raise _DryRun(report)
        except _DryRun as undone:
            report = undone.report
    return report


def _absent(preset: Preset, folder: Path) -> frozenset[str]:
    """The optional files that are not there; but for a folder that has none of the files at all."""
    absent = frozenset(each.name for each in preset.files if each.is_optional and not (folder / each.name).exists())
    if len(absent) == len(preset.files):
        return absent - {preset.files[0].name}
    return absent


def _for_one_file(preset: Preset, origin: str, name: str) -> Preset:
    """The preset, meant for a file of another name."""
    if len(preset.files) != 1:
        there = ", ".join(each.name for each in preset.files)
        message = f"The preset {origin} is for {len(preset.files)} files ({there}), and one was named."
        raise AccordError(ErrorCode.BAD_FILE, message, f"Import their folder: accord import {origin} DIR.")
    return preset.model_copy(update={"files": (preset.files[0].model_copy(update={"name": name}),)})


async def _work(session: WriteSession, planned: _Import, rejects: Rejects, *, replace_sample: bool) -> ImportReport:
    """Do everything that one import does, inside its transaction."""
    began, started_at = time.monotonic(), datetime.now(UTC)
    await session.lock(AdvisoryLock.LOADING)
    await _make_room(session, replace_sample=replace_sample)
    accord, is_adopted = await _accord(session, planned)
    counts = await _stage(session, planned, rejects)
    rows = sum(count.read - count.rejected for count in counts.values())
    async with bare_if_first(session, planned.files, rows, planned.progress):
        tallies = await _write(session, planned, rejects, counts)
    silent = [await silent_rows(session, each) for each in planned.files]
    report = ImportReport(
        title=planned.preset.title,
        files=tuple(
            FileReport(each.name, each.encoding, each.dialect.delimiter, count.read, count.rejected, said_nothing)
            for each, count, said_nothing in zip(planned.sources, counts.values(), silent, strict=True)
        ),
        records=tallies,
        rejects=rejects.path if rejects.count else None,
        accord=accord.accord.title,
        is_adopted=is_adopted,
        is_presets_accord=accord.content_hash == planned.accord.content_hash(),
        is_dry_run=planned.is_dry_run,
        seconds=0,
    )
    if not planned.is_dry_run:
        await _conclude(session, planned, report, started_at)
    return replace(report, seconds=time.monotonic() - began)


async def _make_room(session: WriteSession, *, replace_sample: bool) -> None:
    """Keep a company's data and the sample company apart."""
    if not await session.value(Sql("select exists (select from import_job where preset = {})", SAMPLE)):
        return
    if not replace_sample:
        raise AccordError(
            ErrorCode.SAMPLE_PRESENT,
            "This database holds the sample company, which your own data must not be mixed with.",
            "Import into another data folder with --data DIR, or take the sample's place with --replace-sample.",
        )
    # Nothing but the sample can be here: every import was refused. No `cascade`: a table that is not named must stay.
    tables = [each for each in importable() if not SHAPES[each].has_history]
    tables += [each for known in importable() if SHAPES[known].has_history for each in (known, version_name(known))]
    tables += ["stage_entry", "evaluation", "accord_version", "external_key", "import_job"]
    await session.run(Sql("truncate {}", join(", ", map(name, tables))))


async def _accord(session: WriteSession, planned: _Import) -> tuple[AccordInForce, bool]:
    """The accord in force; where there is none, the preset's is adopted."""
    present = await active_version(session)
    if present is not None:
        return present, False
    return await adopt_accord(session, planned.accord), True


async def _stage(session: WriteSession, planned: _Import, rejects: Rejects) -> dict[str, Count]:
    counts: dict[str, Count] = {}
    for file, source in zip(planned.files, planned.sources, strict=True):
        counts[source.name] = await stage(session, file, source, rejects, planned.progress)
    await refuse_dangling(session, planned.files, planned.preset.source, rejects, counts)
    return counts


async def _write(
    session: WriteSession, planned: _Import, rejects: Rejects, counts: dict[str, Count]
) -> dict[str, Tally]:
    """Write the records. Where one cannot be as its rows tell it, refuse these rows and begin again without them."""
    while True:
        await session.script("savepoint records")
        tallies, impossible = await _write_what_can_be(session, planned)
        if not impossible:
            return tallies
        await session.script("rollback to savepoint records")
        await refuse(session, impossible, rejects, counts)
        await refuse_dangling(session, planned.files, planned.preset.source, rejects, counts)


async def _write_what_can_be(session: WriteSession, planned: _Import) -> tuple[dict[str, Tally], list[Contradiction]]:
    """Write table after table, up to the first with records that cannot be."""
    await make_keys(session, planned.files, planned.preset.source)
    tallies: dict[str, Tally] = {}
    tables = by_table(planned.files, planned.preset.source)
    for done, told in enumerate(tables):
        planned.progress("records", done, len(tables))
        await compare(session, told)
        impossible = await contradictions(session, told, planned.files)
        if impossible:
            return tallies, impossible
        tallies[told.table] = await write(session, told)
        if tallies[told.table].created:
            await session.run(Sql("analyze {}", name(told.table)))
    planned.progress("records", len(tables), len(tables))
    return tallies, []


async def _conclude(session: WriteSession, planned: _Import, report: ImportReport, started_at: datetime) -> None:
    """Judge everybody anew and remember the import; where nothing changed, there is nothing to do."""
    is_judged = await session.value(Sql("select {} is not null", CURRENT_EVALUATION))
    if not report.is_unchanged or not is_judged:
        await evaluate(session, progress=lambda _step, done, total: planned.progress("evaluation", done, total))
    if report.is_unchanged:
        return
    counts = {
        "files": {each.name: {"rows": each.rows, "rejected": each.rejected} for each in report.files},
        "records": {table: asdict(tally) for table, tally in report.records.items()},
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

"""What an import leaves about itself: its files, its counts, its reasons, and the gaps that rejected rows leave."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

from api.access.principal import LOCAL_OPERATOR
from api.db import WriteSession
from api.importers.plan import StagedFile
from api.importers.reporting.rejects_file import CountedReason
from api.intake.upsert import RecordCounts
from api.outbox.record_changes import Author, RecordChange, write_changes
from api.sql import Sql
from schema.base import new_id
from schema.writes.changes import ChangeType


@dataclass(frozen=True, slots=True)
class FileReport:
    """What was read of a file: how, and how many rows. `unused` rows are good, but describe no record.

    `left_out` is how many cells could not be read in rows that were kept without their value. `totals` and `notes` are
    the lines below the table; `sheet` is the sheet of a workbook.
    """

    name: str
    encoding: str
    delimiter: str
    rows: int
    rejected: int
    unused: int = 0
    left_out: int = 0
    sheet: str | None = None
    header_line: int = 1
    totals: tuple[int, ...] = ()
    notes: tuple[int, ...] = ()

    @property
    def is_mostly_rejected(self) -> bool:
        """Whether more rows were rejected than accepted: the preset may be the wrong one for this file."""
        return self.rejected * 2 > self.rows


@dataclass(frozen=True, slots=True)
class FinishedImport:
    """An import that ends: what it read, and what it counted. `columns` are those of every file, by its name."""

    preset: str
    source: str
    origin: Path
    columns: Mapping[str, Sequence[str]]
    started_at: datetime
    files: Sequence[FileReport]
    records: Mapping[str, RecordCounts]
    reasons: Mapping[CountedReason, int]
    rejects: Path | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Rows that the last import of a file rejected, for one type of the records that they describe.

    `role` is the file's name in the preset: it stays when a single file has another name every month.
    """

    role: str
    record_type: str
    file_name: str
    rows: int


def gaps_of(files: Sequence[StagedFile], roles: Mapping[str, str], reports: Sequence[FileReport]) -> list[Gap]:
    """The gaps that an import leaves, by the tables of its files. `roles` are by the names of the files."""
    return [
        Gap(roles[report.name], table, report.name, report.rejected)
        for file, report in zip(files, reports, strict=True)
        for table in sorted({record.table for record in file.file.records})
        if report.rejected
    ]


async def replace_gaps(session: WriteSession, source: str, roles: Sequence[str], gaps: Sequence[Gap]) -> bool:
    """Let the gaps of these files be those of this import. Returns whether they differ from those of the last one.

    Shapes: Gaps -> rows of source_gap, none for a file without rejected rows.
    """
    present = await session.rows(
        Sql(
            "select role, record_type, file_name, rows_rejected from source_gap where source = {}"
            " and role = any({}::text[])",
            source,
            list(roles),
        )
    )
    known = {Gap(row["role"], row["record_type"], row["file_name"], row["rows_rejected"]) for row in present}
    if known == set(gaps):
        return False
    await session.run(Sql("delete from source_gap where source = {} and role = any({}::text[])", source, list(roles)))
    for gap in gaps:
        await session.run(
            Sql(
                "insert into source_gap (source, role, record_type, file_name, rows_rejected, imported_at)"
                " values ({}, {}, {}, {}, {}, clock_timestamp())",
                *(source, gap.role, gap.record_type, gap.file_name, gap.rows),
            )
        )
    return True


async def record_import(session: WriteSession, done: FinishedImport) -> None:
    """Record a finished import.

    Shapes: one import -> import_job (1), rows of import_file, import_count and import_reason, and audit_event (1).
    """
    counts = {
        "files": {file.name: {"rows": file.rows, "rejected": file.rejected} for file in done.files},
        "records": {table: asdict(records) for table, records in done.records.items()},
    }
    job = new_id()
    await session.run(
        Sql(
            "insert into import_job (id, preset, source, origin, columns, rejects_folder, started_at, finished_at,"
            " counts) values ({}, {}, {}, {}, {}, {}, {}, clock_timestamp(), {})",
            *(job, Path(done.preset).name, done.source, str(done.origin.absolute()), dict(done.columns)),
            str(done.rejects.absolute().parent) if done.rejects is not None else None,
            *(done.started_at, counts),
        )
    )
    ids = {file.name: new_id() for file in done.files}
    await session.copy(
        "import_file",
        ("id", "import_job_id", "name", "rows_read", "rows_rejected", "rows_unused", "values_left_out"),
        [(ids[file.name], job, file.name, file.rows, file.rejected, file.unused, file.left_out) for file in done.files],
    )
    await session.copy(
        "import_count",
        ("id", "import_job_id", "record_type", "created", "changed", "unchanged"),
        [
            (new_id(), job, table, records.created, records.changed, records.unchanged)
            for table, records in done.records.items()
        ],
    )
    await session.copy(
        "import_reason",
        ("id", "import_file_id", "column_name", "reason", "is_left_out", "occurrences"),
        [
            (new_id(), ids[counted.source], counted.column or None, counted.reason, counted.is_left_out, times)
            for counted, times in done.reasons.items()
        ],
    )
    job_change = RecordChange(
        ChangeType.CREATED, "import_job", job, after={"preset": done.preset, "source": done.source}
    )
    await write_changes(session, Author(LOCAL_OPERATOR.name, "import"), (job_change,))

"""Follows one row through an import that is rolled back: reading, staging, merging, rejecting."""

from collections.abc import Sequence

from api.db import WriteSession
from api.errors import AccordError, ErrorCode
from api.importers.csv_rows import UnreadableLine
from api.importers.explain.cells import explain_cells
from api.importers.explain.explanation import RowExplanation
from api.importers.explain.row_watch import RowWatch
from api.importers.explain.staged_records import StagedValues, explain_records, staged_values
from api.importers.plan import StagedFile
from api.importers.row_values import RowCount
from api.importers.source_file import SourceFile
from api.intake.merge import merge_tables
from api.intake.staged import RejectedRow
from api.sql import Sql, name


class RowExplainer:
    """The row that begins on a line of a file; `file` may be None if the import has only one file with records.

    An import calls its methods in order: `choose`, `reject` at any time, `staged`, `applied`. Then there is an
    `explanation`.
    """

    def __init__(self, line: int, file: str | None = None) -> None:
        self.explanation: RowExplanation | None = None
        self._line = line
        self._name = file
        self._watch = RowWatch(line)
        self._rejected: list[RejectedRow] = []
        self._before: dict[int, list[StagedValues]] = {}

    def choose(self, files: Sequence[StagedFile]) -> None:
        """Choose the file among those of the import. Errors: BAD_INPUT if it is not among them or not stated."""
        names = [staged.file.name for staged in files if staged.file.records]
        if self._name is None and len(names) == 1:
            self._name = names[0]
        if self._name not in names:
            what = "The import reads several files" if self._name is None else f"The import reads no file {self._name}"
            raise AccordError(
                ErrorCode.BAD_INPUT,
                f"{what}: {', '.join(names)}.",
                f"Name the file and the line: --explain-row {names[0]}:{self._line}.",
            )

    def watch_of(self, file: str) -> RowWatch | None:
        """Return what watches the rows of a file; None for the other files."""
        return self._watch if file == self._name else None

    def reject(self, row: RejectedRow) -> None:
        """Keep a reason for which the row was rejected."""
        if (row.source, row.line) == (self._name, self._line):
            self._rejected.append(row)

    async def staged(
        self,
        session: WriteSession,
        files: Sequence[StagedFile],
        sources: Sequence[SourceFile],
        counts: Sequence[RowCount],
    ) -> None:
        """Keep what the row says about its records, before rows are rejected together. Errors: BAD_INPUT if no row."""
        place = next(place for place, staged in enumerate(files) if staged.file.name == self._name)
        if self._watch.row is None:
            raise self._no_row(sources[place], counts[place])
        for number, records in enumerate(files[place].rows.records):
            self._before[number] = await staged_values(session, records, self._line)

    async def applied(
        self, session: WriteSession, files: Sequence[StagedFile], sources: Sequence[SourceFile], source: str, zone: str
    ) -> None:
        """Explain the row, after all records were written."""
        place = next(place for place, staged in enumerate(files) if staged.file.name == self._name)
        file, row = files[place], self._watch.row
        merges = {merge.table: merge for merge in merge_tables([staged.rows for staged in files], source)}
        self.explanation = RowExplanation(
            file=file.file.name,
            line=self._line,
            cells=explain_cells(self._watch, file, sources[place], zone),
            text=row.text if isinstance(row, UnreadableLine) else sources[place].dialect.delimiter.join(row or ()),
            records=await explain_records(session, file, self._line, self._before, merges),
            rejected=tuple(self._rejected),
            is_kept=await self._is_staged(session, file),
        )

    async def _is_staged(self, session: WriteSession, file: StagedFile) -> bool:
        """Whether the row was not rejected; the intake deletes those that it rejects."""
        stage, line = name(file.rows.stage), self._line
        return bool(await session.value(Sql("select exists (select from {} where line = {})", stage, line)))

    def _no_row(self, source: SourceFile, count: RowCount) -> AccordError:
        line, header = self._line, source.header_line
        if line > source.lines:
            what = f"it has {source.lines:,} lines"
        elif line <= header:
            what = "it is the header" if line == header else f"it stands above the header, which is in line {header}"
        elif any(line in footer.totals for footer in count.footers):
            what = "it is a total below the table"
        elif any(line in footer.notes for footer in count.footers):
            what = "it is a note below the table"
        else:
            before = self._watch.row_before
            what = "it is blank" + (f", or belongs to the row that begins in line {before}" if before else "")
        message = f"No row of {source.name} begins in line {line}: {what}."
        return AccordError(ErrorCode.BAD_INPUT, message, "Name the line on which a row begins.")

"""Loads the rows of a file into its temporary table. A row with the key of an earlier row is rejected."""

from api.db import WriteSession
from api.errors import AccordError, ErrorCode
from api.importers.cell_values import ROUNDED_NUMBER
from api.importers.plan import StagedFile
from api.importers.row_values import RowCount, RowWatcher, read_rows
from api.importers.source_file import SourceFile
from api.intake.staged import Reject, RejectedRow, StagedRows
from api.progress import Progress
from api.sql import Sql, join, name


async def stage_file(
    session: WriteSession,
    file: StagedFile,
    source: SourceFile,
    reject: Reject,
    progress: Progress,
    watch: RowWatcher | None = None,
) -> RowCount:
    """Create a file's temporary table and load the rows that can be read. Returns how many were read and rejected.

    Errors: BAD_FILE if a key is a number that a spreadsheet rounded: several records would be one.
    """
    stage = file.rows.stage
    columns = ["line bigint primary key", "left_out text[]"]
    columns += [f"{column.name} {column.sql_type}" for column in file.columns]
    columns += [f"{column} uuid not null" for column in file.id_columns]
    await session.script(f"create temporary table {stage} ({', '.join(columns)}) on commit drop")
    count = RowCount()
    rows = read_rows(source, file.columns, len(file.id_columns), reject, count, progress, watch=watch)
    await session.copy(stage, file.column_names, rows)
    await _refuse_rounded_keys(session, file, source)
    # Built after COPY, which is cheaper than maintaining them.
    for column in file.looked_up:
        await session.script(f"create index on {stage} ({column})")
    await session.script(f"analyze {stage}")
    count.rejected += await _reject_repeated(session, file.rows, reject)
    return count


async def count_left_out(session: WriteSession, file: StagedFile, count: RowCount) -> int:
    """How many cells of the kept rows could not be read. Several fields may read the same cell."""
    if not count.left_out:
        return 0
    found = await session.rows(
        Sql(
            "select left_out, count(*) as rows from {} where left_out is not null group by left_out",
            name(file.rows.stage),
        )
    )
    columns = {column.name: column.column for column in file.columns}
    return sum(row["rows"] * len({columns[cell] for cell in row["left_out"]}) for row in found)


async def _reject_repeated(session: WriteSession, rows: StagedRows, reject: Reject) -> int:
    """Keep the first row of every key. Checked here, not by a unique index, which would fail the whole COPY."""
    stage, key = name(rows.stage), name(rows.key)
    repeated = await session.rows(
        Sql(
            "with rejected as (delete from {} s"
            " using (select line, min(line) over (partition by {}) as first from {}) r"
            " where r.line = s.line and r.first < r.line returning s.line, s.{} as value, r.first)"
            " select * from rejected order by line",
            stage,
            key,
            stage,
            key,
        )
    )
    label = rows.key_label
    for row in repeated:
        reason = f"line {row['first']} has the same {label}, which identifies a row"
        summary = f"an earlier line has the same {label}, which identifies a row"
        reject(RejectedRow(rows.source, row["line"], label, row["value"], reason, summary))
    return len(repeated)


async def _refuse_rounded_keys(session: WriteSession, file: StagedFile, source: SourceFile) -> None:
    """Raise BAD_FILE for the first key like 1.23457E+17. It refuses the file: the other keys are rounded, too."""
    found = Sql(
        "select line, label, key from ({}) keys where key ~ {} order by line limit 1",
        join(
            " union all ",
            (
                # `like` first: it costs a tenth of the regular expression, which then runs for hardly any row.
                Sql(
                    "select line, {}::text as label, {} as key from {} where {} like '%+%'",
                    *(label, name(column), name(file.rows.stage), name(column)),
                )
                for column, label in file.keys.items()
            ),
        ),
        # A key of several columns joins them with a bar.
        rf"(^|\|){ROUNDED_NUMBER}($|\|)",
    )
    row = await session.row(found)
    if row is not None:
        raise AccordError(
            ErrorCode.BAD_FILE,
            f"{source.path}, line {row['line']}: the key in {row['label']} is {row['key']}, a number that a spreadsheet"
            " rounded. Its last digits are lost, so it may be the key of several records. Nothing was imported.",
            "Export the file again, and do not open it in a spreadsheet before the import; or format the column as text"
            " before you paste the keys.",
        )

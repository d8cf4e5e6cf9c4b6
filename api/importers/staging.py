"""Rows into temporary tables, without those that repeat the key of an earlier one."""

from api.db import WriteSession
from api.importers.plan import StagedFile
from api.importers.rejects_file import Rejects
from api.importers.row_values import Count, read_rows
from api.importers.source_file import Source
from api.progress import Progress
from api.sql import Sql, name


async def stage(session: WriteSession, file: StagedFile, source: Source, rejects: Rejects, progress: Progress) -> Count:
    """Load a file's readable rows into its temporary table; a row with the key of an earlier one is refused."""
    columns = ["line bigint primary key"]
    columns += [f"{cell.name} {cell.sql_type}" for cell in file.cells]
    columns += [f"{each} uuid not null" for each in file.ids]
    await session.script(f"create temporary table {file.stage} ({', '.join(columns)}) on commit drop")
    count = Count()

    def told(line: int) -> None:
        progress(source.name, line, source.lines)

    rows = read_rows(source, file.cells, len(file.ids), rejects, count, told)
    await session.copy(file.stage, file.columns, rows)
    for each in file.looked_up:
        await session.script(f"create index on {file.stage} ({each})")
    await session.script(f"analyze {file.stage}")
    count.rejected += await _refuse_repeated(session, file, rejects)
    return count


async def _refuse_repeated(session: WriteSession, file: StagedFile, rejects: Rejects) -> int:
    stage_table, key = name(file.stage), name(file.row_key)
    refused = await session.rows(
        Sql(
            "with refused as (delete from {} s"
            " using (select line, min(line) over (partition by {}) as first from {}) r"
            " where r.line = s.line and r.first < r.line returning s.line, s.{} as value, r.first)"
            " select * from refused order by line",
            stage_table,
            key,
            stage_table,
            key,
        )
    )
    named = ", ".join(file.file.key)
    for row in refused:
        reason = f"line {row['first']} has the same {named}, which tells the rows apart"
        rejects.add(file.file.name, row["line"], named, row["value"], reason)
    return len(refused)

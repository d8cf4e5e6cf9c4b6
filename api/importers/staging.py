"""Rows into temporary tables, and out of them again what contradicts an earlier row or points to nothing."""

from collections.abc import Callable, Sequence

from api.db import WriteSession
from api.importers.plan import StagedFile, Telling
from api.importers.rejects import Rejects
from api.importers.rows import Count, read_rows
from api.importers.source import Source
from api.sql import Sql, all_of, join, name

Progress = Callable[[str, int, int], None]


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
    for row in refused:
        reason = f"line {row['first']} has the same {file.file.key}, which tells the rows apart"
        rejects.add(file.file.name, row["line"], file.file.key, row["value"], reason)
    return len(refused)


async def refuse_dangling(
    session: WriteSession, files: Sequence[StagedFile], origin: str, rejects: Rejects, counts: dict[str, Count]
) -> None:
    """Refuse rows that name records which neither the database nor another good row knows, until none is left.

    A refused row may have been the one that another row leans on, hence the rounds.
    """
    tellings = [telling for file in files for telling in file.tellings]
    found = True
    while found:
        found = False
        for file in files:
            for staged, target in sorted(_named(file)):
                refused = await session.rows(_dangling(file.stage, staged, target, tellings, origin))
                column = file.column_of(staged)
                for row in refused:
                    reason = f"no {target} of this key is known, and no good row brings it"
                    rejects.add(file.file.name, row["line"], column, row["value"], reason)
                counts[file.file.name].rejected += len(refused)
                found = found or bool(refused)


def _named(file: StagedFile) -> set[tuple[str, str]]:
    """The staged columns that name a record which must exist, each with the record's table."""
    named: set[tuple[str, str]] = set()
    for telling in file.tellings:
        if telling.key is not None and not telling.record.creates:
            named.add((telling.key, telling.record.table))
        named |= {
            (str(telling.values[column.name]), column.link.target) for column, _ in telling.record.filled if column.link
        }
    return named


def _dangling(stage_table: str, staged: str, target: str, tellings: Sequence[Telling], origin: str) -> Sql:
    known = [
        Sql(
            "not exists (select from external_key k where k.entity = {} and k.source = {} and k.external_id = s.{})",
            target,
            origin,
            name(staged),
        )
    ]
    for each in tellings:
        if each.record.table == target and each.id is not None and each.key is not None:
            bring = Sql(
                "not exists (select from {} b where b.{} = s.{})", name(each.stage), name(each.key), name(staged)
            )
            known.append(bring)
    return Sql(
        "with refused as (delete from {} s where s.{} is not null and {} returning s.line, s.{} as value)"
        " select * from refused order by line",
        name(stage_table),
        name(staged),
        all_of(known),
        name(staged),
    )


async def make_keys(session: WriteSession, files: Sequence[StagedFile], origin: str) -> None:
    """Give every record that the source names for the first time its identity, and remember the source's key for it."""
    tellings = [telling for file in files for telling in file.tellings if telling.id is not None]
    for table in dict.fromkeys(each.record.table for each in tellings):
        told = [
            Sql(
                "select {}::integer as place, line, {} as key, {} as id from {} where {} is not null",
                each.place,
                name(str(each.key)),
                name(str(each.id)),
                name(each.stage),
                name(str(each.key)),
            )
            for each in tellings
            if each.record.table == table
        ]
        await session.run(
            Sql(
                "insert into external_key (entity, source, external_id, record_id)"
                " select distinct on (key) {}::text, {}::text, key, id from ({}) told order by key, place, line"
                " on conflict do nothing",
                table,
                origin,
                join(" union all ", told),
            )
        )
    await session.script("analyze external_key")

"""Records that cannot be as the rows tell them: found before they are written, so that only their rows are refused."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from api.db import WriteSession
from api.importers.plan import StagedFile
from api.importers.rejects_file import Rejects
from api.importers.row_values import Count
from api.intake.column_sql import default_of, sql_type
from api.intake.merge import Told, identified
from api.sql import Sql, join, name
from schema.tables import METADATA


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A row that tells of a record that cannot be."""

    stage: str
    file: str
    line: int
    column: str
    value: str
    reason: str


async def contradictions(session: WriteSession, told: Told, files: Sequence[StagedFile]) -> list[Contradiction]:
    """Find the rows that tell of records which the table's own rules forbid. The table must have been compared."""
    found: list[Contradiction] = []
    if not told.has_id:
        return found
    for columns, bad, reason in (*_checks(told), *_doubles(told)):
        ids = [row["id"] for row in await session.rows(bad)]
        if ids:
            found += await _rows_of(session, told, files, columns, ids, reason)
    return found


async def refuse(
    session: WriteSession, found: Sequence[Contradiction], rejects: Rejects, counts: Mapping[str, Count]
) -> None:
    """Refuse the rows, each once however many things are wrong with it."""
    for each in found:
        rejects.add(each.file, each.line, each.column, each.value, each.reason)
    for stage, file in {(each.stage, each.file) for each in found}:
        lines = {each.line for each in found if each.stage == stage}
        counts[file].rejected += len(lines)
        await session.run(Sql("delete from {} where line = any({}::bigint[])", name(stage), sorted(lines)))


def _checks(told: Told) -> Iterator[tuple[set[str], Sql, str]]:
    """Conditions between columns; what a column alone may hold was seen on reading."""
    table = METADATA.tables[told.table]
    alone = {each for column in table.columns for each in (column.name, f"{column.name}_bounds")}
    for rule in sorted(table.constraints, key=lambda each: str(each.name)):
        if isinstance(rule, sa.CheckConstraint) and str(rule.name) not in alone:
            text = str(rule.sqltext)
            columns = {column.name for column in table.columns if column.name in text}
            bad = Sql("select id from ({}) f where ({}) is false", _final(told), Sql.of((text,)))
            said = str(rule.name).removeprefix(f"ck_{told.table}_").replace("_", " ")
            yield columns, bad, f"no {told.table} can be so ({said})"


def _doubles(told: Told) -> Iterator[tuple[set[str], Sql, str]]:
    """Columns that no two records share; those that are there already come first."""
    table = METADATA.tables[told.table]
    for rule in sorted(table.constraints, key=lambda each: str(each.name)):
        if isinstance(rule, sa.UniqueConstraint):
            columns = [column.name for column in rule.columns]
            shared = join(", ", map(name, columns))
            known = join(" and ", (Sql("{} is not null", name(each)) for each in columns))
            bad = Sql(
                "select id from (select id, is_told, row_number() over (partition by {} order by is_new, id) as nth"
                " from (select id, is_new, true as is_told, {} from ({}) f"
                " union all select id, false, false, {} from {} where id not in (select id from {})) every"
                " where {}) counted where nth > 1 and is_told",
                *(shared, shared, _final(told), shared, name(told.table), name(told.stage), known),
            )
            yield set(columns), bad, f"another {told.table} has the same {', '.join(columns)}"


def _final(told: Told) -> Sql:
    """The records as they would be, with every column."""
    columns = [Sql("n.id, n.is_new")]
    ours = {each.name for each in told.columns}
    for column in told.shape.columns:
        it = name(column.name)
        if column.name == "id":
            continue
        if column.name in ours:
            columns.append(Sql("n.{} as {}", it, it))
            continue
        default = default_of(told.table, column.name) or Sql("null")
        kind = sql_type(told.table, column.name)
        columns.append(Sql(f"coalesce(t.{{}}, {{}})::{kind} as {{}}", it, default, it))
    return Sql(
        "select {} from {} n left join {} t on t.id = n.id", join(", ", columns), name(told.stage), name(told.table)
    )


async def _rows_of(
    session: WriteSession,
    told: Told,
    files: Sequence[StagedFile],
    columns: set[str],
    ids: Sequence[object],
    reason: str,
) -> list[Contradiction]:
    """The rows that tell these columns of the records."""
    found = []
    for file in files:
        for telling in file.tellings:
            if telling.record.table != told.table or not columns & set(telling.values):
                continue
            rows = await session.rows(
                Sql(
                    "select distinct line, {}.{} as value from {} where {} and i0.record_id = any({}::uuid[])"
                    " order by line",
                    *(name(file.stage), name(file.row_key), identified(told, telling), telling.told, list(ids)),
                )
            )
            label = ", ".join(file.file.key)
            found += [
                Contradiction(file.stage, file.file.name, row["line"], label, row["value"], reason) for row in rows
            ]
    return list(dict.fromkeys(found))

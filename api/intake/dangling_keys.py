"""Staged rows that lean on what nobody tells are refused, until none is left."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from api.db import WriteSession
from api.importers.plan import StagedFile, Telling
from api.importers.rejects_file import Rejects
from api.importers.row_values import Count
from api.sql import Sql, all_of, name


@dataclass(frozen=True, slots=True)
class _Doubt:
    """What may be wrong with a file's rows: those that are, and how a person is told."""

    rows: Sql  # line and value
    column: str
    reason: str


async def refuse_dangling(
    session: WriteSession, files: Sequence[StagedFile], origin: str, rejects: Rejects, counts: Mapping[str, Count]
) -> None:
    """Refuse rows that name records which neither the database nor another good row knows, until none is left.

    A refused row may have been the one that another row leans on, hence the rounds.
    """
    tellings = [telling for file in files for telling in file.tellings]
    found = True
    while found:
        found = False
        for file in files:
            for doubt in _doubts(file, tellings, origin):
                refused = await session.rows(
                    Sql(
                        "with bad as ({}), gone as (delete from {} s using bad where s.line = bad.line)"
                        " select distinct on (line) line, value from bad order by line",
                        doubt.rows,
                        name(file.stage),
                    )
                )
                for row in refused:
                    rejects.add(file.file.name, row["line"], doubt.column, row["value"] or "", doubt.reason)
                counts[file.file.name].rejected += len(refused)
                found = found or bool(refused)


def _doubts(file: StagedFile, tellings: Sequence[Telling], origin: str) -> Iterator[_Doubt]:
    """What is asked of a file's rows, each question once."""
    asked: set[str] = set()
    for telling in file.tellings:
        holds = [] if telling.holds is None else [telling.holds]
        for need in telling.needs:
            wanting = all_of((*holds, Sql("{} is null", need.value)))
            line = Sql("select {}.line, {}::text as value from {}", name(file.stage), need.shown, telling.rows)
            yield _Doubt(Sql("{} where {}", line, wanting), need.column, need.reason)
        for value, target, column in _named(telling):
            named = Sql(
                "select {}.line, {} as value from {} where {}",
                name(file.stage),
                value,
                telling.rows,
                all_of((*holds, Sql("{} is not null", value))),
            )
            if repr((named.render(), target)) in asked:
                continue
            asked.add(repr((named.render(), target)))
            reason = f"no {target} of this key is known, and no good row brings it"
            yield _Doubt(_unknown(named, target, tellings, origin), column, reason)


def _named(telling: Telling) -> Iterator[tuple[Sql, str, str]]:
    """The keys of records which must exist: the key, the records' table, the cell it stands in."""
    if telling.key is not None and not telling.record.creates:
        label = telling.record.key.label if telling.record.key else telling.file_key
        yield telling.key, telling.record.table, label
    for column, readings in telling.record.filled:
        if column.link and not any(each.is_optional for each in readings):
            label = ", ".join(dict.fromkeys(each.label for each in readings if each.label))
            yield telling.values[column.name], column.link.target, label
    for each in telling.leads:
        yield each.key, each.table, each.column


def _unknown(named: Sql, target: str, tellings: Sequence[Telling], origin: str) -> Sql:
    """Those of the keys that are not in the database, and that no staged row brings."""
    known = [
        Sql(
            "not exists (select from external_key k where k.entity = {} and k.source = {} and k.external_id = w.value)",
            target,
            origin,
        )
    ]
    for each in tellings:
        if each.record.table == target and each.id is not None:
            for brought in (each.key, each.alias):
                if brought is not None:
                    condition = all_of((each.told, Sql("{} = w.value", brought)))
                    known.append(Sql("not exists (select from {} where {})", each.rows, condition))
    return Sql("select w.line, w.value from ({}) w where {}", named, all_of(known))

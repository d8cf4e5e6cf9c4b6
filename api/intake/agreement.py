"""Columns of which a record has one value, although its rows may give several: a deal's companies, a person's teams.

The order of rows never decides. Of the rows with the same date and rank, those with the first `priority` hold: the
primary ones. If these give different values, they contradict: they are reported, and the column stays as it was. An
empty value, and a link to no record, contradict nothing; contacts that are merged are one.

`separate_agreed` gives every such column staged records of its own, so that the other values of a contradicting row are
kept; `exclude_rows` fills `staged_excluded` with the rows whose value does not hold.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from api.db import WriteSession
from api.intake.external_keys import external_key_join
from api.intake.merge import MergeTable, with_record_ids
from api.intake.staged import RejectedRow, StagedRecords, StagedRows
from api.intake.staged_merges import MERGES, record_node, survivor_of
from api.sql import Sql, join, name

_MOST_SHOWN = 5  # values of a contradiction


@dataclass(frozen=True, slots=True)
class UnkeptValue:
    """A value of a row that is not written, such as one that contradicts another row's.

    `is_whole`: the row gives nothing else. `is_fatal`: the record cannot do without the value.
    """

    stage: str
    row: RejectedRow
    is_whole: bool = False
    is_fatal: bool = False


async def create_excluded_table(session: WriteSession) -> None:
    """Create the temporary table of excluded rows, empty: statements name it."""
    await session.script(
        "create temporary table staged_excluded (rank integer, line bigint, key text, contradicted text[])"
        " on commit drop"
    )


def separate_agreed(inputs: Sequence[StagedRows]) -> tuple[StagedRows, ...]:
    """Return the inputs with staged records of its own for every agreed column. Ranks are numbered anew, in order."""
    ranked = sorted((records.rank, place) for rows in inputs for place, records in enumerate(rows.records))
    numbers = {rank: number for number, (rank, _) in enumerate(ranked)}
    most = 1 + max((len(records.agreed) for rows in inputs for records in rows.records), default=0)
    return tuple(
        replace(
            rows,
            records=tuple(part for records in rows.records for part in _parts(records, numbers[records.rank] * most)),
        )
        for rows in inputs
    )


def _parts(records: StagedRecords, rank: int) -> Iterator[StagedRecords]:
    """The records without their agreed columns, then one part per agreed column; the first only if it says anything."""
    if not records.agreed:
        yield replace(records, rank=rank)
        return
    own = {column: value for column, value in records.values.items() if column not in records.agreed}
    parts = [] if _is_only_agreed(records) else [replace(records, rank=rank, values=own, agreed=())]
    identity = {} if records.shape.has_id else own
    for column in records.agreed:
        number = rank + len(parts)
        part = replace(
            records,
            rank=number,
            new_id=None,
            values={**identity, column: records.values[column]},
            agreed=(column,),
            excluded=Sql(
                "exists (select from staged_excluded e where e.rank = {} and e.line = {}.line and e.key = {})",
                *(Sql(str(number)), name(records.stage), records.identity[0]),
            ),
        )
        # The rows are checked once.
        parts.append(replace(part, required_values=(), required_keys=()) if parts else part)
    yield from parts


def _is_only_agreed(records: StagedRecords) -> bool:
    """Whether the rows say nothing of a record beside the agreed columns, not even that it exists."""
    return records.new_id is None and records.shape.has_id and set(records.values) == set(records.agreed)


async def exclude_rows(session: WriteSession, inputs: Sequence[StagedRows], source: str) -> list[UnkeptValue]:
    """Find the rows whose value does not hold; return those that contradict each other.

    `inputs` are separated. Needs the external keys of all staged records, and the survivors of their merges.
    Cost: one pass over the rows of every agreed column.
    """
    found: list[UnkeptValue] = []
    await session.script("truncate staged_excluded")
    for rows in inputs:
        for records in rows.records:
            for column in records.agreed:
                await session.run(Sql("insert into staged_excluded {}", _excluded(records, column, source)))
                found += await _contradictions(session, rows, records, column)
    await session.script("analyze staged_excluded")
    return found


def _excluded(records: StagedRecords, column: str, source: str) -> Sql:
    """The rows whose value differs from the one that holds, or all rows if there is none that holds.

    `resolved` is what values are compared by, null for a value that counts for nothing.
    """
    merge = MergeTable(records.table, source, (records,))
    found, value = with_record_ids(merge, records), records.values[column]
    link = records.shape.column(column).link
    itself = resolved = Sql("{}::text", value)
    if link is not None:
        found = Sql("{} left join {}", found, external_key_join("linked", link.target, source, value))
        itself = resolved = Sql("linked.record_id::text")
        if link.target in MERGES:
            itself = record_node("linked")
            resolved = Sql(
                "case when linked.record_id is not null then {} end", survivor_of(link.target, value, itself)
            )
    ids = join(", ", (Sql(f"i{number}.record_id as id_{number}") for number in range(len(records.identity))))
    group = join(", ", [*(Sql(f"id_{number}") for number in range(len(records.identity))), Sql("moment")])
    # If a record cannot do without the value, no row of it is left: one of lower priority must not give it.
    contradicts = Sql("true" if _is_needed(records, column) else "resolved is not null and priority = best")
    return Sql(
        "with given as (select line, {} as key, {}, coalesce({}, '-infinity'::timestamptz) as moment, {} as priority,"
        " {}::text as value, {} as itself, {} as resolved from {} where {}),"
        " ranked as (select *, min(priority) filter (where resolved is not null) over (partition by {}) as best"
        " from given),"
        " settled as (select {}, count(distinct resolved) as many,"
        " (array_agg(value order by itself is distinct from resolved, value))[1] as held,"
        " array_agg(distinct value) as differing from ranked where resolved is not null and priority = best"
        " group by {})"
        " select {}::integer, line, key, case when many > 1 and {} then differing[1:{}] end"
        " from ranked join settled using ({}) where many > 1 or value is distinct from held",
        *(records.identity[0], ids, records.since or Sql("null::timestamptz"), records.priority or Sql("0")),
        *(value, itself, resolved, found, records.is_described),
        *(group, group, group, records.rank, contradicts, Sql(str(_MOST_SHOWN)), group),
    )


def _is_needed(records: StagedRecords, column: str) -> bool:
    shape = records.shape.column(column)
    return not shape.is_nullable and not shape.has_default


async def _contradictions(
    session: WriteSession, rows: StagedRows, records: StagedRecords, column: str
) -> list[UnkeptValue]:
    lines = await session.rows(
        Sql(
            "select distinct {}.line, {}::text as value, e.key, e.contradicted from {} join staged_excluded e"
            " on e.rank = {} and e.line = {}.line and e.key = {} where e.contradicted is not null and {} order by 1, 2",
            *(name(rows.stage), records.values[column], records.rows, records.rank),
            *(name(records.stage), records.identity[0], records.is_described),
        )
    )
    link = records.shape.column(column).link
    field = link.name if link else column
    is_fatal = _is_needed(records, column)
    consequence = "the rows are rejected" if is_fatal else f"the {field} stays as it was"
    found = []
    for line in lines:
        reason = (
            f"rows of the {records.table} {line['key']} contradict each other in its {field}: they give"
            f" {', '.join(line['contradicted'])}, and none of them is marked as the primary one, so {consequence}"
        )
        label = records.labels.get(column, column)
        found.append(
            UnkeptValue(
                rows.stage,
                RejectedRow(rows.source, line["line"], label, line["value"] or "", reason),
                is_whole=len(rows.records) == 1,
                is_fatal=is_fatal,
            )
        )
    return found

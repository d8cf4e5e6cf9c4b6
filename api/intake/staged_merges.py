"""The merges that staged rows report, together with those in the database: which keys belong to one person.

`staged_survivor` has a row for every key that takes part in a merge: two keys with the same `survivor` are one person.
It follows chains over all inputs and the database, so that the order of files and rows does not matter. Other steps
read it where several records may be one: a lookup by e-mail address, and links that several rows give.

Merges that form a cycle have no survivor, and no record is merged into itself: `staged_unmerged` has the keys of such
merges, and `without_impossible_merges` leaves their links empty.
"""

from collections.abc import Sequence
from dataclasses import replace

from api.db import WriteSession
from api.intake.external_keys import external_key_join
from api.intake.staged import RejectedRow, StagedRecords, StagedRows
from api.intake.survivor_links import is_merged_by_hand
from api.sql import Sql, join, name

MERGES = {"contact": "merged_into_id", "company": "merged_into_id"}
"""The tables whose records are merged, with the column that links a merged record to the one it was merged into."""

# A node is the text of a key, or this prefix and the id of a record: no key has a control character.
_RECORD = "\x01"


async def create_merge_tables(session: WriteSession) -> None:
    """Create the temporary tables, empty: statements name them even if nothing is merged."""
    await session.script(
        "create temporary table staged_merge (entity text, node text, target text, key text, value text)"
        " on commit drop;"
        " create temporary table staged_survivor (entity text, key text, survivor text, is_merged boolean,"
        " primary key (entity, key)) on commit drop;"
        " create temporary table staged_unmerged (entity text, key text, value text, cycle text) on commit drop"
    )


def survivor_of(table: str, key: Sql, otherwise: Sql) -> Sql:
    """Return an expression that is equal for keys of one person; `otherwise` for a key that takes part in no merge."""
    survivor = Sql("select v.survivor from staged_survivor v where v.entity = {}::text and v.key = {}", table, key)
    return Sql("coalesce(({}), {})", survivor, otherwise)


def is_merged(table: str, key: Sql) -> Sql:
    """Return the condition that a key's record is merged into another."""
    return Sql(
        "exists (select from staged_survivor v where v.entity = {}::text and v.key = {} and v.is_merged)", table, key
    )


def without_impossible_merges(inputs: Sequence[StagedRows]) -> tuple[StagedRows, ...]:
    """Return the inputs with an empty link wherever `find_merges` finds a merge impossible."""
    return tuple(replace(rows, records=tuple(map(_possible, rows.records))) for rows in inputs)


def _possible(records: StagedRecords) -> StagedRecords:
    column = MERGES.get(records.table, "")
    value = records.values.get(column)
    if value is None:
        return records
    impossible = Sql("exists (select from staged_unmerged u where {})", _is_pair(records, value))
    possible = Sql("case when {} is null or {} then null else {} end", value, impossible, value)
    return replace(records, values={**records.values, column: possible})


def _is_pair(records: StagedRecords, value: Sql) -> Sql:
    return Sql("u.entity = {}::text and u.key = {} and u.value = {}", records.table, records.identity[0], value)


async def find_merges(session: WriteSession, inputs: Sequence[StagedRows], source: str) -> None:
    """Fill the temporary tables from the staged rows as they are now, and from the database.

    `inputs` are as they were before `without_impossible_merges`.
    Cost: one pass over the staged rows of mergeable tables, and one over the merges for each link of a chain.
    """
    await session.script("truncate staged_merge, staged_survivor, staged_unmerged")
    for table, column in MERGES.items():
        staged = [records for rows in inputs for records in rows.records if records.table == table]
        merging = [records for records in staged if column in records.values]
        await session.run(Sql("insert into staged_merge {}", _in_database(table, column, merging, source)))
        if merging:
            await session.run(Sql("insert into staged_merge {}", _in_rows(table, column, merging, source)))
        if not await session.value(Sql("select exists (select from staged_merge where entity = {})", table)):
            continue
        for records in staged:
            if records.alias is not None:
                await session.run(Sql("insert into staged_merge {}", _of_alias(records, records.alias, source)))
        await _remove_impossible(session, table)
        await session.run(Sql("insert into staged_survivor {}", _survivors(table, source)))
    await session.script("analyze staged_survivor")


async def impossible_merges(session: WriteSession, inputs: Sequence[StagedRows]) -> list[RejectedRow]:
    """Return the rows that have a merge of a cycle. They are reported and kept: all but the merge is certain."""
    found: list[RejectedRow] = []
    if not await session.value(Sql("select exists (select from staged_unmerged where cycle is not null)")):
        return found
    for rows in inputs:
        for records in rows.records:
            column = MERGES.get(records.table, "")
            if column not in records.values:
                continue
            value = records.values[column]
            lines = await session.rows(
                Sql(
                    "select distinct {}.line, u.key, u.value, u.cycle from {} join staged_unmerged u on {}"
                    " where u.cycle is not null and {} order by 1, 2, 3",
                    *(name(rows.stage), records.rows, _is_pair(records, value), records.is_described),
                )
            )
            for line in lines:
                reason = (
                    f"{line['key']} would be merged into {line['value']}, and both would be merged into themselves: the"
                    f" merges of {line['cycle']} form a circle. None of them is made; correct the one that is wrong"
                )
                label = records.labels.get(column, column)
                found.append(RejectedRow(rows.source, line["line"], label, line["value"], reason))
    return found


def _node(key: Sql, known: str) -> Sql:
    """What a key stands for: the record, if the database has it (`known` is its external key), else the key itself."""
    return Sql("coalesce({}, {})", record_node(known), key)


def record_node(known: str) -> Sql:
    """Return the node of the record that the external key with this alias belongs to."""
    return Sql("{}::text || {}.record_id", _RECORD, name(known))


def _in_rows(table: str, column: str, merging: Sequence[StagedRecords], source: str) -> Sql:
    """The merges of the staged rows. Of several for one record those that hold: the latest, then the highest rank."""
    selects = []
    for records in merging:
        key, value = records.identity[0], records.values[column]
        selects.append(
            Sql(
                "select {} as node, {} as target, {} as key, {} as value, {}::timestamptz as since, {}::integer as rank"
                " from {} left join {} left join {} where {} is not null and {} and not {}",
                *(_node(key, "kn"), _node(value, "kt"), key, value, records.since or Sql("null"), records.rank),
                *(records.rows, external_key_join("kn", table, source, key)),
                *(external_key_join("kt", table, source, value), value, records.is_described),
                is_merged_by_hand(Sql("kn.record_id")),
            )
        )
    return Sql(
        "select distinct {}::text, node, target, key, value from (select *,"
        " rank() over (partition by node order by since desc nulls last, rank desc) as nth from ({}) m) held"
        " where nth = 1",
        table,
        join(" union all ", selects),
    )


def _in_database(table: str, column: str, merging: Sequence[StagedRecords], source: str) -> Sql:
    """The merges in the database, except those of an import of records for which staged rows fill the link."""
    filled = (
        Sql(
            " and (not exists (select from {} join {} where k.record_id = c.id and {}) or {})",
            *(records.rows, external_key_join("k", table, source, records.identity[0]), records.is_described),
            is_merged_by_hand(Sql("c.id")),
        )
        for records in merging
    )
    return Sql(
        "select {}::text, {}::text || c.id, {}::text || c.{}, null, null from {} c where c.{} is not null{}",
        *(table, _RECORD, _RECORD, name(column), name(table), name(column), join("", filled)),
    )


def _of_alias(records: StagedRecords, alias: Sql, source: str) -> Sql:
    """The second keys that take part in merges and are new: each stands for the record of the first key."""
    key = records.identity[0]
    return Sql(
        "select distinct {}::text, a.alias, a.node, null, null from (select {} as alias, {} as node from {}"
        " left join {} left join {} where {} is not null and ka.record_id is null and {}) a where a.alias <> a.node"
        " and a.alias in (select node from staged_merge union select target from staged_merge)",
        *(records.table, alias, _node(key, "kn"), records.rows),
        *(external_key_join("kn", records.table, source, key), external_key_join("ka", records.table, source, alias)),
        *(alias, records.is_described),
    )


def _walk(table: str) -> Sql:
    """A common table expression: every node with every node that its merges lead to. `union` ends it on a cycle."""
    return Sql(
        "with recursive walk (node, reached) as (select node, target from staged_merge where entity = {}::text"
        " union select w.node, m.target from walk w join staged_merge m on m.node = w.reached"
        " where m.entity = {}::text)",
        table,
        table,
    )


_IS_END = Sql("not exists (select from staged_merge m where m.node = w.reached)")


async def _remove_impossible(session: WriteSession, table: str) -> None:
    """Remove merges into the record itself, contradicting ones, and those of the staged rows that form a cycle."""
    itself = "delete from staged_merge m where m.node = m.target and m.entity = {} returning m.entity, m.key, m.value"
    await session.run(
        Sql(
            f"with gone as ({itself}) insert into staged_unmerged select *, null from gone where key is not null", table
        )
    )
    # A record with two survivors: `agreement` reports its rows.
    await session.run(
        Sql(
            "{} delete from staged_merge d where d.node in (select w.node from walk w where {}"
            " group by w.node having count(distinct w.reached) > 1) and d.node in"
            " (select node from staged_merge group by node having count(distinct target) > 1)",
            _walk(table),
            _IS_END,
        )
    )
    # Those of the database stay as they are: a later import may not undo what an earlier one made.
    await session.run(
        Sql(
            "{}, cycle as (select w.node, b.node as other from walk w join walk b on b.node = w.reached"
            " and b.reached = w.node where not exists (select from walk w where w.node = b.node and {})),"
            " labelled as (select c.node, string_agg(distinct coalesce(m.key, k.external_id), ', ') as cycle"
            " from cycle c left join staged_merge m on m.node = c.other"
            " left join external_key k on"
            " k.record_id = case when starts_with(c.other, {}) then substr(c.other, 2)::uuid end group by c.node),"
            " gone as (delete from staged_merge m using labelled l, cycle c where m.node = l.node and c.node = m.node"
            " and c.other = m.target and m.key is not null returning m.entity, m.key, m.value, l.cycle)"
            " insert into staged_unmerged select distinct * from gone",
            *(_walk(table), _IS_END, _RECORD),
        )
    )


def _survivors(table: str, source: str) -> Sql:
    """The keys of all nodes that take part in merges, with the node at the end of their chain."""
    return Sql(
        "{}, ends as (select w.node, min(w.reached) as survivor from walk w where {} group by w.node"
        " having count(distinct w.reached) = 1),"
        " nodes as (select node from staged_merge where entity = {}::text"
        " union select target from staged_merge where entity = {}::text)"
        " select {}::text, coalesce(k.external_id, n.node), coalesce(e.survivor, n.node), e.node is not null"
        " from nodes n left join ends e on e.node = n.node"
        " left join external_key k on k.entity = {}::text and k.source = {}"
        " and k.record_id = case when starts_with(n.node, {}) then substr(n.node, 2)::uuid end"
        " where k.record_id is not null or not starts_with(n.node, {})",
        *(_walk(table), _IS_END, table, table, table, table, source, _RECORD, _RECORD),
    )

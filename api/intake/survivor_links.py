"""Links to records that were merged, and merges that people made: what an import does not undo.

A link to a company that was merged leads to its survivor, as the merge left it. A contact keeps the facts that name it:
they are read under its survivor.
"""

from api.sql import Sql, name
from schema.base import ColumnShape

_MOVED = frozenset({"company"})  # the tables whose merges move what links to a record


def linked_record(target: str, alias: str, own: Sql) -> Sql:
    """Return the id of the record that a link of staged rows leads to; `alias` is the external key that names it.

    `own` is the id of the record with the link: no company is its own parent, though its parent was merged into it.
    Cost: the ids of merged companies are read once for a statement; only links to them follow a chain.
    """
    record = Sql("{}.record_id", name(alias))
    if target not in _MOVED:
        return record
    table = name(target)
    return Sql(
        "nullif(case when {} in (select id from {} where merged_into_id is not null) then"
        " coalesce((with recursive chain (id, steps) as (select {}, 1 union select c.merged_into_id, steps + 1"
        " from chain join {} c on c.id = chain.id where c.merged_into_id is not null and steps < 20)"
        " select chain.id from chain join {} c on c.id = chain.id where c.merged_into_id is null limit 1), {})"
        " else {} end, {})",
        *(record, table, record, table, table, record, record, own),
    )


def taken_columns_join(record: Sql) -> Sql:
    """Return `left join … on …`: `taken.columns` are the columns that a survivor took from records merged into it."""
    return Sql(
        "left join (select m.survivor_id, array_agg(taken_column) as columns from record_merge m"
        " cross join lateral jsonb_object_keys(m.filled) taken_column where m.undone_at is null group by 1) taken"
        " on taken.survivor_id = {}",
        record,
    )


def is_taken(column: ColumnShape, value: Sql) -> Sql:
    """Return the condition that staged rows do not have a value that the record took from one merged into it.

    An empty cell of the survivor's own row does not empty it, and a flag that holds for either record stays.
    """
    lacks = Sql("{} is not true", value) if column.python is bool else Sql("{} is null", value)
    return Sql("({} and {}::text = any(taken.columns) is true)", lacks, column.name)


def is_merged_by_hand(record: Sql) -> Sql:
    """Return the condition that a mutation merged a record: the word of its source does not change that."""
    return Sql("exists (select from record_merge hand where hand.record_id = {} and hand.undone_at is null)", record)

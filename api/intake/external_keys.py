"""External keys: the keys by which a source knows our records (`external_key`: entity, source, external_id)."""

from collections.abc import Sequence

from api.db import WriteSession
from api.intake.staged import StagedRecords, StagedRows
from api.sql import Sql, join, name

# The type of the import changes that are keys of known records.
ADDED_KEY = "external_key"


def external_key_join(alias: str, table: str, source: str, key: Sql) -> Sql:
    """Return `external_key … on …` for a FROM clause: `alias.record_id` is the record that `source` knows by `key`."""
    keys = name(alias)
    return Sql(
        "external_key {} on {}.entity = {} and {}.source = {} and {}.external_id = {}",
        *(keys, keys, table, keys, source, keys, key),
    )


async def register_keys(session: WriteSession, inputs: Sequence[StagedRows], source: str) -> None:
    """Insert an external key for every record that the source names for the first time, with the record's new id.

    Writes external_key, and import_change for keys of known records: one that is known by one of its two keys gets the
    other one.
    """
    staged = [records for rows in inputs for records in rows.records if records.new_id is not None]
    for table in dict.fromkeys(records.table for records in staged):
        same_table = [records for records in staged if records.table == table]
        brought = join(" union all ", map(_staged_keys, same_table))
        # `distinct on` picks a row per key: one whose alias is known, so that the record keeps its id; else the first.
        keys = Sql(
            "insert into external_key (entity, source, external_id, record_id)"
            " select distinct on (staged.key) {}::text, {}::text, staged.key, coalesce(a.record_id, staged.id)"
            " from ({}) staged left join {}"
            " order by staged.key, a.record_id is null, staged.rank, staged.line on conflict do nothing",
            *(table, source, brought, external_key_join("a", table, source, Sql("staged.alias"))),
        )
        if all(records.alias is None for records in same_table):
            await session.run(keys)
            continue
        await session.run(keep_added_keys(keys, table))
        aliases = Sql(
            "insert into external_key (entity, source, external_id, record_id)"
            " select distinct on (staged.alias) k.entity, k.source, staged.alias, k.record_id"
            " from ({}) staged join {} where staged.alias is not null"
            " order by staged.alias, staged.rank, staged.line on conflict do nothing",
            *(brought, external_key_join("k", table, source, Sql("staged.key"))),
        )
        await session.run(keep_added_keys(aliases, table))
    # Every later step joins this table; without fresh statistics PostgreSQL plans for the rows it had before.
    await session.script("analyze external_key")


def keep_added_keys(insert: Sql, table: str) -> Sql:
    """Return the insert of external keys that also keeps those of records which the table has already.

    Call it before the import's new records are written. Writes external_key, import_change.
    """
    return Sql(
        "with added as ({} returning entity, source, external_id, record_id)"
        " insert into import_change (record_type, row_key, after) select {}, jsonb_build_object('entity', a.entity,"
        " 'source', a.source, 'external_id', a.external_id), jsonb_build_object('record_id', a.record_id) from added a"
        " where exists (select from {} t where t.id = a.record_id)",
        *(insert, ADDED_KEY, name(table)),
    )


def _staged_keys(records: StagedRecords) -> Sql:
    """The keys of staged records, with the ids that new ones get."""
    return Sql(
        "select {}::integer as rank, line, {} as key, {}::text as alias, {} as id from {} where {}",
        records.rank,
        records.key or Sql("null"),
        records.alias or Sql("null"),
        records.new_id or Sql("null"),
        records.rows,
        records.is_described,
    )

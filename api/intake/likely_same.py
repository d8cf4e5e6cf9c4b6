"""Finds new records that another source seems to know already: the same domain of a company, the same e-mail address.

Two systems have keys of their own for one company or person, so an import from the second makes every record twice.
An address that several records share decides nothing, nor does the domain of a mail provider or a role mailbox.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from api.db import WriteSession
from api.intake.external_keys import external_key_join, keep_added_keys
from api.intake.staged import StagedRecords, StagedRows
from api.sql import Sql, join, name
from schema.mail_address import ROLES, email_kind
from schema.tables import METADATA
from schema.vocab import EmailKind

LINKABLE = {"company": "domain", "member": "email", "contact": "email"}
"""The column by which records of different sources are the same, by table."""
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class LikelySameExample:
    """A new key, the address that it shares with a record of another source, and the name of that record."""

    key: str
    address: str
    known: str


@dataclass(frozen=True, slots=True)
class LikelySame:
    """New keys of a table whose record another source seems to know; `ambiguous` ones fit several, and stay new."""

    table: str
    found: int
    ambiguous: int
    is_linked: bool
    examples: tuple[LikelySameExample, ...]


async def tables_of_other_sources(session: WriteSession, inputs: Sequence[StagedRows], source: str) -> frozenset[str]:
    """Return those of the linkable staged tables that other sources fill, too. Two index lookups for every table."""
    tables = {records.table for rows in inputs for records in rows.records if records.table in LINKABLE}
    found = set()
    for table in sorted(tables):
        # The first and the last source in the order of the primary key: no scan of the keys.
        row = await session.row(
            Sql(
                "select min(source) as first, max(source) as last from external_key where entity = {}",
                table,
            )
        )
        if row is not None and {row["first"], row["last"]} - {None, source}:
            found.add(table)
    return frozenset(found)


async def link_likely_same(
    session: WriteSession,
    inputs: Sequence[StagedRows],
    source: str,
    shared: Collection[str],
    linked: Collection[str],
) -> tuple[LikelySame, ...]:
    """Find new keys whose record another source seems to know; in `linked` tables, make them keys of that record.

    Shapes: staged rows -> one LikelySame for every table with any. Writes external_key, import_change. `shared` are the
            tables that other sources fill. Call it before the keys of new records are registered.
    """
    found = []
    for table in LINKABLE:
        staged = list(_staged(inputs, table))
        if table not in shared or not staged:
            continue
        same = name(f"same_{table}")
        await session.run(
            Sql("create temporary table {} on commit drop as {}", same, _same_records(staged, table, source))
        )
        if table == "company":
            await _remove_mail_providers(session, same)
        made = await _report(session, table, same, is_linked=table in linked)
        if made is None:
            continue
        found.append(made)
        if made.is_linked:
            keys = Sql(
                "insert into external_key (entity, source, external_id, record_id)"
                " select {}::text, {}::text, key, record_id from {} where is_certain on conflict do nothing",
                *(table, source, same),
            )
            await session.run(keep_added_keys(keys, table))
    return tuple(found)


def _staged(inputs: Sequence[StagedRows], table: str) -> Iterator[StagedRecords]:
    """The staged records that create records of a table, and fill the column by which they may be known."""
    for rows in inputs:
        for records in rows.records:
            if records.table == table and records.new_id is not None and LINKABLE[table] in records.values:
                yield records


def _same_records(staged: Sequence[StagedRecords], table: str, source: str) -> Sql:
    """The new keys with the record of the same address: `key`, `address`, `record_id`, `known`, and `is_certain`.

    Certain is a new key that alone has the address, which a single record has. A record that this source knows by
    another key is a second person with the address of the first.
    """
    known = METADATA.tables[table]
    is_live = [Sql("t.{} is null", name(column)) for column in ("deleted_at", "merged_into_id") if column in known.c]
    address = _address(table, Sql("t.{}", name(LINKABLE[table])))
    return Sql(
        "with staged as ({}), fresh as (select s.key, min(s.address) as address from staged s left join {} left join {}"
        " where s.address <> '' and own.record_id is null and also.record_id is null"
        " group by s.key having count(distinct s.address) = 1),"
        " lone as (select address, min(key) as key, count(*) as keys from fresh group by address),"
        " known as (select {} as address, (array_agg(t.id order by t.id))[1] as record_id, count(*) as records,"
        " min({}) as known, bool_or(exists (select from external_key k where k.record_id = t.id and k.entity = {}"
        " and k.source = {})) as is_own from {} t where {} and {} in (select address from lone) group by 1)"
        " select l.key, l.address, k.record_id, k.known, l.keys = 1 and k.records = 1 as is_certain"
        " from lone l join known k on k.address = l.address where not (k.is_own and k.records = 1)",
        join(" union all ", (_staged_addresses(records, table) for records in staged)),
        external_key_join("own", table, source, Sql("s.key")),
        external_key_join("also", table, source, Sql("s.alias")),
        *(address, _label(table), table, source, name(table), join(" and ", is_live or [Sql("true")]), address),
    )


def _staged_addresses(records: StagedRecords, table: str) -> Sql:
    return Sql(
        "select {} as key, {}::text as alias, {} as address from {} where {}",
        records.key or Sql("null"),
        records.alias or Sql("null"),
        _address(table, records.values[LINKABLE[table]]),
        records.rows,
        records.is_described,
    )


def _address(table: str, value: Sql) -> Sql:
    """The form in which addresses are compared. That of a role mailbox, such as info@, is empty: it is nobody's."""
    plain = Sql("lower(btrim({}))", value)
    if LINKABLE[table] == "domain":
        return Sql(r"regexp_replace({}, '^(https?://)?(www\.)?|[/?#].*$', '', 'g')", plain)
    return Sql(
        "case when split_part(split_part({}, '@', 1), '+', 1) = any({}::text[]) then '' else {} end",
        *(plain, sorted(ROLES), plain),
    )


def _label(table: str) -> Sql:
    if table == "contact":
        return Sql("concat_ws(' ', t.first_name, t.last_name)")
    return Sql("t.name")


async def _remove_mail_providers(session: WriteSession, same: Sql) -> None:
    domains = [row["address"] for row in await session.rows(Sql("select distinct address from {}", same))]
    free = [domain for domain in domains if email_kind(f"somebody@{domain}") is EmailKind.FREE]
    await session.run(Sql("delete from {} where address = any({}::text[])", same, free))


async def _report(session: WriteSession, table: str, same: Sql, *, is_linked: bool) -> LikelySame | None:
    row = await session.row(
        Sql("select count(*) filter (where is_certain) as found, count(*) as every from {}", same),
    )
    if row is None or not row["every"]:
        return None
    examples = await session.rows(
        Sql("select key, address, known from {} where is_certain order by key limit {}", same, _SHOWN)
    )
    shown = tuple(LikelySameExample(example["key"], example["address"], example["known"] or "") for example in examples)
    return LikelySame(table, row["found"], row["every"] - row["found"], is_linked, shown)

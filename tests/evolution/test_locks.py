"""The locks derived from a statement equal those that PostgreSQL takes when the statement runs (and is rolled back)."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass

import asyncpg
import pytest

from api.db import Database
from migrations.locks import CatalogLookup, LockMode, RowWork, TableLock, locks_taken
from schema.base import new_id

HELD = """
select relation::bigint, upper(regexp_replace(replace(mode, 'Lock', ''), '(?<!^)([A-Z])', '_\\1', 'g'))
from pg_locks where pid = pg_backend_pid() and mode <> 'AccessShareLock' and locktype = 'relation'
"""
STATE = """
select c.oid::bigint, c.relname, pg_relation_filenode(c.oid), coalesce(s.seq_scan, 0)
from pg_class c left join pg_stat_xact_user_tables s on s.relid = c.oid
where c.relkind = 'r' and c.relnamespace = current_schema()::regnamespace
"""
LOOKUP = CatalogLookup({"ix_contact_email": "contact"}, {("contact", "fk_contact_company_id"): "company"})

STATEMENTS = (
    "alter table contact add column star_sign text",
    "ALTER TABLE contact ADD COLUMN is_vip BOOLEAN DEFAULT false NOT NULL",
    "alter table contact add column at timestamptz default now()",
    "alter table contact add column token uuid default gen_random_uuid()",
    "alter table contact add column luck float default random()",
    "alter table contact add column counted bigint generated always as identity",
    "alter table contact add column friend_id uuid references company (id)",
    "alter table contact add column size int check (size > 0)",
    "alter table contact drop column job_title",
    "alter table contact drop column company_id",
    "alter table contact rename column phone to telephone",
    "alter table contact rename to person",
    "alter table contact alter column lead_score type bigint",
    "alter table contact alter column phone set not null",
    "alter table contact alter column is_test drop not null",
    "alter table contact alter column is_test set default true",
    "alter table contact alter column phone set statistics 500",
    "alter table contact set (fillfactor = 80)",
    "alter table contact add constraint few check (lead_score > 0)",
    "alter table contact add constraint few check (lead_score > 0) not valid",
    "alter table contact add constraint once unique (phone)",
    "alter table contact add constraint fk foreign key (owner_id) references member (id)",
    "alter table contact add constraint fk foreign key (owner_id) references member (id) not valid",
    "alter table contact drop constraint fk_contact_company_id",
    "alter table contact drop constraint ck_contact_email_kind, add constraint few check (true) not valid",
    "alter table contact validate constraint later",
    "create index ix on contact (phone)",
    "create unique index ix on contact using btree (phone, id)",
    "drop index ix_contact_email",
    "comment on table contact is 'people, and more'",
    "comment on column contact.phone is 'a, b'",
    "create trigger t after insert on contact for each row execute function contact_history()",
    "drop trigger contact_history_insert on contact",
    "create or replace function contact_history() returns trigger language plpgsql as 'begin return null; end'",
    "create table pet (id uuid primary key, contact_id uuid references contact (id))",
    "drop table external_key",
    "set local lock_timeout = '5s'",
)  # fmt: skip


@pytest.fixture(scope="module")
async def connection(module_dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    async with Database.open(module_dsn, size=1) as database, database.write() as session:
        await session.copy("contact", ["id", "phone", "lead_score"], [(new_id(), str(n), n) for n in range(1, 9)])
    opened = await asyncpg.connect(module_dsn)
    await opened.execute("alter table contact add constraint later check (lead_score < 100) not valid")
    yield opened
    await opened.close()


@pytest.mark.parametrize("statement", STATEMENTS)
async def test_locks_and_work_equal_those_of_postgresql(
    connection: "asyncpg.Connection[asyncpg.Record]", statement: str
) -> None:
    attempt = connection.transaction()
    await attempt.start()
    try:
        before = await state(connection)  # in the transaction: between two, PostgreSQL may reset the number of scans
        await connection.execute(statement)
        held = await connection.fetch(HELD)
        after = await state(connection)
    finally:
        await attempt.rollback()
    taken: dict[str, LockMode] = {}
    for oid, mode in held:
        if oid in before:
            name = before[oid].name
            taken[name] = max(taken.get(name, LockMode.ROW_SHARE), LockMode[mode])
    derived = {lock.table: lock for lock in locks_taken(statement, LOOKUP)}
    assert all(lock.is_known for lock in derived.values())
    assert noticeable({table: lock.lock for table, lock in derived.items()}) == noticeable(taken)
    done = {before[oid].name: work(before[oid], found) for oid, found in after.items() if oid in before}
    assert derived.get("contact", TableLock("contact", LockMode.SHARE, RowWork.NONE)).work == done["contact"]


@dataclass(frozen=True)
class State:
    """A table's name, its file, and the number of its sequential scans."""

    name: str
    file: int
    scans: int


async def state(connection: "asyncpg.Connection[asyncpg.Record]") -> dict[int, State]:
    return {oid: State(*rest) for oid, *rest in await connection.fetch(STATE)}


def work(before: State, after: State) -> RowWork:
    if before.file != after.file:
        return RowWork.REWRITE
    return RowWork.SCAN if after.scans > before.scans else RowWork.NONE


def noticeable(locks: dict[str, LockMode]) -> dict[str, LockMode]:
    """All but ROW SHARE, which blocks no migration: checking a foreign key takes it too."""
    return {table: lock for table, lock in locks.items() if lock > LockMode.ROW_SHARE}


def test_building_an_index_concurrently_blocks_nobody() -> None:
    (lock,) = locks_taken("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON contact (phone)", LOOKUP)
    assert (lock.table, lock.lock.effect, lock.work) == ("contact", "nobody waits", RowWork.SCAN)
    (lock,) = locks_taken("DROP INDEX CONCURRENTLY IF EXISTS ix_contact_email", LOOKUP)
    assert (lock.table, lock.lock.effect) == ("contact", "nobody waits")


def test_a_statement_that_changes_rows_has_the_work_change() -> None:
    for statement in (
        "update contact set phone = null",
        "insert into contact (id) values ('1')",
        "delete from contact",
    ):
        assert locks_taken(statement, LOOKUP) == (TableLock("contact", LockMode.ROW_EXCLUSIVE, RowWork.CHANGE),)


@pytest.mark.parametrize("statement", ["cluster contact", "alter table contact frobnicate", "do $$ begin end $$"])
def test_an_unknown_statement_is_assumed_to_be_the_worst(statement: str) -> None:
    (lock,) = locks_taken(statement, LOOKUP)
    assert (lock.lock, lock.work, lock.is_known) == (LockMode.ACCESS_EXCLUSIVE, RowWork.REWRITE, False)


def test_every_lock_mode_has_a_name_and_an_effect_in_words() -> None:
    assert [mode.words for mode in LockMode][-1] == "ACCESS EXCLUSIVE"
    assert all(re.fullmatch("[a-z ]+", mode.effect) for mode in LockMode)

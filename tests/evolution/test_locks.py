"""What is said of a statement's locks is what PostgreSQL does: each is run in a transaction that is rolled back."""

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
NAMES = CatalogLookup({"ix_contact_email": "contact"}, {("contact", "fk_contact_company_id"): "company"})

STATEMENTS = (
    "alter table contact add column seniority text",
    "ALTER TABLE contact ADD COLUMN is_vip BOOLEAN DEFAULT false NOT NULL",
    "alter table contact add column at timestamptz default now()",
    "alter table contact add column token uuid default gen_random_uuid()",
    "alter table contact add column dice float default random()",
    "alter table contact add column counted bigint generated always as identity",
    "alter table contact add column friend_id uuid references company (id)",
    "alter table contact add column size int check (size > 0)",
    "alter table contact drop column phone",
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
async def test_the_locks_and_the_work_are_those_of_postgresql(
    connection: "asyncpg.Connection[asyncpg.Record]", statement: str
) -> None:
    before = await state(connection)
    attempt = connection.transaction()
    await attempt.start()
    try:
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
    told = {each.table: each for each in locks_taken(statement, NAMES)}
    assert all(each.is_known for each in told.values())
    assert noticeable({table: each.lock for table, each in told.items()}) == noticeable(taken)
    done = {before[oid].name: work(before[oid], found) for oid, found in after.items() if oid in before}
    assert told.get("contact", TableLock("contact", LockMode.SHARE, RowWork.NONE)).work == done["contact"]


@dataclass(frozen=True)
class State:
    """A table's name, its file, and how often it was read from one end to the other."""

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
    """All but the lock that no migration waits for: another transaction's look at a referenced row takes the same."""
    return {table: lock for table, lock in locks.items() if lock > LockMode.ROW_SHARE}


def test_building_an_index_concurrently_makes_nobody_wait() -> None:
    (told,) = locks_taken("CREATE INDEX CONCURRENTLY IF NOT EXISTS ix ON contact (phone)", NAMES)
    assert (told.table, told.lock.effect, told.work) == ("contact", "nobody waits", RowWork.SCAN)
    (told,) = locks_taken("DROP INDEX CONCURRENTLY IF EXISTS ix_contact_email", NAMES)
    assert (told.table, told.lock.effect) == ("contact", "nobody waits")


def test_rows_that_are_changed_are_said_to_be() -> None:
    for statement in (
        "update contact set phone = null",
        "insert into contact (id) values ('1')",
        "delete from contact",
    ):
        assert locks_taken(statement, NAMES) == (TableLock("contact", LockMode.ROW_EXCLUSIVE, RowWork.CHANGE),)


@pytest.mark.parametrize("statement", ["cluster contact", "alter table contact frobnicate", "do $$ begin end $$"])
def test_what_is_not_recognised_is_told_as_the_worst_that_it_can_be(statement: str) -> None:
    (told,) = locks_taken(statement, NAMES)
    assert (told.lock, told.work, told.is_known) == (LockMode.ACCESS_EXCLUSIVE, RowWork.REWRITE, False)


def test_every_lock_is_told_in_words() -> None:
    assert [each.words for each in LockMode][-1] == "ACCESS EXCLUSIVE"
    assert all(re.fullmatch("[a-z ]+", each.effect) for each in LockMode)

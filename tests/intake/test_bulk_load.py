"""Tables loaded without indexes have every index and constraint again afterwards; a load that fails changes nothing."""

import asyncpg
import pytest

from api.db import Database, WriteSession
from api.errors import AccordError, ErrorCode
from api.intake.bulk_load import without_indexes
from api.revisions import migrate
from api.sample.random_source import SeededRandom
from api.sample.row_buffers import RowBuffer
from api.sql import Sql
from schema.base import new_id
from tests.sample.conftest import make
from tests.support.databases import database_connection_url, run_statements

CATALOGUE = Sql(
    """select conrelid::regclass::text as of, conname::text as name, pg_get_constraintdef(oid) as is, convalidated
from pg_constraint where connamespace = 'public'::regnamespace
union all select tablename, indexname, indexdef, null from pg_indexes where schemaname = 'public'
union all select attrelid::regclass::text, attname, 'not null', attnotnull from pg_attribute
where attrelid in (select oid from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r')
order by 1, 2, 3"""
)


async def catalogue(database: Database) -> list[tuple[object, ...]]:
    async with database.read() as session:
        return [tuple(row) for row in await session.rows(CATALOGUE)]


async def load(session: WriteSession, rows: RowBuffer) -> None:
    async with without_indexes(session, ["touchpoint"]):
        await session.copy_binary(rows.table, rows.columns, rows.copy_data())


def dangling_touchpoint() -> RowBuffer:
    rows, rng = RowBuffer("touchpoint"), SeededRandom(1)
    rows.add(contact_id=rng.uuid7(1), id=rng.uuid7(1), occurred_at=1, recorded_at=1, kind="CALL", direction="INBOUND")
    return rows


async def test_a_sample_leaves_every_index_and_constraint_unchanged(database: Database) -> None:
    before = await catalogue(database)
    await make(database, contacts=20)
    assert before
    assert await catalogue(database) == before


async def test_a_dangling_row_fails_the_load_and_changes_nothing(database: Database) -> None:
    before = await catalogue(database)
    with pytest.raises(asyncpg.ForeignKeyViolationError):
        async with database.write() as session:
            await load(session, dangling_touchpoint())
    assert await catalogue(database) == before
    async with database.read() as session:
        assert await session.value(Sql("select count(*) from touchpoint")) == 0


async def test_a_table_with_rows_keeps_its_indexes(database: Database) -> None:
    async with database.write() as session:
        await session.copy("contact", ["id", "last_name"], [(new_id(), "Weiss")])
    with pytest.raises(AccordError) as caught:
        async with database.write() as session, without_indexes(session, ["contact"]):
            raise AssertionError("its indexes were dropped")
    assert caught.value.code == ErrorCode.BAD_INPUT
    async with database.read() as looking:
        assert await looking.value(Sql("select last_name from contact")) == "Weiss"


async def test_a_view_that_depends_on_a_primary_key_survives(database: Database) -> None:
    async with database.write() as session:
        await session.script(
            "create view busy as"
            " select c.*, count(*) from contact c join touchpoint t on t.contact_id = c.id group by c.id"
        )
    try:
        await make(database, contacts=20)
        async with database.read() as looking:
            assert await looking.value(Sql("select count(*) from busy")) == 20
    finally:
        async with database.write() as session:
            await session.script("drop view busy")


async def test_the_owner_of_a_database_needs_no_other_rights(server: str) -> None:
    await run_statements(server, "create role somebody login", "create database somebodys owner somebody")
    try:
        own = database_connection_url(server, "somebodys").replace("//postgres@", "//somebody@")
        await migrate(own)
        async with Database.open(own, size=1) as opened:
            async with opened.read() as looking:
                assert await looking.value(
                    Sql("select current_user = 'somebody' and not rolsuper from pg_roles where rolname = current_user")
                )
            assert (await make(opened, contacts=5)).made.rows["contact"] == 5
    finally:
        await run_statements(server, "drop database somebodys with (force)", "drop role somebody")

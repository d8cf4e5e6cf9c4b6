"""Scratch sessions: one snapshot with temporary tables, of which nothing survives."""

import pytest

from api.db import Database, ReadSession, ScratchSession, WriteSession
from api.funnel.drift import check_entries
from api.funnel.evaluate import evaluate
from api.sql import Sql
from schema.base import new_id
from tests.golden import world

CONTACTS = Sql("select count(*) from contact")
TEMP_TABLES = Sql("select count(*) from pg_class where relpersistence = 't' and relkind = 'r'")


async def test_nothing_done_in_a_scratch_session_survives(database: Database) -> None:
    async with database.write() as session:
        await world.load(session)
    async with database.scratch() as session:
        await session.script("create temp table kept as select id from contact")
        await session.copy("contact", ["id"], [(new_id(),)])
        await session.run(Sql("delete from touchpoint"))
        assert await session.value(CONTACTS) == 9
        assert await session.value(TEMP_TABLES) == 1
    async with database.read() as reading:
        assert await reading.value(CONTACTS) == 8
        assert await reading.value(TEMP_TABLES) == 0
        assert await reading.value(Sql("select count(*) > 0 from touchpoint"))


async def test_nothing_survives_an_error_and_the_connection_stays_usable(database: Database) -> None:
    async def fail() -> None:
        async with database.scratch() as session:
            await session.copy("contact", ["id"], [(new_id(),)])
            raise LookupError

    for _ in range(5):  # more often than the pool has connections
        with pytest.raises(LookupError):
            await fail()
    async with database.read() as reading:
        assert await reading.value(CONTACTS) == 0


async def test_a_scratch_session_is_one_snapshot(database: Database) -> None:
    async with database.scratch() as session:
        assert await session.value(CONTACTS) == 0
        async with database.write() as writing:
            await writing.copy("contact", ["id"], [(new_id(),)])
        assert await session.value(CONTACTS) == 0


async def test_entries_are_checked_in_a_scratch_session(database: Database) -> None:
    async with database.write() as session:
        await world.load(session)
        made = await evaluate(session)
    async with database.scratch() as scratch:
        assert (await check_entries(scratch)).entries == sum(made.entries.values())


def test_a_write_session_serves_as_a_scratch_session_and_no_other_way_round() -> None:
    assert issubclass(WriteSession, ScratchSession)
    assert not issubclass(ScratchSession, WriteSession)
    assert not issubclass(ScratchSession, ReadSession)
    assert not issubclass(ReadSession, ScratchSession)

"""The triggers write the history of a record, whatever changes it."""

from datetime import UTC, datetime, timedelta

from api.db import Database
from api.sql import Sql
from schema.base import new_id

START = datetime(2026, 1, 1, tzinfo=UTC)


async def versions(database: Database) -> list[tuple[object, ...]]:
    async with database.read() as session:
        rows = await session.rows(
            Sql("select valid_from, valid_to, is_assumed, job_title from contact_version order by contact_id, id")
        )
    return [tuple(row) for row in rows]


async def test_an_insert_opens_a_version_at_its_effective_instant(database: Database) -> None:
    async with database.write() as session:
        await session.copy(
            "contact", ["id", "effective_at", "is_assumed", "job_title"], [(new_id(), START, True, "CEO")]
        )
    assert await versions(database) == [(START, None, True, "CEO")]


async def test_a_change_closes_the_open_version_and_opens_the_next(database: Database) -> None:
    later, person = START + timedelta(days=3), new_id()
    async with database.write() as session:
        await session.copy("contact", ["id", "effective_at", "job_title"], [(person, START, "CEO")])
        await session.run(Sql("update contact set job_title = 'CTO', effective_at = {} where id = {}", later, person))
        await session.run(Sql("update contact set updated_at = now() where id = {}", person))
    assert await versions(database) == [(START, later, False, "CEO"), (later, None, False, "CTO")]


async def test_a_change_at_the_same_instant_leaves_an_empty_version(database: Database) -> None:
    person = new_id()
    async with database.write() as session:
        await session.copy("contact", ["id", "effective_at", "job_title"], [(person, START, "CEO")])
        await session.run(
            Sql("update contact set job_title = 'CTO', effective_at = {} where id = {}", START - timedelta(1), person)
        )
    assert await versions(database) == [(START, START, False, "CEO"), (START, None, False, "CTO")]


async def test_an_unknown_start_stays_null(database: Database) -> None:
    async with database.write() as session:
        await session.copy("contact", ["id", "job_title"], [(new_id(), "CEO")])
    assert await versions(database) == [(None, None, False, "CEO")]


async def test_no_version_is_written_while_history_is_given(database: Database) -> None:
    async with database.write() as session:
        await session.script("set local accord.history_is_given = on")
        await session.copy("contact", ["id", "effective_at", "job_title"], [(new_id(), START, "CEO")])
    assert await versions(database) == []

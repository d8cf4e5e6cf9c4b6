"""Migrating a database to a revision, and the databases and revisions that are rejected."""

import asyncio
from datetime import UTC, datetime

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.revisions import head_revision, known_revisions, migrate, open_connection, require_compatible
from api.sql import Sql
from migrations.catalogue import Catalogue, compare, read, read_declared
from schema.base import new_id
from tests.support.databases import run_statements

START = datetime(2026, 1, 1, tzinfo=UTC)


async def catalogue(dsn: str) -> Catalogue:
    async with open_connection(dsn) as connection:
        return await connection.run_sync(read)


async def populate(dsn: str) -> None:
    person, deal = new_id(), new_id()
    async with Database.open(dsn, size=1) as database, database.write() as session:
        await session.copy("contact", ["id", "effective_at", "job_title"], [(person, START, "CEO")])
        await session.run(Sql("update contact set job_title = 'CTO' where id = {}", person))
        await session.copy("deal", ["id", "opened_at", "effective_at"], [(deal, START, START)])
        await session.copy("deal_contact", ["contact_id", "deal_id", "is_primary"], [(person, deal, True)])
        touch = (person, new_id(), START, "FORM", "INBOUND")
        await session.copy("touchpoint", ["contact_id", "id", "occurred_at", "kind", "direction"], [touch])


async def rejection(dsn: str) -> AccordError:
    async with Database.open(dsn, size=1) as database:
        with pytest.raises(AccordError) as refused:
            await require_compatible(database)
    return refused.value


async def test_an_empty_database_is_migrated_to_the_newest_revision_and_the_steps_are_returned(empty_dsn: str) -> None:
    done = await migrate(empty_dsn)
    assert [step.revision for step in done.steps] == list(reversed(known_revisions()))
    assert all(step.is_upgrade and step.title for step in done.steps)
    assert done.revision == head_revision()
    async with Database.open(empty_dsn, size=1) as database:
        await require_compatible(database)


async def test_migrating_again_does_nothing(migrated_dsn: str) -> None:
    assert (await migrate(migrated_dsn)).steps == ()


async def test_up_down_up_on_a_populated_database(migrated_dsn: str) -> None:
    await populate(migrated_dsn)
    undone = await migrate(migrated_dsn, to="base", may_go_back=True)
    assert [step.revision for step in undone.steps] == list(known_revisions())
    assert undone.revision is None
    assert await catalogue(migrated_dsn) == {}
    await migrate(migrated_dsn)
    async with open_connection(migrated_dsn) as connection:
        assert compare(await connection.run_sync(read), await connection.run_sync(read_declared)) == ()
    await populate(migrated_dsn)


async def test_going_back_needs_may_go_back(migrated_dsn: str) -> None:
    with pytest.raises(AccordError, match="--back") as refused:
        await migrate(migrated_dsn, to="base")
    assert refused.value.code is ErrorCode.BAD_INPUT
    assert await catalogue(migrated_dsn)


@pytest.mark.parametrize("target", ["nonsense", ""])
async def test_an_unknown_revision_is_rejected_with_the_known_ones(empty_dsn: str, target: str) -> None:
    with pytest.raises(AccordError, match=head_revision()) as refused:
        await migrate(empty_dsn, to=target)
    assert refused.value.code is ErrorCode.BAD_INPUT


async def test_a_database_of_a_newer_accord_is_rejected(migrated_dsn: str) -> None:
    await run_statements(
        migrated_dsn,
        "update alembic_version set version_num = 'fffffffffff1'",
        "update schema_compatibility set revisions = '{fffffffffff0,fffffffffff1}'",
    )
    error = await rejection(migrated_dsn)
    assert error.code is ErrorCode.DATABASE_NEWER
    assert "fffffffffff1" in error.message
    assert "newer Accord" in error.message
    assert "runs Accord from revision fffffffffff0 on" in error.message
    assert f"--to {head_revision()} --back" in error.remedy
    for target in ("head", "base"):
        with pytest.raises(AccordError) as refused:
            await migrate(migrated_dsn, to=target, may_go_back=True)
        assert refused.value.code is ErrorCode.DATABASE_NEWER
    assert await catalogue(migrated_dsn)


async def test_a_database_that_was_never_set_up_is_rejected(empty_dsn: str) -> None:
    error = await rejection(empty_dsn)
    assert (error.code, error.remedy) == (ErrorCode.DATABASE_OUTDATED, "Run `accord migrate`.")


async def test_a_database_migrated_back_to_base_is_rejected(migrated_dsn: str) -> None:
    await migrate(migrated_dsn, to="base", may_go_back=True)
    assert (await rejection(migrated_dsn)).code is ErrorCode.DATABASE_OUTDATED


async def test_concurrent_migrations_do_not_collide(empty_dsn: str) -> None:
    done = await asyncio.gather(*(migrate(empty_dsn) for _ in range(3)))
    assert sorted(len(result.steps) for result in done) == [0, 0, len(known_revisions())]


async def test_tables_of_another_program_are_not_changed(empty_dsn: str) -> None:
    await run_statements(empty_dsn, "create table deal (id int)")
    before = await catalogue(empty_dsn)
    with pytest.raises(AccordError, match='"deal" already exists') as refused:
        await migrate(empty_dsn)
    assert refused.value.code is ErrorCode.MIGRATION_FAILED
    assert "Nothing was changed" in refused.value.message
    assert await catalogue(empty_dsn) == before
    assert (await rejection(empty_dsn)).code is ErrorCode.DATABASE_OUTDATED


async def test_an_unreachable_server_has_an_error_code_of_its_own() -> None:
    with pytest.raises(AccordError) as refused:
        await migrate("postgresql://nobody@127.0.0.1:1/accord")
    assert refused.value.code is ErrorCode.DATABASE_UNREACHABLE

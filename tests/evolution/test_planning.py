"""`accord migrate --plan` prints what would run, and runs nothing."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from api.cli import app
from api.errors import AccordError, ErrorCode
from api.revisions import head_revision, known_revisions, migrate, migrating, open_connection
from migrations.catalogue import Catalogue, DatabaseObject, read
from schema.base import new_id
from tests.evolution.example_changes import HEAD, write_migration
from tests.support.databases import run_statements

INDEX = """with op.get_context().autocommit_block():
        op.execute("create index concurrently ix_contact_phone on contact (phone)")"""

DROP = "drop index concurrently if exists ix_contact_phone"
IS_VALID = "select indisvalid from pg_index where indexrelid = to_regclass('ix_contact_phone')"


@pytest.fixture(autouse=True)
def address(module_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", module_dsn)


def planned(*words: str) -> Result:
    return CliRunner().invoke(app, ["migrate", "--plan", *words])


async def catalogue(dsn: str) -> Catalogue:
    async with open_connection(dsn) as connection:
        return await connection.run_sync(read)


def test_the_plan_of_a_current_database_is_empty() -> None:
    assert planned().stdout.endswith(f": at revision {HEAD}. Nothing would run.\n")


async def test_a_plan_backwards_shows_what_is_dropped_and_drops_nothing(module_dsn: str) -> None:
    before = await catalogue(module_dsn)
    lines = (await asyncio.to_thread(planned, "--to", "base", "--back")).stdout.splitlines()
    assert "DROP TABLE contact;" in lines
    assert lines[lines.index("DROP TABLE contact;") + 1].startswith("--   contact (")
    assert any(line.startswith("-- contact (") and "ACCESS EXCLUSIVE, reads and writes wait" in line for line in lines)
    count = len(known_revisions())
    assert lines[0].endswith(f"{count} migration{'s' if count > 1 else ''} would run, to empty. Nothing was run.")
    assert await catalogue(module_dsn) == before


def test_a_plan_backwards_needs_the_option_back() -> None:
    refused = planned("--to", "base").exception
    assert isinstance(refused, AccordError)
    assert refused.code is ErrorCode.BAD_INPUT


async def test_running_the_plan_by_hand_has_the_same_result_as_migrating(module_dsn: str, versions: Path) -> None:
    write_migration(
        versions, 'op.add_column("contact", sa.Column("motto", sa.Text(), comment="50% of it: a \'word\'"))'
    )
    script = (await asyncio.to_thread(planned)).stdout
    assert DatabaseObject("column", "contact", "motto") not in await catalogue(module_dsn)
    await run_statements(module_dsn, script)
    by_hand = await catalogue(module_dsn)
    assert by_hand[DatabaseObject("column", "contact", "motto")] == "text -- 50% of it: a 'word'"
    await run_statements(module_dsn, "alter table contact drop column motto")
    await migrate(module_dsn)
    assert await catalogue(module_dsn) == by_hand
    await run_statements(
        module_dsn,
        "alter table contact drop column motto",
        f"update alembic_version set version_num = '{HEAD}'",
    )


async def test_the_plan_commits_before_what_runs_outside_a_transaction(versions: Path) -> None:
    write_migration(versions, INDEX)
    lines = (await asyncio.to_thread(planned)).stdout.splitlines()
    built = lines.index("create index concurrently ix_contact_phone on contact (phone);")
    assert lines[built - 1] == "commit;"
    assert lines[built + 1].endswith("SHARE UPDATE EXCLUSIVE, nobody waits; scanned.")


async def test_concurrent_migrations_do_not_wait_for_each_others_snapshots(module_dsn: str, versions: Path) -> None:
    write_migration(versions, INDEX)
    done = await asyncio.gather(*(migrate(module_dsn) for _ in range(3)))
    assert sorted(len(result.steps) for result in done) == [0, 0, 1]
    assert {result.revision for result in done} == {head_revision()} == {"aaaaaaaaaaaa"}
    assert DatabaseObject("index", "contact", "ix_contact_phone") in await catalogue(module_dsn)
    await migrate(module_dsn, to=HEAD, may_go_back=True)
    await run_statements(module_dsn, "drop index ix_contact_phone")


async def test_an_index_whose_build_failed_is_built_by_the_next_run(
    module_dsn: str, versions: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop = INDEX.replace("create index concurrently ix_contact_phone on contact (phone)", DROP)
    write_migration(versions, f"{drop}\n    {INDEX}")
    monkeypatch.setattr(migrating, "_LOCK_TIMEOUT_SECONDS", 1)
    busy = await asyncpg.connect(module_dsn)
    writing = busy.transaction()
    await writing.start()
    await busy.execute("insert into contact (id) values ($1)", new_id())
    with pytest.raises(AccordError, match="lock timeout") as refused:
        await migrate(module_dsn)
    assert refused.value.code is ErrorCode.MIGRATION_FAILED
    await writing.rollback()
    assert (await busy.fetchval(IS_VALID), (await migrate(module_dsn)).revision) == (False, "aaaaaaaaaaaa")
    assert await busy.fetchval(IS_VALID)
    await busy.close()
    await migrate(module_dsn, to=HEAD, may_go_back=True)
    await run_statements(module_dsn, DROP)

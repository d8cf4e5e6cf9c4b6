"""The commands `accord show`, `accord evaluate` and `accord check`."""

import asyncio
import json
import uuid
from pathlib import Path

from api.accord.documents import parse_accord, read_accord
from api.db import Database
from api.sql import Sql
from tests.golden import world
from tests.support.accords import replace_document
from tests.support.commands import run_command


async def run(dsn: str, folder: Path, *words: str) -> tuple[int, str, str]:
    """Run a command on the module's database; returns the exit code, stdout and stderr."""
    done = await asyncio.to_thread(run_command, *words, data=folder, DATABASE_URL=dsn)
    return done.returncode, done.stdout, done.stderr


async def test_without_an_accord_every_command_names_the_next_step(
    module_database: Database, module_dsn: str, tmp_path: Path
) -> None:
    async with module_database.read() as session:
        assert await session.value(Sql("select count(*) from accord_version")) == 0
    for command in ("show", "evaluate"):
        code, out, errors = await run(module_dsn, tmp_path, command)
        assert (code, out) == (2, "")
        assert "This database has no accord yet." in errors
        assert "accord init" in errors
    code, _, errors = await run(module_dsn, tmp_path, "check")
    assert code == 2
    assert "Run `accord evaluate`." in errors


async def test_show_prints_sentences_toml_and_json(database: Database, module_dsn: str, tmp_path: Path) -> None:
    async with database.write() as session:
        adopted = await world.load(session)
    _, out, errors = await run(module_dsn, tmp_path, "show")
    assert errors == ""
    assert "Version 1, in force from the beginning of time; not signed yet" in out
    assert adopted.content_hash in out
    assert "2. Marketing qualified lead (mql) · Prospect · owned by marketing" in out
    assert "at least 2 inbound touches less than 30 days ago, and (e-mail known or phone known)" in out
    assert "NO_FIT: Not our kind of customer" in out
    assert "No person gets more than 5 touches" in out
    _, toml, _ = await run(module_dsn, tmp_path, "show", "--toml")
    assert parse_accord(toml, origin="shown") == adopted.accord
    _, canonical, _ = await run(module_dsn, tmp_path, "show", "--json")
    assert canonical.strip() == adopted.accord.canonical()
    assert adopted.accord != read_accord("standard")


async def test_show_prints_the_stored_text_as_json(database: Database, module_dsn: str, tmp_path: Path) -> None:
    async with database.write() as session:
        adopted = await world.load(session)
        body = json.loads(adopted.accord.canonical())
        await replace_document(session, body)
    text = json.dumps(body)
    assert text != adopted.accord.canonical()
    _, out, _ = await run(module_dsn, tmp_path, "show", "--json")
    assert out.strip() == text


async def test_evaluate_counts_entries_and_check_finds_drift(
    database: Database, module_dsn: str, tmp_path: Path
) -> None:
    async with database.write() as session:
        await world.load(session)
    code, out, _ = await run(module_dsn, tmp_path, "evaluate")
    assert code == 0
    assert out.startswith("Entries of all people, every time they entered a stage")
    assert [line.split()[:2] for line in out.splitlines()[1:7]] == [
        ["inquiry", "8"],
        ["mql", "9"],
        ["sal", "7"],
        ["sql", "6"],
        ["opportunity", "4"],
        ["customer", "2"],
    ]
    assert "36 entries" in out
    assert (await run(module_dsn, tmp_path, "check"))[:2] == (0, "36 stored entries equal a rebuild.\n")
    async with database.write() as session:
        await session.run(Sql("delete from touchpoint where contact_id = {}", world.contact_id("c8")))
    code, out, errors = await run(module_dsn, tmp_path, "check")
    assert (code, out) == (2, "")
    assert "The stored entries differ from a rebuild" in errors
    assert "Rebuild them with `accord evaluate`." in errors


async def test_init_makes_version_1_with_the_settings_of_the_firm_and_show_prints_them(
    database: Database, module_dsn: str, tmp_path: Path
) -> None:
    settings = ("--timezone", "Europe/Berlin", "--currency", "CHF", "--week-start", "sunday")
    code, _, errors = await run(module_dsn, tmp_path, "init", *settings, "--fiscal-year-start", "febuary")
    assert code == 2
    assert "Did you mean February?" in errors
    async with database.read() as session:
        assert await session.value(Sql("select count(*) from accord_version")) == 0
    code, out, _ = await run(
        module_dsn, tmp_path, "init", *settings, "--fiscal-year-start", "february", "--fiscal-year-named-by", "start"
    )
    assert (code, "Not stated" in out) == (0, False)
    _, out, _ = await run(module_dsn, tmp_path, "show")
    assert "Days begin at midnight in Europe/Berlin, weeks on Sunday." in out
    assert "February 2026 to January 2027 is FY2026." in out
    assert "Money is reported in CHF." in out
    _, toml, _ = await run(module_dsn, tmp_path, "show", "--toml")
    assert 'fiscal_year_named_by = "START"' in toml
    code, out, _ = await run(module_dsn, tmp_path, "init", "--timezone", "UTC")
    assert (code, "Version 2 of the accord is proposed" in out) == (0, True)


async def test_init_says_what_was_not_stated(database: Database, module_dsn: str, tmp_path: Path) -> None:
    async with database.read() as session:
        assert await session.value(Sql("select count(*) from accord_version")) == 0
    code, out, _ = await run(module_dsn, tmp_path, "init", "--timezone", "Asia/Tokyo")
    assert code == 0
    assert "Days begin at midnight in Asia/Tokyo" in out
    assert (
        "Not stated, so as 'standard' has it: --currency, --week-start, --fiscal-year-start, --fiscal-year-named-by."
        in out
    )


async def test_a_full_disk_or_a_user_who_may_only_read_is_an_error_with_a_remedy(
    database: Database, module_dsn: str, tmp_path: Path
) -> None:
    async with database.write() as session:
        await world.load(session)
        await session.script(
            "create function no_room() returns trigger language plpgsql as"
            " $$ begin raise exception 'No space left on device' using errcode = 'disk_full'; end $$;"
            " create trigger no_room before insert on evaluation execute function no_room();"
        )
    try:
        code, out, errors = await run(module_dsn, tmp_path, "evaluate")
    finally:
        async with database.write() as session:
            await session.script("drop function no_room cascade")
    assert (code, out) == (2, "")
    assert "The disk of the database is full (No space left on device). Nothing was changed." in errors
    assert "Make room there" in errors
    reader = f"reader_{uuid.uuid4().hex[:8]}"
    async with database.write() as session:
        await session.script(f"create role {reader} login; grant select on all tables in schema public to {reader}")
    try:
        read_only = module_dsn.replace("://postgres@", f"://{reader}@")
        assert read_only != module_dsn
        code, out, errors = await run(read_only, tmp_path, "evaluate")
        assert (code, out) == (2, "")
        assert "The database does not let its user do this" in errors
        assert "Give the user of DATABASE_URL the right" in errors
    finally:
        async with database.write() as session:
            await session.script(f"drop owned by {reader}; drop role {reader}")

"""`accord sample` from the command line."""

import os
import subprocess
import sys

from api.db import Database
from api.sql import Sql


def accord(dsn: str, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "from api.cli import main; main()", "sample", *words],
        env={**os.environ, "DATABASE_URL": dsn},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_the_command_makes_a_company_once_and_tells_what_it_made(module_dsn: str, database: Database) -> None:
    made = accord(module_dsn, "--contacts", "20", "--seed", "5", "--until", "2026-03-01", "--if-empty")
    assert made.returncode == 0, made.stderr
    assert "20 people" in made.stdout
    assert "seed 5, 24 months until 2026-03-01" in made.stdout
    assert "suspect 20" in made.stdout

    left_alone = accord(module_dsn, "--if-empty")
    assert (left_alone.returncode, left_alone.stdout) == (0, "")

    refused = accord(module_dsn)
    assert refused.returncode == 2
    assert "holds a sample company already" in refused.stderr
    assert "--data DIR" in refused.stderr
    assert "Traceback" not in refused.stderr

    async with database.read() as session:
        assert await session.value(Sql("select count(*) from contact")) == 20


def test_a_date_that_is_none_is_refused(module_dsn: str) -> None:
    refused = accord(module_dsn, "--until", "yesterday")
    assert refused.returncode == 2
    assert "yesterday" in refused.stderr
    assert "Traceback" not in refused.stderr


async def test_a_full_disk_is_said_and_leaves_nothing(module_dsn: str, database: Database) -> None:
    async with database.write() as session:
        await session.script(
            "create function no_room() returns trigger language plpgsql as"
            " $$ begin raise exception 'No space left on device' using errcode = 'disk_full'; end $$;"
            " create trigger no_room before insert on handoff execute function no_room()"
        )
    try:
        refused = accord(module_dsn, "--contacts", "20")
    finally:
        async with database.write() as session:
            await session.script("drop function no_room cascade")
    assert refused.returncode == 2
    assert "The disk of the database is full (No space left on device). Nothing was made." in refused.stderr
    assert "--contacts" in refused.stderr
    async with database.read() as looking:
        assert await looking.value(Sql("select count(*) from contact")) == 0

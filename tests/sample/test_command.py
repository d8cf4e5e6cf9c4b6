"""The command `accord sample`."""

import os
import subprocess
import sys

from api.access.credentials.grants import Grant
from api.access.credentials.key_lookup import find_key, has_real_keys
from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.metrics.query import query_funnel
from api.metrics.request import FunnelRequest
from api.sample.demo_people import demo_people
from api.sql import Sql


def accord_sample(dsn: str, *options: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", "from api.cli import main; main()", "sample", *options],
        env={**os.environ, "DATABASE_URL": dsn},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


async def test_the_command_creates_a_sample_once_and_reports_its_size(module_dsn: str, database: Database) -> None:
    made = accord_sample(module_dsn, "--contacts", "20", "--seed", "5", "--until", "2026-03-01", "--if-empty")
    assert made.returncode == 0, made.stderr
    assert "20 people" in made.stdout
    assert "seed 5, 24 months until 2026-03-01" in made.stdout
    async with database.read() as session:
        stages = (await query_funnel(session, LOCAL_OPERATOR, FunnelRequest())).stages
    people = ", ".join(f"{stage.key} {stage.reached}" for stage in stages)
    assert f"People who reached each stage, without tests and our own people: {people}." in made.stdout

    for person in demo_people():
        assert f"  {person.name}, {person.title} " in made.stdout
        assert f"      {person.token.text}\n" in made.stdout
        key = await find_key(database, person.token.key_id)
        assert key is not None
        assert key.is_demo
        assert person.token.matches(key.secret_hash)
        assert (Grant.of(key.principal), key.principal.name) == (person.grant, person.name)
    assert not await has_real_keys(database)

    unchanged = accord_sample(module_dsn, "--if-empty")
    assert (unchanged.returncode, unchanged.stdout) == (0, "")

    rejected = accord_sample(module_dsn)
    assert rejected.returncode == 2
    assert "already holds a sample company" in rejected.stderr
    assert "--data DIR" in rejected.stderr
    assert "Traceback" not in rejected.stderr

    async with database.read() as session:
        assert await session.value(Sql("select count(*) from contact")) == 20


def test_an_invalid_date_is_rejected(module_dsn: str) -> None:
    rejected = accord_sample(module_dsn, "--until", "yesterday")
    assert rejected.returncode == 2
    assert "yesterday" in rejected.stderr
    assert "Traceback" not in rejected.stderr


async def test_a_full_disk_is_reported_and_leaves_nothing(module_dsn: str, database: Database) -> None:
    async with database.write() as session:
        await session.script(
            "create function no_room() returns trigger language plpgsql as"
            " $$ begin raise exception 'No space left on device' using errcode = 'disk_full'; end $$;"
            " create trigger no_room before insert on handoff execute function no_room()"
        )
    try:
        rejected = accord_sample(module_dsn, "--contacts", "20")
    finally:
        async with database.write() as session:
            await session.script("drop function no_room cascade")
    assert rejected.returncode == 2
    assert "The disk of the database is full (No space left on device). Nothing was made." in rejected.stderr
    assert "--contacts" in rejected.stderr
    async with database.read() as looking:
        assert await looking.value(Sql("select count(*) from contact")) == 0

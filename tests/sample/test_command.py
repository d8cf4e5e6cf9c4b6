"""The command `accord sample`."""

from pathlib import Path

from api.access.credentials.grants import Grant
from api.access.credentials.key_lookup import find_key, has_real_keys
from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.metrics.query import query_funnel
from api.metrics.request import FunnelRequest
from api.sample.demo_people import demo_people
from api.sql import Sql
from tests.support.commands import run_on


async def test_the_command_creates_a_sample_once_and_reports_its_size(
    module_dsn: str, database: Database, tmp_path: Path
) -> None:
    code, output = await run_on(
        module_dsn, "sample", "--contacts", "20", "--seed", "5", "--until", "2026-03-01", "--if-empty", data=tmp_path
    )
    assert code == 0, output
    assert "20 people" in output
    assert "seed 5, 24 months until 2026-03-01" in output
    async with database.read() as session:
        stages = (await query_funnel(session, LOCAL_OPERATOR, FunnelRequest())).stages
    people = ", ".join(f"{stage.key} {stage.reached}" for stage in stages)
    assert f"People who reached each stage, without tests and our own people: {people}." in output

    for person in demo_people():
        assert f"  {person.name}, {person.title} " in output
        assert f"      {person.token.text}\n" in output
        key = await find_key(database, person.token.key_id)
        assert key is not None
        assert key.is_demo
        assert person.token.matches(key.secret_hash)
        assert (Grant.of(key.principal), key.principal.name) == (person.grant, person.name)
    assert "Helena Ostrander (head of marketing) and Marcus Devereaux (head of sales) sign the accord" in output
    assert not await has_real_keys(database)

    code, output = await run_on(module_dsn, "sample", "--if-empty", data=tmp_path)
    assert (code, output) == (0, "")

    code, output = await run_on(module_dsn, "sample", data=tmp_path)
    assert code == 2
    assert "already holds a sample company" in output
    assert "--data DIR" in output

    async with database.read() as session:
        assert await session.value(Sql("select count(*) from contact")) == 20


async def test_an_invalid_date_is_rejected(module_dsn: str, tmp_path: Path) -> None:
    code, output = await run_on(module_dsn, "sample", "--until", "yesterday", data=tmp_path)
    assert code == 2
    assert "yesterday" in output


async def test_a_full_disk_is_reported_and_leaves_nothing(module_dsn: str, database: Database, tmp_path: Path) -> None:
    async with database.write() as session:
        await session.script(
            "create function no_room() returns trigger language plpgsql as"
            " $$ begin raise exception 'No space left on device' using errcode = 'disk_full'; end $$;"
            " create trigger no_room before insert on handoff execute function no_room()"
        )
    try:
        code, output = await run_on(module_dsn, "sample", "--contacts", "20", data=tmp_path)
    finally:
        async with database.write() as session:
            await session.script("drop function no_room cascade")
    assert code == 2
    assert "The disk of the database is full (No space left on device). Nothing was made." in output
    assert "--contacts" in output
    async with database.read() as looking:
        assert await looking.value(Sql("select count(*) from contact")) == 0

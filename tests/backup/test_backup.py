"""Backups restore to equal answers; damaged, newer and unfitting ones change nothing."""

import asyncio
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl

import asyncpg
import pytest

from api.backup import client_programs
from api.backup.backup_file import read_manifest
from api.backup.client_programs import PostgresServer, client_connection, fitting_programs
from api.backup.restore_backup import restore_backup
from api.database_url import Host
from api.db import server_version
from api.embedded.programs import MAJOR, PostgresPrograms
from api.errors import AccordError, ErrorCode
from tests.support.commands import Done, accord, run_command, run_on
from tests.support.databases import new_database, run_statements

ANSWERS = (
    ("funnel", "--json"),
    ("kpi", "mql_to_customer", "--by", "channel", "--json"),
    ("kpi", "deals_won", "--grain", "month", "--json"),
)


@dataclass(frozen=True)
class Sample:
    """A private database with a sample company, and its backup."""

    folder: Path
    file: Path


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    folder = tmp_path_factory.mktemp("backup")
    made = Sample(folder / "data", folder / "accord.backup")
    for words in (("migrate",), ("sample", "--contacts", "300", "--until", "2026-07-01"), ("backup", str(made.file))):
        done = accord(*words, data=made.folder)
        assert done.returncode == 0, done.stderr
    return made


def answers(data: Path, **variables: str) -> list[object]:
    found: list[object] = []
    for words in ANSWERS:
        done = run_command(*words, "--as-of", "2026-07-01T00:00:00Z", data=data, **variables)
        assert done.returncode == 0, done.stderr
        found.append(json.loads(done.stdout))
    return found


def changed(file: Path, target: Path, change: Callable[[dict[str, object]], None]) -> Path:
    """A copy of a backup with another manifest."""
    with tarfile.open(file) as archive, tarfile.open(target, "w", format=tarfile.GNU_FORMAT) as copy:
        for member in archive:
            taken = archive.extractfile(member)
            assert taken is not None
            content = taken.read()
            if member.name == "manifest.json":
                manifest = json.loads(content)
                change(manifest)
                content = json.dumps(manifest).encode()
                member.size = len(content)
            copy.addfile(member, io.BytesIO(content))
    return target


def test_a_private_database_is_restored_with_equal_answers(sample: Sample, tmp_path: Path) -> None:
    assert sample.file.stat().st_mode & 0o077 == 0
    restored = accord("restore", str(sample.file), data=tmp_path / "copy")
    assert restored.returncode == 0, restored.stderr
    assert answers(tmp_path / "copy") == answers(sample.folder)
    for words in (("check",), ("verify",)):
        done = accord(*words, data=tmp_path / "copy")
        assert done.returncode == 0, done.stderr
    again = accord("restore", str(sample.file), data=tmp_path / "copy")
    assert (again.returncode, "is not empty" in again.stderr) == (2, True)


async def test_an_external_database_is_replaced_only_if_told(sample: Sample, server: str, tmp_path: Path) -> None:
    async with new_database(server) as dsn:
        await run_statements(
            dsn, "create table other (id int)", "create view seen as select * from other", "create type mood as enum ()"
        )
        refused = await run_on(dsn, "restore", str(sample.file), data=tmp_path)
        assert (refused[0], "is not empty" in refused[1]) == (2, True)
        done = await run_on(dsn, "restore", str(sample.file), "--replace", data=tmp_path)
        assert done[0] == 0, done[1]
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("select to_regclass('other') is null and to_regtype('mood') is null")
        assert await connection.fetchval("select reltuples from pg_class where oid = 'contact'::regclass") == 300
        await connection.close()
        assert await asyncio.to_thread(answers, tmp_path, DATABASE_URL=dsn) == await asyncio.to_thread(
            answers, sample.folder
        )
        again = await run_on(dsn, "restore", str(sample.file), "--replace", data=tmp_path)
        assert again[0] == 0, again[1]
        file = tmp_path / "external.backup"
        assert (await run_on(dsn, "backup", str(file), data=tmp_path))[0] == 0
        assert read_manifest(file).revision == read_manifest(sample.file).revision
        assert [path.name for path in tmp_path.glob("*")] == ["external.backup"]


@pytest.mark.parametrize("part", ["end", "middle", "head", "manifest"])
async def test_a_damaged_file_changes_nothing(sample: Sample, server: str, tmp_path: Path, part: str) -> None:
    whole = sample.file.read_bytes()
    damaged = tmp_path / "damaged.backup"
    position = {"end": 0, "middle": len(whole) // 2, "head": 20, "manifest": whole.index(b'"sha256"') + 12}[part]
    flipped = whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :]
    damaged.write_bytes(whole[: len(whole) // 2] if part == "end" else flipped)
    async with new_database(server) as dsn:
        done = await run_on(dsn, "restore", str(damaged), data=tmp_path)
        assert (done[0], "is not an intact backup" in done[1]) == (2, True), done[1]
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'") == 0
        await connection.close()


async def test_a_backup_of_a_newer_revision_changes_nothing(sample: Sample, server: str, tmp_path: Path) -> None:
    newer = changed(sample.file, tmp_path / "newer.backup", lambda manifest: manifest.update(revision="fedcba987654"))
    async with new_database(server) as dsn:
        done = await run_on(dsn, "restore", str(newer), data=tmp_path)
    assert (done[0], "which this Accord does not know" in done[1]) == (2, True)


async def test_a_restore_that_fails_leaves_the_database_as_it_was(
    sample: Sample, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """pg_restore ends early: psql would take the end of its output for the end of the backup."""
    programs = tmp_path / "bin"
    programs.mkdir()
    own = fitting_programs(PostgresServer(MAJOR, uses_tls=False), is_private=True)
    (programs / "psql").symlink_to(own.path("psql"))
    (programs / "pg_restore").write_text(f'#!/bin/bash\n{own.path("pg_restore")} "$@" | sed "/^COPY /,\\$d"\nexit 1\n')
    (programs / "pg_restore").chmod(0o755)
    broken = PostgresPrograms(MAJOR, programs)
    monkeypatch.setattr("api.backup.restore_backup.fitting_programs", lambda *_args, **_options: broken)
    async with new_database(server) as dsn:
        await run_statements(dsn, "create table kept as select 42 as answer")
        done = await run_on(dsn, "restore", str(sample.file), "--replace", data=tmp_path)
        assert (done[0], "the database is as it was" in done[1]) == (2, True), done[1]
        connection = await asyncpg.connect(dsn)
        assert await connection.fetchval("select answer from kept") == 42
        assert await connection.fetchval("select count(*) from pg_tables where schemaname = 'public'") == 1
        await connection.close()


@pytest.mark.parametrize(("program", "said"), [("exit 1", "pg_dump failed"), ("echo half; exit 1", "pg_dump failed")])
async def test_a_backup_that_fails_leaves_the_former_file(
    sample: Sample, tmp_path: Path, program: str, said: str, monkeypatch: pytest.MonkeyPatch, module_dsn: str
) -> None:
    (tmp_path / "pg_dump").write_text(f"#!/bin/sh\n{program}\n")
    (tmp_path / "pg_dump").chmod(0o755)
    broken = PostgresPrograms(MAJOR, tmp_path)
    monkeypatch.setattr("api.backup.take_backup.fitting_programs", lambda *_args, **_options: broken)
    file = tmp_path / "accord.backup"
    shutil.copy(sample.file, file)
    done = await run_on(module_dsn, "backup", str(file), data=tmp_path)
    assert (done[0], said in done[1]) == (2, True)
    assert file.read_bytes() == sample.file.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["accord.backup", "pg_dump"]


@pytest.mark.parametrize("target", ["missing/accord.backup", "/dev/full/accord.backup"])
def test_a_file_that_cannot_be_written_is_said(module_dsn: str, tmp_path: Path, target: str) -> None:
    done: Done = run_command("backup", str(tmp_path / target), data=tmp_path, DATABASE_URL=module_dsn)
    assert (done.returncode, "cannot be written" in done.stderr) == (2, True)


def test_the_programs_fit_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    def of_machine(major: int | None) -> None:
        found = None if major is None else PostgresPrograms(major, Path("/opt"))
        monkeypatch.setattr(client_programs, "_programs_of_machine", lambda: found)

    of_machine(16)
    assert fitting_programs(PostgresServer(16, uses_tls=True), is_private=False).folder == Path("/opt")
    assert fitting_programs(PostgresServer(18, uses_tls=False), is_private=False).major == MAJOR
    assert fitting_programs(PostgresServer(16, uses_tls=False), is_private=False, at_least=18).major == MAJOR
    for server in (PostgresServer(19, uses_tls=False), PostgresServer(18, uses_tls=True)):
        with pytest.raises(AccordError, match=f"PostgreSQL {server.major} or newer") as refused:
            fitting_programs(server, is_private=False)
        assert refused.value.code is ErrorCode.NO_FITTING_PROGRAMS


def test_the_password_is_no_argument() -> None:
    for url in ("postgresql://me:s%40cret@db:5432/a?sslmode=require", "postgresql://me@db/a?password=s%40cret"):
        found = client_connection(url, Host("db", 5432), is_private=False, major=18)
        assert "cret" not in found.url
        assert found.environment["PGPASSWORD"] == "s@cret"


async def test_a_server_that_is_not_supported_is_refused(
    sample: Sample, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with new_database(server) as dsn:
        monkeypatch.setattr(server_version, "SUPPORTED_VERSIONS", (14, 99))
        with pytest.raises(AccordError, match="this Accord supports PostgreSQL 14 and 99") as refused:
            await restore_backup(dsn, sample.file, is_private=False)
        assert refused.value.code is ErrorCode.DATABASE_VERSION


def test_programs_connect_as_the_url_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", "disable")
    given = (
        "sslmode=verify-full&sslrootcert=%2Fca&sslcert=c&sslkey=k&connect_timeout=7&keepalives=0&options=-cjit%3Doff"
    )
    url = f"postgresql://me@first,second:7/a?{given}&sslnegotiation=direct&application_name=b&target_session_attrs=primary"
    found = client_connection(url, Host("second", 7), is_private=False, major=17)
    assert dict(parse_qsl(found.url.partition("?")[2])) == {
        **dict(parse_qsl(given)),
        "host": "second",
        "port": "7",
        "user": "me",
        "dbname": "a",
        "application_name": "b",
        "sslnegotiation": "direct",
    }
    assert "PGSSLMODE" not in found.environment
    assert "sslnegotiation" not in client_connection(url, Host("second", 7), is_private=False, major=16).url


OLD = Path("/usr/lib/postgresql/15/bin")


@pytest.mark.skipif(not OLD.exists() or os.geteuid() != 0, reason="needs Debian's PostgreSQL 15, and root")
async def test_a_backup_of_18_restores_into_an_older_server(sample: Sample, tmp_path: Path) -> None:
    """An older server does not know all parameters that pg_restore sets."""
    folder = Path("/tmp") / f"accord-old-{os.getpid()}"  # noqa: S108 - the account of PostgreSQL must reach it
    folder.mkdir(mode=0o700)
    shutil.chown(folder, "postgres", "postgres")

    def run(program: str, *words: str) -> None:
        command = [str(OLD / program), "-D", "pg", *words]
        subprocess.run(command, user="postgres", group="postgres", cwd=folder, check=True, capture_output=True)

    run("initdb", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8")
    options = f"-c listen_addresses= -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-w", "-l", "log", "-o", options, "start")
    try:
        dsn = f"postgresql://postgres@/postgres?host={folder}"
        done = await run_on(dsn, "restore", str(sample.file), data=tmp_path)
        assert done[0] == 0, done[1]
        assert await asyncio.to_thread(answers, tmp_path, DATABASE_URL=dsn) == await asyncio.to_thread(
            answers, sample.folder
        )
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder)

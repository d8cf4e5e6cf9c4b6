"""Connections open as the URL says, on real servers: which host, which settings, whose password."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic

import pytest

from api.database_url import parse_database_url
from api.db import Database, OpenedConnection, WaitLimits, connect, host_of
from api.db.connections import SERVER_SETTINGS, open_reader
from api.db.opening import connect_anywhere, transaction_settings
from api.embedded import EmbeddedServer, connection_url, start
from api.embedded.server import cluster_dir
from api.errors import AccordError
from tests.support.commands import run_command


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    """A server that begins transactions read-only, and asks the role `guest` for a password."""
    running = start(tmp_path_factory.mktemp("read_only"), is_durable=False)
    running.psql("create role guest login password 'right'")
    running.psql("alter system set default_transaction_read_only = on")
    rules = cluster_dir(running.data_dir) / "pg_hba.conf"
    rules.write_text(f"local all guest scram-sha-256\n{rules.read_text()}")
    running.psql("select pg_reload_conf()")
    yield running
    running.close()


def folder(dsn: str) -> str:
    return parse_database_url(dsn).hosts[0].name


@asynccontextmanager
async def opened(url: str, **settings: str) -> AsyncIterator[OpenedConnection]:
    connection = await connect(url, SERVER_SETTINGS | settings)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def silent_port() -> AsyncIterator[int]:
    """A port that accepts connections and never answers."""
    accepted: list[asyncio.StreamWriter] = []
    listening = await asyncio.start_server(lambda _reader, writer: accepted.append(writer), "127.0.0.1", 0)
    async with listening:
        yield listening.sockets[0].getsockname()[1]
        for writer in accepted:
            writer.close()


async def test_a_host_that_is_dead_is_passed_over(server: str) -> None:
    url = f"postgresql://postgres@/postgres?host=127.0.0.1,{folder(server)}&port=1,5432"
    async with opened(url) as connection:
        assert host_of(connection).name == folder(server)
    async with Database.open(url, size=1) as database:
        assert await database.value("select 1", ()) == 1


async def test_a_host_that_is_silent_holds_up_no_longer_than_its_time(server: str) -> None:
    async with silent_port() as port:
        url = f"postgresql://postgres@/postgres?host=127.0.0.1,{folder(server)}&port={port},5432&connect_timeout=2"
        began = monotonic()
        async with opened(url):
            assert monotonic() - began > 1.9
        began = monotonic()
        await connect_anywhere(url, SERVER_SETTINGS)  # whether there is an outage
        assert monotonic() - began < 1.9


async def test_the_failure_of_each_host_is_told() -> None:
    with pytest.raises(ConnectionError, match=r"127\.0\.0\.1:1: .*; 127\.0\.0\.1:2: "):
        async with opened("postgresql://me@127.0.0.1:1,127.0.0.1:2/d"):
            pytest.fail("nobody listens there")
    with pytest.raises(AccordError, match="cannot be reached"):
        async with Database.open("postgresql://me@127.0.0.1:1,127.0.0.1:2/d"):
            pytest.fail("nobody listens there")


async def test_the_server_is_as_target_session_attrs_says(server: str, read_only: EmbeddedServer) -> None:
    both = f"postgresql://postgres@/postgres?host={read_only.host},{folder(server)}&target_session_attrs="
    for target, host in (
        ("any", read_only.host),
        ("read-write", folder(server)),
        ("read-only", read_only.host),
        ("primary", read_only.host),
        ("prefer-standby", read_only.host),
    ):
        async with opened(both + target) as connection:
            assert host_of(connection).name == host, target
        await connect_anywhere(both + target, SERVER_SETTINGS)
    # Readers are read-only by themselves, which says nothing of the server.
    reader = await open_reader(both + "read-write", WaitLimits())
    assert (host_of(reader).name, await reader.fetchval("show transaction_read_only")) == (folder(server), "on")
    await reader.close()
    for target in ("standby", "read-write"):
        alone = f"postgresql://postgres@/postgres?host={read_only.host}&target_session_attrs={target}"
        with pytest.raises(ConnectionError, match=f"it is not {target}"):
            await connect(alone, SERVER_SETTINGS)
        with pytest.raises(ConnectionError, match=f"it is not {target}"):
            await connect_anywhere(alone, SERVER_SETTINGS)


async def test_hosts_are_shuffled_if_told(server: str) -> None:
    url = f"postgresql://postgres@/postgres?host={folder(server)},{folder(server)}/.&load_balance_hosts=random"
    found = set()
    for _ in range(20):
        async with opened(url) as connection:
            found.add(host_of(connection).name)
    assert len(found) == 2


async def test_name_and_options_of_the_url_are_set(server: str) -> None:
    url = f"{server}&application_name=sales&options=-c%20work_mem%3D7MB%20-c%20jit%3Don"
    async with opened(url) as connection:
        found = await connection.fetchrow(
            "select current_setting('application_name'), current_setting('work_mem'), current_setting('jit')"
        )
        assert found is not None
        assert tuple(found) == ("sales", "7MB", "off")


async def test_a_password_file_is_read(read_only: EmbeddedServer, tmp_path: Path) -> None:
    file = tmp_path / "passwords"
    file.write_text("*:*:*:guest:right\n")
    file.chmod(0o600)
    url = f"postgresql://guest@/postgres?host={read_only.host}&passfile="
    async with opened(url + str(file)) as connection:
        assert await connection.fetchval("select current_user") == "guest"
    file.write_text("*:*:*:guest:wr0ng\n")
    with pytest.raises(AccordError, match="refuses the user name or password"):
        async with Database.open(url + str(file)):
            pytest.fail("the password is wrong")


def test_commands_and_their_programs_use_services_and_several_hosts(
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(connection_url, "_WARNED", set())
    running = start(tmp_path_factory.mktemp("served"), is_durable=False)
    try:
        file = tmp_path / "services"
        file.write_text(f"[sales]\nhost=127.0.0.1,{running.host}\nport=1,5432\nuser=postgres\ndbname=accord\n")
        variables = {"PGSERVICEFILE": str(file), "DATABASE_URL": "postgresql://?service=sales&connection_limit=3"}
        for words in (("migrate",), ("backup", str(tmp_path / "b"))):
            done = run_command(*words, data=tmp_path / "data", **variables)
            assert done.returncode == 0, done.stderr
        assert caplog.messages == ["DATABASE_URL: connection_limit cannot be honoured (set ACCORD_POOL_SIZE)"]
        assert not (tmp_path / "data").exists()
        refused = run_command("migrate", data=tmp_path, DATABASE_URL="postgresql://?service=marketing")
        assert (refused.returncode, "'marketing' is not defined" in refused.stderr) == (2, True)
    finally:
        running.close()


def test_a_pooler_gets_only_what_it_keeps() -> None:
    url = "postgresql://h/d?pgbouncer=true&options=-c%20search_path%3Da,b%20-c%20app.tone%3Dit%27s%5C%5C%20x%3Dy"
    settings = SERVER_SETTINGS | {"default_transaction_read_only": "on", "plan_cache_mode": "auto"}
    assert transaction_settings(url, settings) == (
        """set local "search_path" = 'a', 'b'; set local "app"."tone" =  E'it''s\\\\'; set local "jit" = 'off'; """
        """set local "transaction_read_only" = 'on'; """
    )
    assert transaction_settings("postgresql://h/d", settings) == ""


def test_without_a_direct_url_there_is_no_migration_through_a_pooler(tmp_path: Path) -> None:
    for url, pooler in (("postgresql://h/d?pgbouncer=true", "none"), ("postgresql://h/d", "transaction")):
        done = run_command("migrate", data=tmp_path, DATABASE_URL=url, ACCORD_POOLER=pooler)
        assert (done.returncode, "Set DATABASE_URL_DIRECT" in done.stderr) == (2, True)
    for variables in (
        {"ACCORD_POOLER": "transaction"},
        {"DATABASE_URL_DIRECT": "postgresql://h/d"},
        {"DATABASE_URL": "postgresql://h/d", "DATABASE_URL_DIRECT": "postgresql://h/d?pgbouncer=true"},
    ):
        kept = {name: value for name, value in os.environ.items() if name == "DATABASE_URL"}
        assert kept == {}
        done = run_command("migrate", data=tmp_path, **variables)
        assert (done.returncode, "DATABASE_URL" in done.stderr) == (2, True)

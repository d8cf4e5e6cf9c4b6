"""Faults of a server's own parameters are named, on a server of PostgreSQL that has them all."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from api.doctor import Severity
from api.embedded.server import EmbeddedServer, start
from tests.doctor.diagnoses import diagnosis
from tests.support.databases import run_statements

WARNING, ERROR = Severity.WARNING, Severity.ERROR
FAULTS = {
    "shared_buffers": "16MB",
    "autovacuum": "off",
    "track_counts": "off",
    "max_connections": "30",
    "synchronous_commit": "off",
    "wal_level": "replica",
    "max_prepared_transactions": "5",
}


@pytest.fixture(scope="module")
def spoiled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    folder: Path = tmp_path_factory.mktemp("spoiled")
    first = start(folder, is_durable=False)
    for parameter, value in FAULTS.items():
        first.psql(f"alter system set {parameter} = '{value}'")
    first.close()
    server = start(folder, is_durable=False)
    yield server
    server.close()


async def test_lost_durability_is_named(spoiled: EmbeddedServer) -> None:
    found = await diagnosis("durability", spoiled.dsn())
    assert (found.severity, found.found.startswith("Off: fsync, full_page_writes.")) == (ERROR, True)
    for parameter in ("fsync", "full_page_writes"):
        await run_statements(spoiled.dsn(), f"alter system set {parameter} = on", "select pg_reload_conf()")
    found = await diagnosis("durability", spoiled.dsn())
    assert (found.severity, found.found.startswith("synchronous_commit is off")) == (WARNING, True)
    await run_statements(spoiled.dsn(), "alter database accord set synchronous_commit = on")
    assert (await diagnosis("durability", spoiled.dsn())).severity is Severity.OK


async def test_a_server_without_autovacuum_is_named(spoiled: EmbeddedServer) -> None:
    found = await diagnosis("autovacuum", spoiled.dsn())
    assert (found.severity, found.found.startswith("Off: autovacuum, track_counts.")) == (WARNING, True)


async def test_few_shared_buffers_are_named(spoiled: EmbeddedServer) -> None:
    found = await diagnosis("memory", spoiled.dsn())
    assert (found.severity, "shared_buffers is 16 MB" in found.found) == (WARNING, True)


async def test_few_connections_of_the_server_are_named(spoiled: EmbeddedServer) -> None:
    found = await diagnosis("connections", spoiled.dsn())
    assert (found.severity, "The server allows 27 connections" in found.found) == (WARNING, True)
    found = await diagnosis("connections", spoiled.dsn(), workers=2)
    assert found.severity is ERROR


async def test_prepared_transactions_and_unused_replication_slots_are_named(
    spoiled: EmbeddedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.doctor.activity.LONG_TRANSACTION_SECONDS", 0.0)
    assert (await diagnosis("transactions", spoiled.dsn())).severity is Severity.OK
    await run_statements(
        spoiled.dsn(),
        "begin; create table left_behind (); prepare transaction 'forgotten'",
        "select pg_create_physical_replication_slot('gone', true)",
    )
    found = await diagnosis("transactions", spoiled.dsn())
    await run_statements(spoiled.dsn(), "rollback prepared 'forgotten'", "select pg_drop_replication_slot('gone')")
    assert found.severity is WARNING
    assert "the prepared transaction forgotten" in found.found
    assert "the unused replication slot gone" in found.found

"""Faults that are made in a real database are named by the check of their kind."""

import asyncio
from datetime import datetime, timedelta

import asyncpg
import pytest

from api.db import database as databases
from api.db import server_version
from api.doctor import Severity, activity
from api.jobs import backlog
from schema.base import now
from tests.doctor.diagnoses import diagnosis
from tests.support.databases import database_connection_url, run_statements

OK, WARNING, ERROR = Severity.OK, Severity.WARNING, Severity.ERROR
TEAMS = (
    "insert into team (id, name, kind, created_at, updated_at)"
    " select gen_random_uuid(), 'Team ' || n, 'MARKETING', now(), now() from generate_series({}, {}) n"
)


async def test_a_version_that_is_not_supported_is_named(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await diagnosis("server version", dsn)).severity is OK
    monkeypatch.setattr(server_version, "SUPPORTED_VERSIONS", (14,))
    monkeypatch.setattr("api.doctor.server.SUPPORTED_VERSIONS", (14, 99))
    assert (await diagnosis("server version", dsn)).severity is ERROR


@pytest.mark.parametrize(("encoding", "severity"), [("LATIN1", ERROR), ("UTF8", WARNING)])
async def test_an_encoding_or_a_locale_that_lacks_letters_is_named(
    server: str, encoding: str, severity: Severity
) -> None:
    made = f"accord_{encoding.lower()}"
    options = f"template template0 encoding '{encoding}' locale 'C' locale_provider libc"
    await run_statements(server, f"create database {made} {options}")
    try:
        found = await diagnosis("encoding", database_connection_url(server, made))
    finally:
        await run_statements(server, f"drop database {made} with (force)")
    assert found.severity is severity
    assert ("LATIN1" if severity is ERROR else "letters such as Ä") in found.found


async def test_changed_rules_of_sorting_are_named(server: str, dsn: str, name: str) -> None:
    await run_statements(server, f"update pg_database set datcollversion = '0.1' where datname = '{name}'")
    found = await diagnosis("encoding", dsn)
    assert (found.severity, "version 0.1, now" in found.found) == (WARNING, True)


async def test_sessions_in_another_time_zone_are_named(
    dsn: str, name: str, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (await diagnosis("time zone", dsn)).severity is OK
    await run_statements(server, f"alter database {name} set timezone = 'Europe/Berlin'")
    assert (await diagnosis("time zone", dsn)).severity is OK
    monkeypatch.setattr(databases, "SERVER_SETTINGS", {})  # as behind a pooler that drops startup parameters
    found = await diagnosis("time zone", dsn)
    assert (found.severity, "gets Europe/Berlin" in found.found) == (ERROR, True)


@pytest.mark.parametrize(("limit", "severity"), [(10, ERROR), (40, WARNING), (82, OK)])
async def test_too_few_connections_are_named(server: str, dsn: str, name: str, limit: int, severity: Severity) -> None:
    await run_statements(server, f"alter database {name} connection limit {limit}")
    found = await diagnosis("connections", dsn)
    assert found.severity is severity
    assert f"The database allows {limit} connections" in found.found
    assert "need up to 82" in found.found


async def test_too_few_connections_of_the_role_or_for_all_processes_are_named(
    dsn: str, as_role: str, role: str
) -> None:
    assert (await diagnosis("connections", dsn)).severity is OK
    found = await diagnosis("connections", dsn, workers=12)
    assert (found.severity, "need up to 984" in found.found) == (ERROR, True)
    await run_statements(dsn, f"alter role {role} connection limit 30")
    found = await diagnosis("connections", as_role)
    assert (found.severity, "The role allows 30 connections" in found.found) == (WARNING, True)


@pytest.mark.parametrize(("work_mem", "named"), [("64kB", "go to disk"), ("2GB", "out of memory")])
async def test_a_tiny_or_a_huge_memory_is_named(dsn: str, name: str, server: str, work_mem: str, named: str) -> None:
    assert (await diagnosis("memory", dsn)).severity is OK
    await run_statements(server, f"alter database {name} set work_mem = '{work_mem}'")
    found = await diagnosis("memory", dsn)
    assert (found.severity, named in found.found) == (WARNING, True)


@pytest.mark.parametrize("parameter", ["statement_timeout", "idle_in_transaction_session_timeout"])
async def test_short_deadlines_are_named(server: str, dsn: str, name: str, parameter: str) -> None:
    assert (await diagnosis("deadlines", dsn)).severity is OK
    await run_statements(server, f"alter database {name} set {parameter} = '30s'")
    found = await diagnosis("deadlines", dsn)
    assert (found.severity, f"{parameter} of 30 seconds" in found.found) == (WARNING, True)


async def test_a_database_that_is_only_read_is_named(server: str, dsn: str, name: str) -> None:
    assert (await diagnosis("writing", dsn)).severity is OK
    await run_statements(server, f"alter database {name} set default_transaction_read_only = on")
    found = await diagnosis("writing", dsn)
    assert (found.severity, "default_transaction_read_only is on" in found.found) == (ERROR, True)


async def test_missing_rights_in_the_schema_are_named(
    server: str, dsn: str, as_role: str, role: str, name: str
) -> None:
    assert (await diagnosis("schema rights", dsn)).severity is OK
    found = await diagnosis("schema rights", as_role)
    assert (found.severity, f"The role {role} may not create in the schema public" in found.found) == (WARNING, True)
    await run_statements(dsn, f"revoke temporary on database {name} from public")
    found = await diagnosis("schema rights", as_role)
    assert (found.severity, "temporary tables" in found.found) == (ERROR, True)
    await run_statements(server, f"alter role {role} set search_path = nowhere")
    found = await diagnosis("schema rights", as_role)
    assert (found.severity, "no schema to use" in found.found) == (ERROR, True)


async def test_missing_rights_on_tables_are_named(dsn: str, as_role: str, role: str) -> None:
    assert (await diagnosis("table rights", dsn)).severity is OK
    found = await diagnosis("table rights", as_role)
    assert (found.severity, "may not SELECT in" in found.found) == (ERROR, True)
    await run_statements(dsn, f"grant select on all tables in schema public to {role}")
    found = await diagnosis("table rights", as_role)
    assert (found.severity, "may not INSERT in" in found.found) == (ERROR, True)
    await run_statements(dsn, f"grant insert, update, delete on all tables in schema public to {role}")
    found = await diagnosis("table rights", as_role)
    assert (found.severity, "does not own" in found.found) == (WARNING, True)


async def test_missing_and_old_statistics_are_named(dsn: str) -> None:
    assert (await diagnosis("statistics", dsn)).severity is OK
    # Otherwise autovacuum may be faster than the check.
    await run_statements(dsn, "alter table team set (autovacuum_enabled = false)", TEAMS.format(1, 2_000))
    found = await diagnosis("statistics", dsn)
    assert (found.severity, "no statistics of team" in found.found) == (WARNING, True)
    await run_statements(dsn, "analyze team")
    assert (await diagnosis("statistics", dsn)).severity is OK
    await run_statements(dsn, TEAMS.format(2_001, 15_000))
    found = await diagnosis("statistics", dsn)
    assert (found.severity, "Half of team has changed" in found.found) == (WARNING, True)


async def test_a_table_without_autovacuum_is_named(dsn: str) -> None:
    assert (await diagnosis("autovacuum", dsn)).severity is OK
    await run_statements(dsn, "alter table team set (autovacuum_enabled = false)")
    found = await diagnosis("autovacuum", dsn)
    assert (found.severity, "off for team" in found.found) == (WARNING, True)


async def test_an_index_whose_creation_failed_is_named(dsn: str) -> None:
    assert (await diagnosis("indexes", dsn)).severity is OK
    await run_statements(dsn, TEAMS.format(1, 2))
    with pytest.raises(asyncpg.UniqueViolationError):
        await run_statements(dsn, "create unique index concurrently team_of_a_kind on team (kind)")
    found = await diagnosis("indexes", dsn)
    assert (found.severity, "does not use team_of_a_kind" in found.found) == (WARNING, True)


@pytest.mark.parametrize(("age", "severity"), [(600_000_000, WARNING), (1_600_000_000, ERROR)])
async def test_old_transaction_ids_are_named(server: str, dsn: str, name: str, age: int, severity: Severity) -> None:
    assert (await diagnosis("transaction ids", dsn)).severity is OK
    oldest = f"((pg_current_xact_id()::text::bigint - {age} + 4294967296) % 4294967296)::text::xid"
    await run_statements(server, f"update pg_database set datfrozenxid = {oldest} where datname = '{name}'")
    found = await diagnosis("transaction ids", dsn)
    assert (found.severity, f"{age:,}"[:5] in found.found) == (severity, True)


async def test_an_old_transaction_is_named(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "LONG_TRANSACTION_SECONDS", 0.1)
    assert (await diagnosis("transactions", dsn)).severity is OK
    holder = await asyncpg.connect(dsn, server_settings={"application_name": "report"})
    try:
        await holder.execute("begin; select count(*) from team")
        await asyncio.sleep(0.2)
        found = await diagnosis("transactions", dsn)
    finally:
        await holder.close()
    assert (found.severity, f"session {holder.get_server_pid()} (report)" in found.found) == (WARNING, True)


async def test_a_session_that_waits_for_a_lock_is_named(dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(activity, "LONG_WAIT_SECONDS", 0.1)
    assert (await diagnosis("locks", dsn)).severity is OK
    holder, waiter = await asyncpg.connect(dsn), await asyncpg.connect(dsn)
    try:
        await holder.execute("begin; lock table team in access exclusive mode")
        waiting = asyncio.create_task(waiter.execute("select count(*) from team"))
        await asyncio.sleep(0.5)
        found = await diagnosis("locks", dsn)
        await holder.execute("rollback")
        await waiting
    finally:
        await holder.close()
        await waiter.close()
    named = f"session {waiter.get_server_pid()} for {holder.get_server_pid()}"
    assert (found.severity, named in found.found) == (WARNING, True)


async def test_jobs_that_do_not_keep_up_are_named(dsn: str) -> None:
    assert (await diagnosis("jobs", dsn)).severity is OK
    await run_statements(
        dsn,
        "insert into outbox_event (id, recorded_at, change_type, record_type, record_id)"
        " values (gen_random_uuid(), now() - interval '5 minutes', 'CREATED', 'team', gen_random_uuid())",
    )
    found = await diagnosis("jobs", dsn)
    assert (found.severity, "1 events wait" in found.found) == (WARNING, True)


@pytest.mark.parametrize(("minutes", "order"), [(5, "behind"), (-5, "ahead of")])
async def test_clocks_that_differ_are_named(
    dsn: str, monkeypatch: pytest.MonkeyPatch, minutes: int, order: str
) -> None:
    def other_clock() -> datetime:
        return now() + timedelta(minutes=minutes)

    assert (await diagnosis("clock", dsn)).severity is OK
    monkeypatch.setattr(backlog, "now", other_clock)
    found = await diagnosis("clock", dsn)
    assert (found.severity, f"300 seconds {order}" in found.found) == (WARNING, True)


async def test_an_outdated_and_a_newer_database_are_named(dsn: str) -> None:
    assert (await diagnosis("revision", dsn)).severity is OK
    await run_statements(
        dsn,
        "update alembic_version set version_num = 'ffffffffffff'",
        "update schema_compatibility set revisions = '{}'",
    )
    found = await diagnosis("revision", dsn)
    assert (found.severity, "a newer Accord has migrated it" in found.found) == (ERROR, True)
    await run_statements(dsn, "drop table alembic_version")
    found = await diagnosis("revision", dsn)
    assert (found.severity, found.remedy) == (ERROR, "Run `accord migrate`.")


async def test_a_database_without_an_accord_is_named(dsn: str) -> None:
    assert (await diagnosis("accord", dsn)).severity is WARNING


async def test_a_server_of_others_without_a_credential_is_named(dsn: str) -> None:
    assert (await diagnosis("credentials", dsn)).severity is OK
    found = await diagnosis("credentials", dsn, host="0.0.0.0")
    assert (found.severity, "does not listen on 0.0.0.0" in found.found) == (ERROR, True)
    oidc = {"oidc_issuer": "https://login.example", "oidc_audience": "accord"}
    assert (await diagnosis("credentials", dsn, host="0.0.0.0", **oidc)).severity is OK


async def test_the_size_is_shown(dsn: str) -> None:
    assert (await diagnosis("size", dsn)).found.startswith("The database has ")

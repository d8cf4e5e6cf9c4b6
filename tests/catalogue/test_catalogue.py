"""A migrated database equals the declarations, including defaults, CHECKs, predicates, triggers and comments."""

import pytest
from alembic import command as alembic
from sqlalchemy import Connection

from api.revisions import alembic_config, open_connection
from migrations.autogenerate import create_statements, drop_statements
from migrations.catalogue import Catalogue, compare, read, read_declared
from tests.support.databases import run_statements

# Differences that Alembic's own comparison misses, with the object that must be reported.
MISSED_BY_ALEMBIC = {
    "alter table deal drop constraint ck_deal_closed_when_decided": "check deal.ck_deal_closed_when_decided",
    "alter table team drop constraint ck_team_kind, add constraint ck_team_kind check (kind in ('SALES'))": (
        "check team.ck_team_kind"
    ),
    "drop index uq_evaluation_current; create unique index uq_evaluation_current on evaluation (reading)": (
        "index evaluation.uq_evaluation_current"
    ),
    "drop trigger contact_history_update on contact": "trigger contact.contact_history_update",
    "create or replace function deal_history() returns trigger language plpgsql as 'begin return null; end'": (
        "function deal_history"
    ),
    "create function left_behind() returns int language sql as 'select 1'": "function left_behind",
    "alter table import_count drop constraint pk_import_count,"
    " add constraint pk_import_count primary key (id, changed)": ("primary key import_count.pk_import_count"),
}
SEEN_BY_ALEMBIC = {
    "alter table contact alter is_test set default true": "column contact.is_test",
    "alter table contact alter lead_score type bigint": "column contact.lead_score",
    "alter table touchpoint alter kind drop not null": "column touchpoint.kind",
    "alter table contact add shoe_size int": "column contact.shoe_size",
    "comment on column contact.email is 'another text'": "column contact.email",
    "comment on table contact is 'another text'": "table contact",
    "alter table member drop constraint fk_member_team_id": "foreign key member.fk_member_team_id",
    "drop index ix_contact_email": "index contact.ix_contact_email",
}


async def read_migrated(dsn: str) -> Catalogue:
    async with open_connection(dsn) as connection:
        return await connection.run_sync(read)


@pytest.fixture(scope="module")
async def declared(module_dsn: str) -> Catalogue:
    async with open_connection(module_dsn) as connection:
        return await connection.run_sync(read_declared)


async def test_a_migrated_database_equals_the_declarations(module_dsn: str, declared: Catalogue) -> None:
    migrated = await read_migrated(module_dsn)
    differences = "\n".join(compare(migrated, declared))
    assert not differences, f"Draft a migration (make migration m='…'):\n{differences}"
    kinds = {entry.kind for entry in migrated}
    assert kinds >= {"table", "column", "check", "primary key", "foreign key", "unique", "index", "trigger", "function"}


async def test_alembic_finds_no_difference(module_dsn: str) -> None:
    def check(connection: Connection) -> None:
        alembic.check(alembic_config(connection))

    async with open_connection(module_dsn) as connection:
        await connection.run_sync(check)


async def test_reading_the_declarations_leaves_nothing_behind(module_dsn: str) -> None:
    async with open_connection(module_dsn) as connection:
        await connection.run_sync(read_declared)
        await connection.commit()
        schemas = await connection.exec_driver_sql("select nspname from pg_namespace where nspname like 'accord%%'")
        assert schemas.all() == []


@pytest.mark.parametrize(("change", "name"), [*MISSED_BY_ALEMBIC.items(), *SEEN_BY_ALEMBIC.items()])
async def test_a_difference_is_reported_by_name(migrated_dsn: str, declared: Catalogue, change: str, name: str) -> None:
    await run_statements(migrated_dsn, change)
    found = compare(await read_migrated(migrated_dsn), declared)
    assert name in [line.partition("\n")[0] for line in found]


@pytest.mark.parametrize("change", MISSED_BY_ALEMBIC)
async def test_a_draft_includes_what_alembic_misses_and_can_be_undone(
    migrated_dsn: str, declared: Catalogue, change: str
) -> None:
    await run_statements(migrated_dsn, change)
    changed = await read_migrated(migrated_dsn)
    await run_statements(migrated_dsn, *drop_statements(changed, declared), *create_statements(changed, declared))
    assert compare(await read_migrated(migrated_dsn), declared) == ()
    await run_statements(migrated_dsn, *drop_statements(declared, changed), *create_statements(declared, changed))
    assert compare(await read_migrated(migrated_dsn), changed) == ()

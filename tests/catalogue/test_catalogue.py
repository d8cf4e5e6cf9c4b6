"""A migrated database is what the declarations say, down to defaults, CHECKs, predicates, triggers and comments."""

import pytest
from alembic import command as alembic
from sqlalchemy import Connection

from api.revisions import config, connected
from migrations.autogenerate import create_statements, drop_statements
from migrations.catalogue import Catalogue, compare, read, read_declared
from tests.conftest import command

# What Alembic's own comparison would let pass, each with the part that must be named.
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
    "alter table import_job drop constraint pk_import_job, add constraint pk_import_job primary key (id, preset)": (
        "primary key import_job.pk_import_job"
    ),
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


async def migrated(dsn: str) -> Catalogue:
    async with connected(dsn) as connection:
        return await connection.run_sync(read)


@pytest.fixture(scope="module")
async def declared(module_dsn: str) -> Catalogue:
    async with connected(module_dsn) as connection:
        return await connection.run_sync(read_declared)


async def test_a_migrated_database_is_what_the_declarations_say(module_dsn: str, declared: Catalogue) -> None:
    made = await migrated(module_dsn)
    differences = "\n".join(compare(made, declared))
    assert not differences, f"Draft a migration (make migration m='…'):\n{differences}"
    kinds = {part.kind for part in made}
    assert kinds >= {"table", "column", "check", "primary key", "foreign key", "unique", "index", "trigger", "function"}


async def test_alembic_sees_no_difference_either(module_dsn: str) -> None:
    def check(connection: Connection) -> None:
        alembic.check(config(connection))

    async with connected(module_dsn) as connection:
        await connection.run_sync(check)


async def test_reading_the_declarations_leaves_nothing_behind(module_dsn: str) -> None:
    async with connected(module_dsn) as connection:
        await connection.run_sync(read_declared)
        await connection.commit()
        schemas = await connection.exec_driver_sql("select nspname from pg_namespace where nspname like 'accord%%'")
        assert schemas.all() == []


@pytest.mark.parametrize(("change", "part"), [*MISSED_BY_ALEMBIC.items(), *SEEN_BY_ALEMBIC.items()])
async def test_a_difference_is_found_and_named(migrated_dsn: str, declared: Catalogue, change: str, part: str) -> None:
    await command(migrated_dsn, change)
    found = compare(await migrated(migrated_dsn), declared)
    assert part in [line.partition("\n")[0] for line in found]


@pytest.mark.parametrize("change", MISSED_BY_ALEMBIC)
async def test_a_draft_mends_what_alembic_misses_and_can_be_undone(
    migrated_dsn: str, declared: Catalogue, change: str
) -> None:
    await command(migrated_dsn, change)
    spoilt = await migrated(migrated_dsn)
    await command(migrated_dsn, *drop_statements(spoilt, declared), *create_statements(spoilt, declared))
    assert compare(await migrated(migrated_dsn), declared) == ()
    await command(migrated_dsn, *drop_statements(declared, spoilt), *create_statements(declared, spoilt))
    assert compare(await migrated(migrated_dsn), spoilt) == ()

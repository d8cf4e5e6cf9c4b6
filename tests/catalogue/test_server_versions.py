"""PostgreSQL servers of supported versions are used, and others refused before anything is read or written."""

import pytest

from api.db import Database, require_supported_version, server_version
from api.embedded.programs import MAJOR
from api.errors import AccordError, ErrorCode
from api.revisions import migrate, open_connection, require_compatible
from migrations.catalogue import read
from migrations.plan import plan
from tests.postgres_versions.installed import FOLDERS, requested_version


def test_the_suite_can_run_on_every_supported_version() -> None:
    assert set(server_version.SUPPORTED_VERSIONS) == {*FOLDERS, MAJOR}


@pytest.mark.parametrize("major", [9, 14, 19])
def test_other_versions_are_refused_with_the_found_and_the_supported_ones(major: int) -> None:
    with pytest.raises(AccordError) as refused:
        require_supported_version(major)
    assert refused.value.code is ErrorCode.DATABASE_VERSION
    assert refused.value.message == (
        f"The server of the database is PostgreSQL {major}; this Accord supports PostgreSQL 15, 16, 17 and 18."
    )


@pytest.mark.parametrize("major", server_version.SUPPORTED_VERSIONS)
def test_supported_versions_are_accepted(major: int) -> None:
    require_supported_version(major)


async def test_migrations_refuse_a_server_that_is_not_supported(
    empty_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as context:
        context.setattr(server_version, "SUPPORTED_VERSIONS", (14, 99))
        for command in (migrate, plan):
            with pytest.raises(AccordError, match="this Accord supports PostgreSQL 14 and 99") as refused:
                await command(empty_dsn)
            assert refused.value.code is ErrorCode.DATABASE_VERSION
    async with open_connection(empty_dsn) as connection:
        assert await connection.run_sync(read) == {}


async def test_commands_and_servers_refuse_a_server_that_is_not_supported(
    migrated_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with Database.open(migrated_dsn, size=1) as database:
        await require_compatible(database)
        monkeypatch.setattr(server_version, "SUPPORTED_VERSIONS", (14, 99))
        with pytest.raises(AccordError, match="this Accord supports PostgreSQL 14 and 99") as refused:
            await require_compatible(database)
    assert refused.value.code is ErrorCode.DATABASE_VERSION


async def test_the_suite_runs_on_the_requested_version(migrated_dsn: str) -> None:
    async with Database.open(migrated_dsn, size=1) as database, database.read() as session:
        assert session.connection.get_server_version().major == (requested_version() or MAJOR)

"""A real PostgreSQL: one server per run, one clone of a migrated database per module, emptied after each test."""

import asyncio
import logging
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from api.db import Database
from api.embedded.server import start
from api.revisions import migrate
from tests.postgres_versions.installed import requested_version, running
from tests.support.databases import database_connection_url, delete_all_rows, new_database, run_statements
from tests.support.pgbouncer import PgBouncer, running_pgbouncer
from tests.support.source_copy import run_python

TEMPLATE = "accord_template"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands that a test runs in this process configure the log for all."""
    loggers = [logging.getLogger(name) for name in (None, "accord", "uvicorn", "asyncio")]
    kept = [(logger, logger.level, logger.propagate, list(logger.handlers)) for logger in loggers]
    yield
    for logger, level, propagate, handlers in kept:
        logger.setLevel(level)
        logger.propagate, logger.handlers = propagate, handlers


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of the maintenance database of a PostgreSQL server that the tests start.

    It is Accord's own, or that of POSTGRES_VERSION.
    """
    version = requested_version()
    with tempfile.TemporaryDirectory(prefix="accord-tests-", ignore_cleanup_errors=True) as folder:
        if version is not None:
            with running(version, Path(folder)) as address:
                yield address
            return
        own = start(Path(folder), is_durable=False)
        try:
            yield own.dsn("postgres")
        finally:
            own.close()


@pytest.fixture(scope="session")
async def template(server: str) -> str:
    """The name of the migrated, empty database that the others are cloned from.

    With MIGRATED_BY, the source tree of a newer release migrates it (`make test-release-before`).
    """
    await run_statements(server, f"create database {TEMPLATE}")
    dsn, newer = database_connection_url(server, TEMPLATE), os.environ.get("MIGRATED_BY")
    if newer:
        program = ("-c", "from api.cli import main; main()", "migrate")
        await asyncio.to_thread(run_python, Path(newer), *program, DATABASE_URL=dsn)
    else:
        await migrate(dsn)
    return TEMPLATE


@pytest.fixture(scope="module")
async def module_dsn(server: str, template: str) -> AsyncIterator[str]:
    """The address of the database of this test module."""
    async with new_database(server, template) as dsn:
        yield dsn


@pytest.fixture(scope="session")
def pooler(server: str) -> Iterator[PgBouncer | None]:
    """A PgBouncer in front of the server, with THROUGH_PGBOUNCER (`make test-pgbouncer`).

    Some tests hold several transactions open at once, so it has more connections than two.
    """
    if not os.environ.get("THROUGH_PGBOUNCER"):
        yield None
        return
    with running_pgbouncer(server, pool_size=6) as running:
        yield running


@pytest.fixture(scope="module")
async def module_database(module_dsn: str, pooler: PgBouncer | None) -> AsyncIterator[Database]:
    """The database of this test module, which keeps its rows between tests."""
    address, direct = (pooler.through(module_dsn), module_dsn) if pooler else (module_dsn, None)
    async with Database.open(address, size=4, direct=direct) as opened:
        yield opened


@pytest.fixture
async def database(module_database: Database) -> AsyncIterator[Database]:
    """The database of this test module, emptied after each test."""
    yield module_database
    async with module_database.write() as session:
        await delete_all_rows(session)

"""The connection on which Alembic runs, and the revision that it finds."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from api.db import SERVER_SETTINGS, connect, connecting, require_supported_version
from api.errors import AccordError

_SETTINGS = {**SERVER_SETTINGS, "application_name": "accord migrate"}


@asynccontextmanager
async def open_connection(dsn: str) -> AsyncIterator[AsyncConnection]:
    """Yield an SQLAlchemy connection for Alembic. Errors: DATABASE_UNREACHABLE; DATABASE_VERSION."""

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        return await connect_as_migration(dsn)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


async def connect_as_migration(dsn: str) -> "asyncpg.Connection[asyncpg.Record]":
    """Connect for a migration. Errors: DATABASE_UNREACHABLE; DATABASE_VERSION.

    The address is read as everywhere else, not by SQLAlchemy.
    """
    with connecting():
        connection = await connect(dsn, _SETTINGS)
    try:
        require_supported_version(connection.get_server_version().major)
    except AccordError:
        connection.terminate()
        raise
    return connection


async def present_revision(connection: AsyncConnection) -> str | None:
    """Return the revision that a database is at, known to this Accord or not; None if it is not set up."""
    present = await connection.run_sync(_recorded_revision)
    await connection.commit()
    return present


def _recorded_revision(connection: Connection) -> str | None:
    """Return the revision that Alembic's table records; None without the table."""
    if not connection.scalar(text("select to_regclass('alembic_version') is not null")):
        return None
    found: str | None = connection.scalar(text("select version_num from alembic_version"))
    return found

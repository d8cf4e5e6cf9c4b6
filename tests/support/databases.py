"""Databases on the PostgreSQL server of the tests."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from api.db import WriteSession
from api.sql import Sql
from schema.tables import METADATA

_LARGE_BYTES = 2**20
_TABLES = [table.name for table in METADATA.sorted_tables]
_WRITTEN = Sql(
    " union all ".join(
        f"select '{name}' as name, pg_relation_size('{name}') as bytes where exists (select from {name})"
        for name in _TABLES
    )
)
_COUNTED = Sql("select sequencename as name from pg_sequences where schemaname = 'public' and last_value is not null")


def database_connection_url(server: str, database: str) -> str:
    """Return the address of one database of a server, given the address of its maintenance database."""
    return server.replace("/postgres?", f"/{database}?")


async def run_statements(dsn: str, *statements: str) -> None:
    """Run statements on a new connection, each in its own transaction."""
    connection = await asyncpg.connect(dsn)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@asynccontextmanager
async def new_database(server: str, template: str = "template1") -> AsyncIterator[str]:
    """Create a database with a random name, yield its address, and drop it."""
    own = f"accord_{uuid.uuid4().hex[:12]}"
    # Logging the blocks, which is PostgreSQL's default, takes five times as long as copying the files.
    await run_statements(server, f"create database {own} template {template} strategy file_copy")
    yield database_connection_url(server, own)
    await run_statements(server, f"drop database {own} with (force)")


async def delete_all_rows(session: WriteSession) -> None:
    """Delete the rows of all tables, and let all sequences begin again.

    To truncate takes ten times as long as to delete few rows, because every index becomes a new file. Many rows are
    truncated all the same, because deleted ones stay in the files.
    """
    await session.script(f"lock table {', '.join(_TABLES)} in exclusive mode")  # waits for writers that a test left
    written = await session.rows(_WRITTEN)
    if any(table["bytes"] > _LARGE_BYTES for table in written):
        await session.script(
            f"set local session_replication_role = replica; truncate {', '.join(_TABLES)} restart identity cascade"
        )
        return
    statements = [f"delete from {table['name']}" for table in written]
    statements += [f"alter sequence {sequence['name']} restart" for sequence in await session.rows(_COUNTED)]
    if statements:
        # This role ignores foreign keys and triggers.
        await session.script("; ".join(["set local session_replication_role = replica", *statements]))

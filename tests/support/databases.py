"""Databases on the PostgreSQL server of the tests."""

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg


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
    name = f"accord_{uuid.uuid4().hex[:12]}"
    await run_statements(server, f"create database {name} template {template}")
    yield database_connection_url(server, name)
    await run_statements(server, f"drop database {name} with (force)")

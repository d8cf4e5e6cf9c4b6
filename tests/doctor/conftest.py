"""A database of each test, which it may spoil, and roles."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import pytest

from tests.support.databases import new_database, run_statements


@pytest.fixture
async def dsn(server: str, template: str) -> AsyncIterator[str]:
    """The address of a migrated database that the test may spoil."""
    async with new_database(server, template) as address:
        yield address


@pytest.fixture
def name(dsn: str) -> str:
    """The name of that database."""
    return urlsplit(dsn).path[1:]


@pytest.fixture
async def role(server: str, dsn: str) -> AsyncIterator[str]:
    """The name of a role that may only connect."""
    made = f"doctor_{uuid4().hex[:8]}"
    await run_statements(server, f"create role {made} login")
    yield made
    await run_statements(dsn, f"reassign owned by {made} to postgres", f"drop owned by {made}")
    await run_statements(server, f"drop role {made}")


@pytest.fixture
def as_role(dsn: str, role: str) -> str:
    """The address of the database for that role."""
    return dsn.replace("postgres@", f"{role}@")

"""One database per test, for tests that change tables."""

from collections.abc import AsyncIterator

import pytest

from tests.support.databases import new_database


@pytest.fixture
async def empty_dsn(server: str) -> AsyncIterator[str]:
    """The address of an empty database."""
    async with new_database(server) as dsn:
        yield dsn


@pytest.fixture
async def migrated_dsn(server: str, template: str) -> AsyncIterator[str]:
    """The address of a migrated database that the test may change."""
    async with new_database(server, template) as dsn:
        yield dsn

"""One database per test, for tests that change tables."""

import uuid
from collections.abc import AsyncIterator

import pytest

from tests.conftest import address, command


@pytest.fixture
async def empty_dsn(server: str) -> AsyncIterator[str]:
    """The address of an empty database."""
    own = f"accord_{uuid.uuid4().hex[:12]}"
    await command(server, f"create database {own}")
    yield address(server, own)
    await command(server, f"drop database {own} with (force)")


@pytest.fixture
async def migrated_dsn(server: str, template: str) -> AsyncIterator[str]:
    """The address of a migrated database that the test may change."""
    own = f"accord_{uuid.uuid4().hex[:12]}"
    await command(server, f"create database {own} template {template}")
    yield address(server, own)
    await command(server, f"drop database {own} with (force)")

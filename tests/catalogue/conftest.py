"""Databases of their own, for tests that change what a database is made of."""

import uuid
from collections.abc import AsyncIterator

import pytest

from tests.conftest import address, command


@pytest.fixture
async def empty_dsn(server: str) -> AsyncIterator[str]:
    """The address of a database with nothing in it."""
    own = f"accord_{uuid.uuid4().hex[:12]}"
    await command(server, f"create database {own}")
    yield address(server, own)
    await command(server, f"drop database {own} with (force)")


@pytest.fixture
async def migrated_dsn(server: str, template: str) -> AsyncIterator[str]:
    """The address of a migrated database that the test may spoil."""
    own = f"accord_{uuid.uuid4().hex[:12]}"
    await command(server, f"create database {own} template {template}")
    yield address(server, own)
    await command(server, f"drop database {own} with (force)")

"""The company whose changes the tests follow."""

import pytest

from api.db import Database
from tests.support.small_company import write_unevaluated_company


@pytest.fixture
async def company(database: Database) -> Database:
    """A database with the small company."""
    async with database.write() as session:
        await write_unevaluated_company(session)
    return database

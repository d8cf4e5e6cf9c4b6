"""The company that the tests of mutations change."""

import pytest

from api.db import Database
from tests.support.small_company import write_small_company


@pytest.fixture
async def company(database: Database) -> Database:
    """A database with the small company."""
    async with database.write() as session:
        await write_small_company(session)
        # Its accord is no document that contacts could be evaluated by.
        await session.script("delete from evaluation")
    return database

"""What tests of generated contacts share."""

from uuid import UUID

import pytest

from api.db import Database
from api.workflows.adopt_accord import adopt_accord
from tests.metrics.generated_contacts import ACCORD, prepare


@pytest.fixture(scope="module")
async def ready(module_database: Database) -> tuple[Database, UUID]:
    """The database with all that generated contacts refer to, and the id of the accord's version."""
    async with module_database.write() as session:
        version = await adopt_accord(session, ACCORD)
        await prepare(session, version.id)
    return module_database, version.id

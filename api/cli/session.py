"""How a command opens the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from api.db import Database
from api.embedded import database_address
from api.revisions import require_current
from api.settings import Settings


@asynccontextmanager
async def opened(data: Path | None) -> AsyncIterator[Database]:
    """Open the database that the settings name; refuse one that is older or newer than this Accord."""
    # Starting the private server blocks; a command has nothing else to do meanwhile.
    with database_address(Settings.load(data_dir=data)) as address:
        async with Database.open(address, size=2) as database:
            await require_current(database)
            yield database

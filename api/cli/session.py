"""How a command opens the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from api.db import Database
from api.embedded import database_connection_url
from api.revisions import is_fresh, migrate, require_current
from api.settings import Settings


@asynccontextmanager
async def opened(data: Path | None, *, sets_up: bool = False) -> AsyncIterator[Database]:
    """Open the database that the settings name; refuse one that is older or newer than this Accord.

    A command that fills a database `sets_up` the tables of a fresh one first; an older one is never changed unasked.
    """
    # Starting the private server blocks; a command has nothing else to do meanwhile.
    with database_connection_url(Settings.load(data_dir=data)) as address:
        async with Database.open(address, size=2) as database:
            if sets_up and await is_fresh(database):
                await migrate(address)
            await require_current(database)
            yield database

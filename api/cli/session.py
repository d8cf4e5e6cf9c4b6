"""Opening the database for a command."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from api.db import Database
from api.embedded import database_connection_url
from api.revisions import is_fresh, migrate, require_compatible
from api.settings import Settings


@asynccontextmanager
async def open_database(data: Path | None, *, sets_up: bool = False) -> AsyncIterator[Database]:
    """Open the database of the settings. Errors: DATABASE_OUTDATED or DATABASE_NEWER for another revision.

    With `sets_up` the tables of a fresh database are made first. An outdated database is never migrated implicitly.
    """
    # Starting the private server blocks the event loop, in which nothing else runs yet.
    settings = Settings.load(data_dir=data)
    with database_connection_url(settings) as address:
        async with Database.open(
            address, size=2, kept_limits=settings.kept_limits, direct=settings.direct_url
        ) as database:
            if sets_up and await is_fresh(database):
                with database_connection_url(settings, is_direct=True) as direct:
                    await migrate(direct)
            await require_compatible(database)
            yield database

"""A sample company to measure on: generated unless the folder has it already, and vacuumed, on one connection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date
from pathlib import Path

import asyncpg

from api.db import SERVER_SETTINGS, Connection, Database, prepare
from api.embedded.server import start
from api.revisions import is_fresh, migrate, require_compatible
from api.workflows.make_sample import make_sample

# The CPU time of parallel workers would not count for the backend. A job may take longer than a request.
_SETTINGS = {**SERVER_SETTINGS, "max_parallel_workers_per_gather": "0", "statement_timeout": "0"}


_LONGEST_PREPARED = 15_360  # characters: the default of asyncpg


@asynccontextmanager
async def sample_company(
    folder: Path, contacts: int, until: date, *, longest_prepared: int = _LONGEST_PREPARED
) -> AsyncIterator[tuple[Connection, str]]:
    """The connection to measure on, and the address of its database. The server stops afterwards."""
    running = start(folder)
    try:
        async with Database.open(running.dsn(), size=1) as database:
            if await is_fresh(database):
                await migrate(running.dsn())
                async with database.write() as session:
                    await make_sample(session, contacts=contacts, seed=1, until=until)
            await require_compatible(database)
        connection = await asyncpg.connect(
            running.dsn(), server_settings=_SETTINGS, max_cacheable_statement_size=longest_prepared
        )
        try:
            await prepare(connection)
            # As autovacuum would leave it.
            await connection.execute("vacuum (analyze)")
            yield connection, running.dsn()
        finally:
            await connection.close()
    finally:
        running.close()

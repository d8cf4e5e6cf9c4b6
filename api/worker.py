"""The composition root of the worker: settings in, background jobs until interrupted."""

from api.db import Database
from api.embedded import database_connection_url
from api.jobs.run_jobs import run_jobs
from api.revisions import require_compatible
from api.settings import Settings


async def work(settings: Settings) -> None:
    """Run the background jobs until cancelled. Errors: DATABASE_UNREACHABLE; DATABASE_OUTDATED; DATABASE_NEWER."""
    with database_connection_url(settings, revives=True) as address:
        async with Database.open(address, size=3, kept_limits=settings.kept_limits) as database:
            await require_compatible(database)
            await run_jobs(database)

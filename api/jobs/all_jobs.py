"""All periodic jobs."""

from datetime import timedelta

from api.access.credentials.page_sessions import prune_sessions
from api.db import Database
from api.funnel.evaluate import discard_former_entries
from api.jobs.periodic import PeriodicJob
from api.workflows.wake_contacts import next_wake_up, wake_contacts


async def _discard_former_entries(database: Database) -> int:
    async with database.write() as session:
        return await discard_former_entries(session)


async def _prune_sessions(database: Database) -> int:
    async with database.write() as session:
        return await prune_sessions(session)


JOBS: tuple[PeriodicJob, ...] = (
    # A write may set an earlier wake-up than the next one known here: then it is at most this late.
    PeriodicJob("wake contacts", timedelta(seconds=30), wake_contacts, next_wake_up),
    # What is left of an evaluation whose process died after its commit.
    PeriodicJob("discard former entries", timedelta(hours=1), _discard_former_entries),
    PeriodicJob("prune sessions", timedelta(hours=1), _prune_sessions),
)

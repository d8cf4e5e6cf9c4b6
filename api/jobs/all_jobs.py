"""All periodic jobs."""

from datetime import timedelta

from api.access.credentials.page_sessions import prune_sessions
from api.db import Database
from api.funnel.evaluate import discard_former_entries
from api.funnel.readings.prepare_readings import renew_readings
from api.jobs.periodic import PeriodicJob
from api.metrics.summing.store_sums import renew_day_sums
from api.outbox.positions import place_events
from api.outbox.prune import prune_events, prune_idempotency_keys
from api.workflows.accord.activate_due import activate_due, next_activation
from api.workflows.accord.activation_signal import CHANNEL
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
    # The notification comes with the commit that plans an activation, so that one for now begins at once.
    PeriodicJob("activate accord", timedelta(seconds=30), activate_due, next_activation, channel=CHANNEL),
    # What is left of an evaluation whose process died after its commit.
    PeriodicJob("discard former entries", timedelta(hours=1), _discard_former_entries),
    PeriodicJob("renew readings", timedelta(minutes=5), renew_readings),
    # What changed since is read from journeys, so that a figure is never older than the facts.
    PeriodicJob("renew day sums", timedelta(seconds=15), renew_day_sums, is_logged=False, is_long=True),
    PeriodicJob("prune sessions", timedelta(hours=1), _prune_sessions),
    # Readers of `changes` do this, too; the job keeps the rest from piling up while there are none.
    PeriodicJob("place events", timedelta(seconds=5), place_events, is_logged=False),
    PeriodicJob("prune events", timedelta(hours=1), prune_events),
    PeriodicJob("prune idempotency keys", timedelta(hours=1), prune_idempotency_keys),
)

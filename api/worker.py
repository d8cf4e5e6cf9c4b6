"""The composition root of the worker: settings in, background jobs until interrupted."""

import socket

from api.db import Database
from api.embedded import database_connection_url
from api.jobs.backlog import BacklogSampler
from api.jobs.run_jobs import run_jobs
from api.revisions import require_compatible
from api.settings import Settings
from api.telemetry.sampled import metrics_text
from api.web.observed.metrics_server import serving_metrics


async def work(settings: Settings, metrics_listener: socket.socket | None = None) -> None:
    """Run the background jobs until cancelled, and serve the metrics on the socket, if there is one.

    Errors: DATABASE_UNREACHABLE; DATABASE_OUTDATED; DATABASE_NEWER.
    """
    with database_connection_url(settings, revives=True) as address:
        async with Database.open(
            address, size=3, kept_limits=settings.kept_limits, direct=settings.direct_url
        ) as database:
            await require_compatible(database)
            sampler = BacklogSampler()

            async def metrics() -> bytes:
                await sampler.sample(database)
                return metrics_text()

            async with serving_metrics(metrics_listener, metrics):
                await run_jobs(database)

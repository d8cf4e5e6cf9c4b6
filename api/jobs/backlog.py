"""How far the data are behind: the age of the newest fact, events without a position, and wake-ups that are due."""

import asyncio
import logging
import time

from api.access.evaluation import DATA_WATERMARK, is_current
from api.db import DATABASE_FAILURES, Database
from api.sql import Sql
from api.telemetry.sampled import SAMPLED, Backlog
from schema.base import now

logger = logging.getLogger("accord.jobs")

TIMEOUT_SECONDS = 2.0
MOST_SKEW_SECONDS = 60.0
"""By how much the clocks of the server and the database may differ before it is said."""

_BACKLOG = Sql(
    "select extract(epoch from clock_timestamp() - (select {} from (select) one left join evaluation e on {}))::float8"
    " as data_age,"
    " (select count(*) from outbox_event where position is null) as outbox_waiting,"
    " extract(epoch from clock_timestamp()"
    " - (select min(recorded_at) from outbox_event where position is null))::float8 as outbox_lag,"
    " (select count(*) from wake_up where due_at <= clock_timestamp()) as wake_ups_due,"
    " clock_timestamp() as at",
    DATA_WATERMARK,
    is_current("e"),
)


async def read_backlog(database: Database) -> Backlog:
    """Read the backlog. Each figure reads an index, or only what waits.

    Shapes: one row. Reads evaluation, outbox_event, wake_up.
    """
    started, before = time.monotonic(), now()
    async with database.read(timeout_ms=int(TIMEOUT_SECONDS * 1_000)) as session:
        row = await session.row(_BACKLOG)
    if row is None:
        raise TypeError("the backlog has no row")
    took = time.monotonic() - started
    # The database read its clock somewhere between.
    skew = (row["at"] - before).total_seconds()
    skew = 0.0 if 0 <= skew <= took else skew - took / 2
    return Backlog(
        data_age_seconds=row["data_age"],
        outbox_waiting=row["outbox_waiting"],
        outbox_lag_seconds=row["outbox_lag"] or 0.0,
        wake_ups_due=row["wake_ups_due"],
        clock_skew_seconds=skew,
    )


class BacklogSampler:
    """Reads the backlog of one database for the metrics, once at a time, and logs a skew of the clocks.

    Nobody waits for a read that hangs longer than `TIMEOUT_SECONDS`, nor for it to be cancelled.
    """

    def __init__(self) -> None:
        self._reading: asyncio.Task[Backlog] | None = None
        self._is_skewed = False

    async def sample(self, database: Database) -> None:
        """Give the metrics the backlog; None of it while the database does not answer in time."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(read_backlog(database))
        await asyncio.wait([self._reading], timeout=TIMEOUT_SECONDS)
        SAMPLED.backlog = None
        if self._reading.done():
            try:
                SAMPLED.backlog = self._reading.result()
            except DATABASE_FAILURES:
                return
            self._note_skew(SAMPLED.backlog.clock_skew_seconds or 0.0)

    def _note_skew(self, seconds: float) -> None:
        was_skewed, self._is_skewed = self._is_skewed, abs(seconds) > MOST_SKEW_SECONDS
        if self._is_skewed and not was_skewed:
            order = "ahead of" if seconds > 0 else "behind"
            logger.warning("The clock of the database is %.0f seconds %s that of this server", abs(seconds), order)
        elif was_skewed and not self._is_skewed:
            logger.info("The clocks of the database and of this server agree again")

"""The statistics that costs are estimated by: read once for a database, and again every few minutes."""

import asyncio
import contextvars
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from weakref import WeakKeyDictionary

from api.access.principal import LOCAL_OPERATOR
from api.db import LOST_CONNECTION, Database
from api.errors import AccordError
from api.metrics.context import MetricContext, read_context
from api.plan.cost.table_sizes import TableSizes, read_table_sizes

REFRESH_SECONDS = 300.0
RETRY_SECONDS = 10.0
LONGEST_SECONDS = 1.0  # with the wait for a connection: it delays one request
_generations = count(1)


@dataclass(frozen=True, slots=True)
class CostStatistics:
    """The sizes of the tables, and what KPIs are computed from; no context without an accord in force.

    Statistics of the same `generation` give the same costs.
    """

    sizes: TableSizes = TableSizes()  # noqa: RUF009 - frozen
    context: MetricContext | None = None
    generation: int = 0

    def is_like(self, other: "CostStatistics") -> bool:
        """Return whether both give about the same costs."""
        return self.sizes.is_like(other.sizes) and _sources(self.context) == _sources(other.context)


@dataclass(slots=True)
class _Kept:
    """The statistics of a database; none of generation 0 have been read. They are due at an instant of the clock."""

    statistics: CostStatistics = CostStatistics()
    due: float = 0.0


class KeptStatistics:
    """The statistics of each database that requests run on."""

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Database, _Kept] = WeakKeyDictionary()

    def current(self, database: Database) -> CostStatistics | None:
        """Return the statistics of a database; None if they are due."""
        kept = self._kept.get(database)
        return kept.statistics if kept is not None and time.monotonic() < kept.due else None

    async def of(self, database: Database) -> CostStatistics:
        """Return the statistics of a database, and read them if they are due.

        One request in `REFRESH_SECONDS` reads them, and others do not wait. Where they cannot be read, the former ones
        serve, or none: the request's own statements report the failure.
        """
        now = time.monotonic()
        kept = self._kept.get(database)
        if kept is None:
            kept = self._kept[database] = _Kept()
        if now < kept.due:  # another request reads them
            return kept.statistics
        kept.due = now + RETRY_SECONDS
        try:
            async with asyncio.timeout(LONGEST_SECONDS):
                # In a context of its own: the log of the request has the request's statements alone.
                found = await asyncio.create_task(_read(database), context=contextvars.Context())
        except (AccordError, *LOST_CONNECTION):
            return kept.statistics
        kept.due = now + REFRESH_SECONDS
        if kept.statistics.generation and kept.statistics.is_like(found):
            found = replace(found, generation=kept.statistics.generation)
        kept.statistics = found
        return found


async def _read(database: Database) -> CostStatistics:
    """Read the statistics in one snapshot."""
    async with database.read(timeout_ms=round(LONGEST_SECONDS * 1_000)) as session:
        sizes = await read_table_sizes(session)
        try:
            context = await read_context(session, LOCAL_OPERATOR, datetime.now(UTC))
        except AccordError:  # there is none, or one that cannot be read: every KPI request says so itself
            context = None
    return CostStatistics(sizes, context, next(_generations))


def _sources(context: MetricContext | None) -> object:
    """Return what decides whether a KPI is computed from day sums, journeys or facts."""
    if context is None:
        return None
    sums = context.sums
    return context.in_force.id, context.journeys_of, sums and (sums.measures, sums.ends_on, len(sums.changes) > 0)

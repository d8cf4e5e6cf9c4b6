"""The job that stores day sums: all of them after an evaluation, and then those of the days that changed."""

import time
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from api.access.principal import LOCAL_OPERATOR
from api.db import AdvisoryLock, Database, ReadSession, ScratchSession, WriteSession
from api.metrics.context import MetricContext
from api.metrics.day_sums.stored_sums import StoredSums
from api.metrics.periods.calendar_units import day_of
from api.metrics.readings.reading_contexts import ContextReader
from api.metrics.request import Period, Switches
from api.metrics.summing.measures import ROW, SummedMeasure, summed_measures
from api.metrics.summing.read_sums import changed_units
from api.metrics.summing.sum_days import first_of
from api.sql import Sql, join, name

# Without changes, the sums of the day that has ended are missing, once a day; a later accord has another evaluation.
_IS_DUE = Sql(
    "select exists (select from evaluation e left join day_sum_run r on r.evaluation_id = e.id"
    " where e.is_current and e.has_journeys and (r.due_at is null or r.due_at <= clock_timestamp()"
    " and (exists (select from journey_change) or r.computed_at < now() - interval '1 hour')))"
)
# Days are added up again only after this many times as long as it took, so that this never keeps the server busy.
_REST = 10
_JOURNEYS = ("journey", "handoff_journey", "deal_journey")


async def renew_day_sums(database: Database) -> int:
    """Store the day sums of the current evaluation, where there are none or the days have changed.

    Shapes: a database -> the number of measures whose sums were stored; 0 if nothing has changed, and if another
            process is at it.
    """
    async with database.snapshot() as session:
        is_free = Sql("select pg_try_advisory_xact_lock({})", AdvisoryLock.SUMMING.value)
        if not await session.value(_IS_DUE) or not await session.value(is_free):
            return 0
        return await store_day_sums(session, datetime.now(UTC))


async def store_day_sums(session: WriteSession, now: datetime) -> int:
    """Store the day sums of the current evaluation, in a transaction whose statements all read one snapshot.

    Changes that commit meanwhile are not in the snapshot: their rows of `journey_change` stay, and outdate the sums
    that lack them.

    Shapes: journeys -> the number of measures stored. Writes day_sum, day_sum_run and journey_change.
    """
    began = time.monotonic()
    context = await current_context(session, now)
    if not context.has_journeys or not context.has_contacts:
        return 0
    days = await _days(session, context)
    if days is None:
        return 0
    for table in ("day_sum", "day_sum_run", "journey_change"):
        await session.run(Sql("delete from {} where evaluation_id <> {}", name(table), context.evaluation))
    seen = [row["id"] for row in await session.rows(Sql("select id from journey_change"))]
    former = context.sums
    if former is not None and former.starts_on > days[0]:
        former = None  # facts of an earlier month have come
    measures = [*summed_measures(context, Period(*days))]
    stored = 0
    for measure in measures:
        stored += await _store(session, measure, days, former)
    await session.run(Sql("delete from journey_change where id = any ({}::uuid[])", seen))
    await _outdate_future(session, context)
    await session.run(
        Sql(
            "insert into day_sum_run (evaluation_id, computed_at, starts_on, ends_on, measures, due_at)"
            " values ({}, {}, {}, {}, {}, clock_timestamp() + make_interval(secs => {}::double precision))"
            " on conflict (evaluation_id) do update set computed_at = excluded.computed_at, starts_on ="
            " excluded.starts_on, ends_on = excluded.ends_on, measures = excluded.measures, due_at = excluded.due_at",
            *(context.evaluation, now, *days, [measure.hash for measure in measures]),
            0 if former is None else _REST * (time.monotonic() - began),
        )
    )
    if former is None:
        await session.script("analyze day_sum")
    return stored


async def current_context(session: ScratchSession, now: datetime) -> MetricContext:
    """Read the context of a request with default switches, of whoever reaches everybody. Errors: NO_ACCORD."""
    contexts = await ContextReader.of(ReadSession(session.connection), LOCAL_OPERATOR, now)
    return await contexts.context(Switches())


async def _store(
    session: WriteSession, measure: SummedMeasure, days: tuple[date, date], former: StoredSums | None
) -> int:
    """Store the sums of one measure that are missing or outdated; 1 if there are any."""
    units = measure.units(*days)
    if former is not None and measure.hash in former.measures:
        changed = changed_units(former, measure.summed, *days)
        last = first_of(measure.summed.unit, former.ends_on)
        units = [unit for unit in units if unit in changed or unit >= last]
    if not units:
        return 0
    key = (measure.evaluation, measure.hash)
    await session.run(
        Sql(
            "delete from day_sum where evaluation_id = {} and measure = {} and starts_at = any ({}::timestamptz[])",
            *(*key, [*measure.starts(units)]),
        )
    )
    columns = join(", ", map(name, ROW))
    await session.run(
        Sql(
            "insert into day_sum (evaluation_id, measure, starts_at, place, {}) select {}, {}, r.starts_at,"
            " row_number() over (partition by r.starts_at), {} from ({}) r",
            *(columns, *key, columns, measure.rows(units)),
        )
    )
    return 1


async def _days(session: WriteSession, context: MetricContext) -> tuple[date, date] | None:
    """The days `[first, before)` that have sums: from the month of the first journey to yesterday. None without any."""
    firsts = (
        Sql("select min(counted_at) as at from {} where evaluation_id = {}", name(table), context.evaluation)
        for table in _JOURNEYS
    )
    first = await session.value(Sql("select min(at) from ({}) firsts", join(" union all ", firsts)))
    if first is None:
        return None
    zone = ZoneInfo(context.accord.reporting.timezone)
    starts_on, before = day_of(first, zone).replace(day=1), day_of(context.now, zone)
    return (starts_on, before) if starts_on < before else None


async def _outdate_future(session: WriteSession, context: MetricContext) -> None:
    """Mark the journeys of people of whom a fact lies in the future: time alone will change their sums."""
    evaluation: UUID = context.evaluation
    await session.run(
        Sql(
            "insert into journey_change (evaluation_id, source, part, starts_at, ends_at)"
            " select {}, 'journey', j.stage, j.counted_at, j.counted_at from journey j where j.evaluation_id = {}"
            " and j.contact_id in (select f.contact_id from journey f where f.evaluation_id = {}"
            " and f.stage = any ({}::text[]) and f.counted_at >= {}"
            " union all select t.contact_id from touchpoint t where t.occurred_at >= {})",
            *(evaluation, evaluation, evaluation, [stage.key for stage in context.accord.stages]),
            *(context.now, context.now),
        )
    )

"""The job that stores day sums: all of them after an evaluation, and then those of the days that changed."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from api.access.principal import LOCAL_OPERATOR
from api.db import AdvisoryLock, Database, ReadSession, WriteSession
from api.metrics.context import MetricContext
from api.metrics.day_sums.stored_sums import StoredSums
from api.metrics.day_sums.sum_statements import SUMMED
from api.metrics.day_sums.summed_rows import SummedRows, SumsStored, SumUnit
from api.metrics.journeys.journey_entries import are_journeys_readable
from api.metrics.kind_of import kind_of
from api.metrics.kinds.kind import KpiKind
from api.metrics.periods.calendar_units import day_of, midnight, plus_months
from api.metrics.periods.period_days import Interval
from api.metrics.readings.reading_contexts import ContextReader
from api.metrics.request import KpiRequest, Period, Switches
from api.metrics.resolve import resolve
from api.metrics.resolved_request import MICROSECOND, ResolvedKpiRequest
from api.metrics.summing.read_sums import ONE_DAY, changed_days, days_between, measure_of, months_between, of_spans
from api.sql import Sql, join, name
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension

# What boards are by. Each costs as much to add up as the KPIs without a dimension.
SUMMED_DIMENSIONS = (Dimension.CHANNEL, Dimension.CAMPAIGN, Dimension.LEAD_SOURCE, Dimension.OWNER, Dimension.TEAM)
_JOURNEYS = ("journey", "handoff_journey", "deal_journey")


@dataclass(frozen=True, slots=True)
class _Measure:
    """A KPI, without a dimension or by one: the statement of its rows, and the hash of that."""

    hash: int
    request: ResolvedKpiRequest
    kind: KpiKind
    summed: SummedRows


async def renew_day_sums(database: Database) -> int:
    """Store the day sums of the current evaluation, where there are none or the days have changed.

    Shapes: a database -> the number of KPIs by dimension whose sums were stored; 0 if nothing has changed.
    """
    async with database.try_lock(AdvisoryLock.SUMMING) as lock:
        if lock is None:
            return 0
        async with database.read() as session:
            if not await session.value(_IS_DUE):
                return 0
        async with database.snapshot() as session:
            return await store_day_sums(session, datetime.now(UTC))


_IS_DUE = Sql(
    "select exists (select from journey_change) or exists (select from evaluation e left join day_sum_run r"
    " on r.evaluation_id = e.id where e.is_current and e.has_journeys"
    " and (r.as_of is null or r.as_of < now() - interval '1 hour'))"
)


async def store_day_sums(session: WriteSession, now: datetime) -> int:
    """Store the day sums of the current evaluation, in a transaction whose statements all read one snapshot.

    Changes that commit meanwhile are not in the snapshot: their rows of `journey_change` stay, and so outdate the sums
    that lack them.

    Shapes: journeys -> the number of measures stored. Writes day_sum, day_sum_run and journey_change.
    Errors: NO_ACCORD; those of `resolve`.
    """
    contexts = await ContextReader.of(ReadSession(session.connection), LOCAL_OPERATOR, now)
    context = await contexts.context(Switches())
    if not context.has_journeys or not context.has_contacts:
        return 0
    seen = [row["id"] for row in await session.rows(Sql("select id from journey_change"))]
    days = await _days(session, context)
    if days is None:
        return 0
    await _delete_others(session, context.evaluation)
    former = context.sums
    if former is not None and former.starts_on > days.starts_on:
        former = None
    stored = 0
    measures = [*_measures(context, days)]
    for measure in measures:
        stored += await _store(session, measure, days, former)
    await session.run(Sql("delete from journey_change where id = any ({}::uuid[])", seen))
    await _mark_future(session, context)
    await session.run(
        Sql(
            "insert into day_sum_run (evaluation_id, as_of, starts_on, ends_on, measures) values ({}, {}, {}, {}, {})"
            " on conflict (evaluation_id) do update set as_of = excluded.as_of, starts_on = excluded.starts_on,"
            " ends_on = excluded.ends_on, measures = excluded.measures",
            *(context.evaluation, now, days.starts_on, days.before, [measure.hash for measure in measures]),
        )
    )
    if former is None:
        await session.script("analyze day_sum")
    return stored


def _measures(context: MetricContext, days: Period) -> Iterator[_Measure]:
    """What has sums: the KPIs with default switches whose journeys add up, without a dimension and by one."""
    known = tuple(stage.key for stage in context.accord.stages)
    for kpi in CATALOGUE.values():
        kind = kind_of(kpi.measure)
        stages = kind.stages(known)
        if stages is None or not {*stages} <= {*known}:
            continue
        for by in ((), *((dimension,) for dimension in SUMMED_DIMENSIONS if dimension in kpi.dimensions)):
            request = resolve(kpi, KpiRequest(kpi.key, days, by=by), context)
            if not are_journeys_readable(request) or not kind.reads_journeys(request):
                continue
            request = replace(request, reads_journeys=True)
            summed = kind.summed(request)
            if summed is not None:
                yield _Measure(measure_of(request, kind), request, kind, summed)


async def _store(session: WriteSession, measure: _Measure, days: Period, former: StoredSums | None) -> int:
    """Store the sums of one measure that are missing or outdated; 1 if there are any."""
    units = _units(measure, days, former)
    if not units:
        return 0
    unit, zone = measure.summed.unit, measure.request.frame.zone
    length = (lambda first: first + ONE_DAY) if unit is SumUnit.DAY else (lambda first: plus_months(first, 1))
    every = [*(days_between if unit is SumUnit.DAY else months_between)(units[0], length(units[-1]))]
    boundaries = [midnight(first, zone) for first in (*every, length(every[-1]))]
    is_state = unit is SumUnit.MONTH_END
    places = [end - MICROSECOND for end in boundaries[1:]] if is_state else boundaries[:-1]
    chosen = {*units}
    starts = tuple(place for place, first in zip(places, every, strict=True) if first in chosen)
    spans = tuple(
        span
        for span, first in zip(zip(boundaries, boundaries[1:], strict=False), every, strict=True)
        if first in chosen
    )
    interval = Interval(boundaries[0], boundaries[-1]) if is_state or len(units) == len(every) else of_spans(spans)
    frame = replace(measure.request.frame, interval=interval)
    request = replace(measure.request, frame=frame, sums=SumsStored(unit, starts, spans))
    evaluation = measure.request.context.evaluation
    await session.run(
        Sql(
            "delete from day_sum where evaluation_id = {} and measure = {} and starts_at = any ({}::timestamptz[])",
            *(evaluation, measure.hash, list(starts)),
        )
    )
    columns = join(", ", (Sql("r.{}", name(column)) for column in ("value", "unconverted_currency", *SUMMED)))
    await session.run(
        Sql(
            "insert into day_sum (evaluation_id, measure, starts_at, place, value, unconverted_currency, {})"
            " select {}, {}, ({}::timestamptz[])[r.bucket], row_number() over (partition by r.bucket), {} from ({}) r"
            " where r.bucket between 1 and {}",
            join(", ", map(name, SUMMED)),
            *(evaluation, measure.hash, places, columns),
            measure.kind.statement(request, tuple(boundaries)),
            len(places),
        )
    )
    return 1


def _units(measure: _Measure, days: Period, former: StoredSums | None) -> list[date]:
    """The first days of the units to store, in order."""
    if days.starts_on is None or days.before is None:
        raise ValueError("sums are of days that are known")
    is_day = measure.summed.unit is SumUnit.DAY
    units = [*(days_between if is_day else months_between)(days.starts_on, days.before)]
    if former is None or measure.hash not in former.measures:
        return units
    changed = changed_days(former, measure.summed, days.starts_on, days.before)
    if not is_day:
        changed = {day.replace(day=1) for day in changed}
    last = former.ends_on if is_day else former.ends_on.replace(day=1)
    return [unit for unit in units if unit in changed or unit >= last]


async def _days(session: WriteSession, context: MetricContext) -> Period | None:
    """The days that have sums: from the month of the first journey to yesterday. None without any."""
    firsts = (
        Sql("select min(counted_at) as at from {} where evaluation_id = {}", name(table), context.evaluation)
        for table in _JOURNEYS
    )
    first = await session.value(Sql("select min(at) from ({}) firsts", join(" union all ", firsts)))
    if first is None:
        return None
    zone = ZoneInfo(context.accord.reporting.timezone)
    starts_on, before = day_of(first, zone).replace(day=1), day_of(context.now, zone)
    if context.sums is not None:
        starts_on = min(starts_on, context.sums.starts_on)
    return Period(starts_on, before) if starts_on < before else None


async def _delete_others(session: WriteSession, evaluation: UUID) -> None:
    """Delete the sums of other evaluations, and their changes."""
    for table in ("day_sum", "day_sum_run", "journey_change"):
        await session.run(Sql("delete from {} where evaluation_id <> {}", name(table), evaluation))


async def _mark_future(session: WriteSession, context: MetricContext) -> None:
    """Mark the journeys of people of whom a fact lies in the future: time alone will change their sums."""
    await session.run(
        Sql(
            "insert into journey_change (evaluation_id, source, part, starts_at, ends_at)"
            " select {}, 'journey', j.stage, j.counted_at, j.counted_at from journey j where j.evaluation_id = {}"
            " and j.contact_id in (select f.contact_id from journey f where f.evaluation_id = {}"
            " and f.stage = any ({}::text[]) and f.counted_at >= {}"
            " union all select t.contact_id from touchpoint t where t.occurred_at >= {})",
            *(context.evaluation, context.evaluation, context.evaluation),
            [stage.key for stage in context.accord.stages],
            *(context.now, context.now),
        )
    )

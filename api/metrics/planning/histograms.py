"""The counted rows of a KPI by day: how long each one took, and when each one counted."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from api.db import ReadSession
from api.metrics.context import MetricContext
from api.metrics.counted_rows import keyed_rows
from api.metrics.journeys.journey_entries import are_journeys_readable
from api.metrics.kind_of import kind_of
from api.metrics.planning.landing import Lags
from api.metrics.request import KpiRequest
from api.metrics.resolve import resolve
from api.sql import Sql
from schema.kpis import CATALOGUE

_SECONDS_OF_A_DAY = 86_400


async def read_lags(session: ReadSession, request: KpiRequest, context: MetricContext) -> Lags:
    """How many of the records of a duration took how many whole days, rounded down.

    Shapes: one row per number of days; their sum is the n of the KPI. Reads what the KPI reads.
    Errors: those of `resolve`.
    """
    rows, is_base, value, _ = _counted(request, context)
    days = Sql("floor(({}) / {})::int", value, _SECONDS_OF_A_DAY)
    return Lags({row["day"]: row["n"] for row in await session.rows(_by(days, rows, is_base))})


async def read_days(session: ReadSession, request: KpiRequest, context: MetricContext) -> Mapping[date, int]:
    """How many of the records of a count are of which day, in the time zone of the request.

    Shapes: one row per day; their sum is the n of the KPI. Reads what the KPI reads.
    Errors: those of `resolve`.
    """
    rows, is_base, _, zone = _counted(request, context)
    day = Sql("(c.at at time zone {}::text)::date", zone)
    return {row["day"]: row["n"] for row in await session.rows(_by(day, rows, is_base))}


def _counted(request: KpiRequest, context: MetricContext) -> tuple[Sql, Sql, Sql, str]:
    kpi = CATALOGUE[request.key]
    kind, resolved = kind_of(kpi.measure), resolve(kpi, request, context)
    resolved = replace(resolved, reads_journeys=are_journeys_readable(resolved) and kind.reads_journeys(resolved))
    counted = kind.counted(resolved)
    return keyed_rows(resolved, counted.rows, ()), counted.is_base, counted.value, resolved.frame.zone.key


def _by(key: Sql, rows: Sql, is_base: Sql) -> Sql:
    return Sql("select {} as day, count(*) as n from ({}) c where {} group by 1", key, rows, is_base)

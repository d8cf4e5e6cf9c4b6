"""What has day sums: KPIs with default switches, without a dimension or by one, and the statements of them."""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from api.metrics.context import MetricContext
from api.metrics.day_sums.sum_statements import SUMMED
from api.metrics.day_sums.summed_rows import SummedRows, SumsStored, SumUnit
from api.metrics.journeys.journey_entries import are_journeys_readable
from api.metrics.kind_of import kind_of
from api.metrics.kinds.kind import KpiKind
from api.metrics.periods.calendar_units import midnight
from api.metrics.periods.period_days import Interval
from api.metrics.request import KpiRequest, Period
from api.metrics.resolve import resolve
from api.metrics.resolved_request import MICROSECOND, ResolvedKpiRequest
from api.metrics.summing.read_sums import measure_of, of_spans
from api.metrics.summing.sum_days import after, units_between
from api.sql import Sql, join, name
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension

# What boards are by. Each of them costs as much to add up as the KPIs without a dimension.
SUMMED_DIMENSIONS = (Dimension.CHANNEL, Dimension.CAMPAIGN, Dimension.LEAD_SOURCE, Dimension.OWNER, Dimension.TEAM)
ROW = ("value", "unconverted_currency", *SUMMED)  # the columns of a sum beside its key


@dataclass(frozen=True, slots=True)
class SummedMeasure:
    """A KPI, without a dimension or by one: the hash of its statement, and its request for the days of the sums."""

    hash: int
    request: ResolvedKpiRequest
    kind: KpiKind
    summed: SummedRows

    @property
    def evaluation(self) -> UUID:
        """The evaluation whose journeys are added up."""
        return self.request.context.evaluation

    def units(self, first: date, before: date) -> list[date]:
        """The first days of the whole units within `[first, before)`, in order."""
        return units_between(self.summed.unit, first, before)

    def starts(self, units: Sequence[date]) -> tuple[datetime, ...]:
        """The `starts_at` of the sums of units."""
        zone = self.request.frame.zone
        if self.summed.unit is SumUnit.MONTH_END:
            return tuple(midnight(after(self.summed.unit, unit), zone) - MICROSECOND for unit in units)
        return tuple(midnight(unit, zone) for unit in units)

    def rows(self, units: Sequence[date]) -> Sql:
        """Select the sums of some units: `starts_at`, and the columns of `ROW`. Errors: IndexError without units."""
        zone, unit = self.request.frame.zone, self.summed.unit
        every = self.units(units[0], after(self.summed.unit, units[-1]))
        boundaries = [midnight(first, zone) for first in (*every, after(unit, every[-1]))]
        chosen = {*units}
        spans = tuple(
            span for span, first in zip(itertools.pairwise(boundaries), every, strict=True) if first in chosen
        )
        has_gaps = unit is not SumUnit.MONTH_END and len(units) < len(every)
        interval = of_spans(spans) if has_gaps else Interval(boundaries[0], boundaries[-1])
        request = replace(
            self.request,
            frame=replace(self.request.frame, interval=interval),
            sums=SumsStored(unit, self.starts(units)),
        )
        places = [*self.starts(every)]
        return Sql(
            "select ({}::timestamptz[])[r.bucket] as starts_at, {} from ({}) r where r.bucket between 1 and {}",
            places,
            join(", ", (Sql("r.{}", name(column)) for column in ROW)),
            self.kind.statement(request, tuple(boundaries)),
            len(places),
        )


def summed_measures(context: MetricContext, days: Period) -> Iterator[SummedMeasure]:
    """The measures that have sums of these days."""
    known = tuple(stage.key for stage in context.accord.stages)
    for kpi in CATALOGUE.values():
        kind = kind_of(kpi.measure)
        stages = kind.stages(known)
        if stages is None or not {*stages} <= {*known}:
            continue  # the request names the stages, or the accord lacks one
        for by in ((), *((dimension,) for dimension in SUMMED_DIMENSIONS if dimension in kpi.dimensions)):
            request = resolve(kpi, KpiRequest(kpi.key, days, by=by), context)
            if are_journeys_readable(request) and kind.reads_journeys(request):
                request = replace(request, reads_journeys=True)
                summed = kind.summed(request)
                if summed is not None:
                    yield SummedMeasure(measure_of(request, kind), request, kind, summed)

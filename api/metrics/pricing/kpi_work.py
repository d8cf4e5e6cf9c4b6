"""The work of KPI and funnel requests, in rows, by the statements that they would run.

The statements are written and not run. What depends on the data is taken for the usual: a series without a start has
no buckets yet, and the values of a filter are taken as they are given.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from api.errors import AccordError
from api.metrics.context import MetricContext
from api.metrics.day_sums.summed_rows import SumsRead
from api.metrics.funnels.funnel import funnel_statement
from api.metrics.journeys.journey_entries import are_journeys_readable
from api.metrics.kind_of import kind_of
from api.metrics.kinds.kind import KpiKind
from api.metrics.periods.buckets import buckets
from api.metrics.planning.plan_ladder import ladder_of
from api.metrics.query import kpi_statement
from api.metrics.request import FunnelRequest, KpiRequest, Period, StagePair, Switches, Where
from api.metrics.resolve import resolve, resolve_funnel
from api.metrics.resolved_request import ResolvedKpiRequest, record_filters_of
from api.metrics.summing.read_sums import with_sums
from api.plan.cost.condition_work import ConditionWork
from api.plan.cost.table_sizes import TableSizes
from schema.accord_vocab import Reading
from schema.kpis import CATALOGUE
from schema.kpis.comparisons import Comparand
from schema.kpis.conversion import STAGE_CONVERSION, WIN_RATE
from schema.kpis.pipeline import AVG_DEAL_SIZE, REVENUE_WON
from schema.kpis.velocity import SALES_CYCLE, TIME_TO_CONVERT
from schema.kpis.volume import DEALS_WON, OPPORTUNITIES_CREATED

# In rows, measured against reading one row of a table in order (`make bench-cost`).
CONTEXT = 20_000.0  # what is read once for all requests of a field
REQUEST = 8_000.0  # planning a statement, and its answer
_REFUSED = 5_000.0  # a request that fails before its statement
_READ = 4.0  # a row of facts or journeys: most are found by an index, joined and aggregated
_NAMED_VALUE = 3_000.0  # looking up one value of a filter
_EVALUATED = 500.0  # deriving the entries of one person
_SUMS = 10_000.0  # reading day sums of a usual period
_DIMENSION = 0.25  # more for each dimension
_BY_STAGE = frozenset({"stage_entry", "journey"})
_TABLE = re.compile(r"\b(?:from|join) ([a-z_]+)\b")
_LEAST_SHARE = 0.02


@dataclass(frozen=True, slots=True)
class KpiWork:
    """Estimates requests in a context. Without a context no request has an answer, because there is no accord."""

    sizes: TableSizes
    context: MetricContext | None

    def of_kpi(self, request: KpiRequest) -> float:
        """Return the work of one request, of what it is compared with, and of finding its largest groups."""
        kpi = CATALOGUE.get(request.key)
        if self.context is None or kpi is None:
            return _REFUSED
        try:
            resolved = resolve(kpi, request, self._context(self.context, request.switches))
        except AccordError:
            return _REFUSED
        kind = kind_of(kpi.measure)
        resolved = replace(resolved, reads_journeys=are_journeys_readable(resolved) and kind.reads_journeys(resolved))
        work = self._evaluation(request.switches) + self._filter(resolved) + self._statement(resolved, kind, request)
        return REQUEST + work * self._times(request)

    def of_funnel(self, request: FunnelRequest) -> float:
        """Return the work of one funnel."""
        if self.context is None:
            return _REFUSED
        try:
            resolved = resolve_funnel(request, self._context(self.context, request.switches))
        except AccordError:
            return _REFUSED
        resolved = replace(resolved, reads_journeys=are_journeys_readable(resolved) and resolved.has_one_ladder)
        work = self._evaluation(request.switches) + self._filter(resolved)
        interval = resolved.frame.interval
        share = self._share(interval.start, interval.end or resolved.frame.until)
        resolved = replace(resolved, where=_without_records(resolved.where))
        rows = self._rows(resolved, str(funnel_statement(resolved)), share)
        work += rows
        return REQUEST + work * (2 if request.top is not None else 1)

    def of_plan(self, as_of: datetime | None) -> float:
        """Return the work of a plan: of the KPIs and histograms that its steps are measured by."""
        if self.context is None:
            return _REFUSED
        switches = Switches(as_of=as_of)
        ladder = ladder_of(self.context.accord)
        total = 0.0
        for step, after in zip(ladder, [*ladder[1:], None], strict=True):
            stages = StagePair(step.stage, after.stage) if step.stage and after and after.stage else None
            measured = (STAGE_CONVERSION, TIME_TO_CONVERT) if stages else (WIN_RATE, SALES_CYCLE)
            requests = (KpiRequest(kpi.key, _last_days(365), stages=stages, switches=switches) for kpi in measured)
            total += sum(map(self.of_kpi, requests))
            # The histograms of its entries and lags, of all days.
            total += 2 * _READ * self.sizes.rows("stage_entry") / max(1, len(self.context.accord.stages))
        return total

    def of_variance(self, as_of: datetime | None) -> float:
        """Return the work of a variance: four KPIs of two periods."""
        keys = (OPPORTUNITIES_CREATED, WIN_RATE, AVG_DEAL_SIZE, REVENUE_WON, DEALS_WON)
        switches = Switches(as_of=as_of)
        return sum(2 * self.of_kpi(KpiRequest(kpi.key, _last_days(91), switches=switches)) for kpi in keys)

    def of_preview(self) -> float:
        """Return the work of the preview of a version, which evaluates everybody unless it is stored."""
        return _EVALUATED * self.sizes.rows("contact") + self.sizes.rows("touchpoint")

    def _context(self, context: MetricContext, switches: Switches) -> MetricContext:
        """Return the context as the switches change it. Another reading has entries, and neither journeys nor sums."""
        excludes = {exclusion.value for exclusion in switches.exclusions or ()}
        is_agreed = switches.exclusions is None or excludes == {*context.accord.reporting.exclude}
        if is_agreed and not _is_other_reading(switches):
            return context
        return replace(context, journeys_of=None, sums=None)

    def _evaluation(self, switches: Switches) -> float:
        return _EVALUATED * self.sizes.rows("contact") if _is_other_reading(switches) else 0.0

    def _times(self, request: KpiRequest) -> float:
        """Return how many such statements answer a request."""
        compared = 0.0
        if request.compare_to is not None:
            earlier = (Comparand.PREVIOUS_PERIOD, Comparand.SAME_PERIOD_LAST_YEAR)
            compared = 1.5 if request.compare_to.comparand in earlier else 1.0
        return (2 if request.top is not None else 1) + compared

    def _filter(self, request: ResolvedKpiRequest) -> float:
        """Return the work of the filter: of the values that it names, and of those that filter records."""
        conditions = ConditionWork(self.sizes)
        records = sum(
            self.sizes.rows(found.table) + conditions.work(found.table, found.condition, self.sizes.rows(found.table))
            for found in record_filters_of(request.where)
        )
        return records + _NAMED_VALUE * _values_in(request.where)

    def _statement(self, request: ResolvedKpiRequest, kind: KpiKind, requested: KpiRequest) -> float:
        interval = request.frame.interval
        boundaries: tuple[datetime, ...] = ()
        if request.grain is not None and interval.start is not None and interval.start < request.frame.until:
            frame, reporting = request.frame, request.context.accord.reporting
            try:
                boundaries = buckets(frame.days, interval.start, frame.as_of, request.grain, frame.zone, reporting)
            except AccordError:
                return _REFUSED
        summed = request if requested.top is not None else with_sums(request, kind, boundaries)
        unfiltered = replace(summed, where=_without_records(summed.where))
        text = str(kpi_statement(unfiltered, kind, boundaries, counts_excluded=True))
        more = 1 + _DIMENSION * len(request.by)
        if isinstance(summed.sums, SumsRead):
            until = request.frame.until
            unsummed = sum((self._share(start, end or until) for start, end in summed.sums.unsummed), 0.0)
            return _SUMS + (0.0 if summed.sums.is_complete else self._rows(request, text, unsummed) * more)
        return self._rows(request, text, self._share(interval.start, interval.end or request.frame.until)) * more

    def _rows(self, request: ResolvedKpiRequest, text: str, share: float) -> float:
        """Return the work of a statement: a share of the rows of the tables that it names, as often as it names them.

        Of stage entries and journeys it reads those of one stage at a time.
        """
        stages = max(1, len(request.context.accord.stages))
        total = 0.0
        for table in _TABLE.findall(text):
            is_of_stage = table in _BY_STAGE and bool(request.stages)
            total += self.sizes.row_counts.get(table, 0.0) / (stages if is_of_stage else 1)
        return _READ * total * share

    def _share(self, start: datetime | None, end: datetime) -> float:
        """Return the share of all facts that lies in an interval."""
        span = self.sizes.entries_span
        if span is None:
            return 1.0
        first, last = span
        length = (last - first) / timedelta(seconds=1) or 1.0
        within = (min(end, last) - max(start or first, first)) / timedelta(seconds=1)
        return min(1.0, max(_LEAST_SHARE, within / length))


def _last_days(days: int) -> Period:
    today = datetime.now(UTC).date()
    return Period(today - timedelta(days), today)


def _is_other_reading(switches: Switches) -> bool:
    return switches.reading not in (None, Reading.IN_FORCE) or switches.known_at is not None


def _without_records(where: Where) -> Where:
    """Return a filter without the conditions on records, which have a work of their own."""
    every, some, none = (tuple(map(_without_records, of)) for of in (where.all_of, where.any_of, where.none_of))
    return Where(where.tests, every, some, none)


def _values_in(where: Where) -> int:
    tests = sum(len(values) for _, values in where.tests)
    return tests + sum(map(_values_in, (*where.all_of, *where.any_of, *where.none_of)))

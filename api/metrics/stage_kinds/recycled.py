"""The people who leave the stages between marketing and sales: how many are recycled, and how many come back."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from api.metrics.answer import AnswerWarning
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.kinds.cohorts import SHARE, cohort_statement, converts
from api.metrics.kinds.contact_facts import belongs_to
from api.metrics.kinds.kind import FigureValues, KpiKind, share_figure
from api.metrics.kinds.stage_entries import EVER, between, first_entry
from api.metrics.periods.period_days import Interval
from api.metrics.population import is_person_of
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.source_gaps import STAGE_ENTRIES
from api.sql import Sql, all_of, join
from schema.accord import Accord
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import Disposition


@dataclass(frozen=True, slots=True)
class RecycleShare(KpiKind):
    """Of the people who left the stages in the period, the share who were recycled.

    Shapes: one row per person and instant after which they are in none of the stages.
    Source: the stage entries of the current evaluation; the rejected handoffs and the accord's reject reasons.
    """

    left: tuple[str, ...]
    reads = (STAGE_ENTRIES, "handoff")

    def stages(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """The stages that people leave; those of them that the accord has, if it has any."""
        return _stages_left(self.left, known)

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first entry into one of the stages."""
        return first_entry(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The people: `contact_id, at` (when they left)`, is_recycled`."""
        is_recycled = Sql("c.is_recycled")
        return CountedRows(
            rows=_leaving(request, request.stages, request.frame.interval),
            aggregates=Aggregates(numerator=count_where(is_recycled)),
            is_converted=is_recycled,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The recycled divided by all who left."""
        return share_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """Nobody left."""
        return f"Nobody left {' or '.join(request.stages)} in the period, so there is nothing to divide by."


@dataclass(frozen=True, slots=True)
class ReconversionShare(KpiKind):
    """Of the people recycled in the period, the share who entered a stage within a time after it.

    Shapes: one row per person and recycling. An entry belongs to the last recycling before it.
    Source: as of `RecycleShare`.
    """

    left: tuple[str, ...]
    target: str
    within: timedelta
    reads = (STAGE_ENTRIES, "handoff")

    def stages(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """The stages that people leave, and last the one that they come back to."""
        return (*_stages_left(self.left, known), self.target)

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first entry into one of the stages."""
        return first_entry(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The people: `contact_id, at` (the recycling)`, target_at`."""
        return CountedRows(rows=_recycled(request), is_converted=converts(self._windowed(request)))

    def statement(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
        """The statement of the cohort."""
        return cohort_statement(self._windowed(request), _recycled(request), boundaries, SHARE)

    def figure(self, cell: FigureCell) -> FigureValues:
        """Those who came back divided by all recycled."""
        return share_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """Nobody was recycled."""
        return "Nobody was recycled in the period, so there is nothing to divide by."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """OPEN_COHORT: how many can still come back in time."""
        if waiting := table.total.waiting:
            message = f"{waiting:,} of the people can still enter {self.target} in time. The value may still change."
            yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)

    def _windowed(self, request: ResolvedKpiRequest) -> ResolvedKpiRequest:
        return replace(request, window=request.window or self.within, windows=())


def _stages_left(left: tuple[str, ...], known: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(stage for stage in left if stage in known) or left


def _leaving(request: ResolvedKpiRequest, stages: tuple[str, ...], within: Interval) -> Sql:
    """The instants in an interval after which a person is in none of the stages: `contact_id, at, is_recycled`."""
    keys = list(stages)
    conditions = [
        Sql("e.evaluation_id = {}", request.context.evaluation),
        Sql("e.stage = any ({}::text[])", keys),
        Sql("e.exited_at < {}", request.frame.until),
        *between(Sql("e.exited_at"), within),
        Sql(
            "not exists (select from stage_entry o where o.evaluation_id = e.evaluation_id"
            " and o.contact_id = e.contact_id and o.stage = any ({}::text[]) and o.entered_at <= e.exited_at"
            " and (o.exited_at is null or o.exited_at > e.exited_at))",
            keys,
        ),
        is_person_of(request, Sql("e.contact_id")),
        *request.context.reach("stage_entry", "e"),
    ]
    owned, merged = belongs_to(request.context, "h", "e")
    rejected = [
        owned,
        Sql("h.status = 'REJECTED'"),
        Sql("h.decided_at = e.exited_at"),
        _recycles(request),
        *request.context.reach("handoff", "h"),
    ]
    return Sql(
        "select e.contact_id, e.exited_at as at, bool_or(e.exit_kind = 'HANDOFF_REJECTED'"
        " and exists (select from handoff h where {})) as is_recycled from stage_entry e{} where {} group by 1, 2",
        all_of(rejected),
        merged,
        all_of(conditions),
    )


def _recycled(request: ResolvedKpiRequest) -> Sql:
    """The recyclings in the period: `contact_id, at, is_implied, target_at, may_convert`."""
    *left, target = request.stages
    return Sql(
        "select r.contact_id, r.at, false as is_implied, s.at as target_at,"
        " s.at is null and r.next_at is null as may_convert from (select l.contact_id, l.at,"
        " lead(l.at) over (partition by l.contact_id order by l.at) as next_at from ({}) l where l.is_recycled) r"
        " cross join lateral (select min(e.entered_at) as at from stage_entry e where e.contact_id = r.contact_id"
        " and e.evaluation_id = {} and e.stage = {} and e.entered_at > r.at and e.entered_at < {}"
        " and e.entered_at <= coalesce(r.next_at, 'infinity')) s where {}",
        _leaving(request, tuple(left), EVER),
        request.context.evaluation,
        target,
        request.frame.until,
        all_of(between(Sql("r.at"), request.frame.interval) or [Sql("true")]),
    )


def _recycles(request: ResolvedKpiRequest) -> Sql:
    """The condition that the reason of the handoff `h` recycles, by the version in force at the decision."""
    versions = request.context.versions
    if len(versions) < 2:
        return _has_reason(request.context.accord)
    spans = ((version.accord, Interval(version.in_force_from, version.in_force_until)) for version in versions)
    cases = (all_of([_has_reason(accord), *between(Sql("h.decided_at"), span)]) for accord, span in spans)
    return Sql("({})", join(" or ", cases))


def _has_reason(accord: Accord) -> Sql:
    codes = [reason.code for reason in accord.reject_reasons if reason.disposition is Disposition.RECYCLE]
    return Sql("h.reject_reason = any ({}::text[])", codes)

"""The share of people whose stage in a source system is the one that the accord finds."""

from dataclasses import dataclass
from datetime import datetime

from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.figure_table import FigureCell
from api.metrics.kinds.contact_facts import counts, person_of
from api.metrics.kinds.kind import FigureValues, KpiKind, share_figure
from api.metrics.kinds.snapshot_instants import PartEnds, part_and_instant, part_ends, parts_between
from api.metrics.population import excluded_person
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.source_gaps import STAGE_ENTRIES
from api.sql import Sql, join


@dataclass(frozen=True, slots=True)
class StageAgreement(KpiKind):
    """The share of the people with a reported stage who are in that stage by the accord, at the end of the period.

    Shapes: one row per person with a reported stage and part (bucket or total).
    Source: the reported stages; the stage entries of the current evaluation.
    """

    reads = (STAGE_ENTRIES, "reported_stage")

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first reported stage."""
        reached = request.context.reach("reported_stage", "reported_stage")
        return Sql(
            "select min(coalesce(entered_at, recorded_at)) from reported_stage where stage is not null{}",
            join("", (Sql(" and {}", condition) for condition in reached)),
        )

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The people with a reported stage: `contact_id, part, at, agrees`."""
        agrees = Sql("c.agrees")
        return CountedRows(
            rows=_compared(request, boundaries),
            aggregates=Aggregates(numerator=count_where(agrees)),
            is_converted=agrees,
            has_parts=True,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The people in agreement divided by all with a reported stage."""
        return share_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No stage was reported."""
        return "No source reports a stage of anybody at that time, so there is nothing to divide by."


def _compared(request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
    ends = part_ends(request, boundaries)
    # Materialized: with many ends the entries are searched for its people too.
    return Sql(
        "select r.* from (with reported as materialized ({})"
        " select r.contact_id, {}, coalesce(s.stage = r.stage, false) as agrees from reported r"
        " left join {}) r where {}",
        _reported(request, ends),
        part_and_instant(ends, Sql("r.place")),
        _highest_open(request, ends),
        counts(request, Sql("r.contact_id")),
    )


def _reported(request: ResolvedKpiRequest, ends: PartEnds) -> Sql:
    """The last reported stage of each person at each end: `contact_id, stage, place`.

    Of two reports at one instant the higher stage counts. A report without a date counts from when it was recorded.
    """
    person, joined = person_of(request.context, "r")
    stages, at = [stage.key for stage in request.context.accord.stages], Sql("coalesce(r.entered_at, r.recorded_at)")
    conditions = [*request.context.reach("reported_stage", "r"), *excluded_person(request, person)]
    reports = Sql(
        "select {} as contact_id, r.stage, r.id, {} as at, array_position({}::text[], r.stage) as rank"
        " from reported_stage r{} where r.stage is not null and {} < {}{}",
        person,
        at,
        stages,
        joined,
        at,
        ends[-1],
        join("", (Sql(" and {}", condition) for condition in conditions)),
    )
    followed = Sql(
        "select contact_id, stage, at, lead(at) over (partition by contact_id order by at, rank nulls first, id)"
        " as next_at from ({}) r",
        reports,
    )
    # A report holds until the next one, so it is the last one at the ends between the two.
    held = parts_between(ends, Sql("r.at"), Sql("coalesce(r.next_at, 'infinity')"))
    return Sql("select r.contact_id, r.stage, place from ({}) r cross join lateral {} place", followed, held)


def _highest_open(request: ResolvedKpiRequest, ends: PartEnds) -> Sql:
    """A source `s` to join to `r`: the highest stage of each person whose entry is open at each end.

    At one end it is looked up person by person, in the index. At many, one pass over the entries finds them all.
    """
    rank = request.rank("e")
    unranked = Sql("" if request.has_one_ladder else " nulls last")
    if len(ends) == 1:
        return Sql(
            "lateral (select e.stage from stage_entry e where e.evaluation_id = {} and e.contact_id = r.contact_id"
            " and e.entered_at < {} and (e.exited_at is null or e.exited_at >= {})"
            " order by {} desc{} limit 1) s on true",
            *(request.context.evaluation, ends[0], ends[0], rank, unranked),
        )
    held = parts_between(ends, Sql("e.entered_at"), Sql("coalesce(e.exited_at, 'infinity')"))
    return Sql(
        "(select distinct on (e.contact_id, place) e.contact_id, place, e.stage from stage_entry e"
        " cross join lateral {} place where e.evaluation_id = {}"
        " and e.contact_id in (select contact_id from reported) order by e.contact_id, place, {} desc{}) s"
        " on s.contact_id = r.contact_id and s.place = r.place",
        *(held, request.context.evaluation, rank, unranked),
    )

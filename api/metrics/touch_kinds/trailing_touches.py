"""How many touches people have had in the time before an instant."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.metrics.columns import Aggregates
from api.metrics.counted_rows import CountedRows
from api.metrics.figure_table import FigureCell
from api.metrics.kinds.contact_facts import counts, person_of
from api.metrics.kinds.kind import FigureValues, KpiKind, figure_values
from api.metrics.kinds.snapshot_instants import part_and_instant, part_ends, parts_between
from api.metrics.kinds.stage_entries import elapsed
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.touch_kinds.touched_people import OUTBOUND, first_outbound_touch
from api.sql import Sql, all_of


@dataclass(frozen=True, slots=True)
class TrailingTouches(KpiKind):
    """The number of outbound touches per touched person in the time before the end of the period.

    Shapes: one row per touched person and part (bucket or total).
    Source: the outbound touchpoints, without the exemptions of the contact policy.
    """

    within: timedelta
    reads = ("touchpoint", "contact")

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first outbound touch."""
        return first_outbound_touch(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The touched people: `contact_id, part, at, touches`."""
        touches = Sql("c.touches::double precision")
        return CountedRows(
            rows=_touched(request, self.within, boundaries),
            aggregates=Aggregates(mean=Sql("avg({})", touches), most=Sql("max(c.touches)")),
            value=Sql("c.touches"),
            spread=touches,
            has_parts=True,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The mean and the distribution."""
        value = cell.distribution.mean if cell.distribution else None
        return figure_values(cell, value, distribution=cell.distribution)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """Nobody was touched."""
        return "Nobody was touched in that time, so there is nothing to divide by."


def _touched(request: ResolvedKpiRequest, within: timedelta, boundaries: tuple[datetime, ...]) -> Sql:
    """One row per touched person and part; touches count from `within` before the part's end, that instant excluded."""
    ends, length = part_ends(request, boundaries), elapsed(within)
    # Aggregated before people are checked: the check then runs once per person and not once per touch.
    person, joined = person_of(request.context, "t")
    # The last instant at which a touch still counts.
    last = Sql("t.occurred_at + {} - interval '1 microsecond'", length)
    in_any = Sql("t.occurred_at > {}::timestamptz - {} and t.occurred_at < {}", ends[0], length, ends[-1])
    return Sql(
        "select p.contact_id, {}, p.touches from (select {} as contact_id, place, count(*) as touches"
        " from touchpoint t{} cross join lateral {} place where {} group by 1, 2) p where {}",
        part_and_instant(ends, Sql("p.place")),
        person,
        joined,
        parts_between(ends, Sql("t.occurred_at"), last),
        all_of([OUTBOUND, in_any, *request.context.reach("touchpoint", "t")]),
        counts(request, Sql("p.contact_id")),
    )

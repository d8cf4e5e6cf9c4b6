"""The share of the people touched by both teams whom both touched within a short time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.kinds.contact_facts import counts, in_parts
from api.metrics.kinds.stage_entries import elapsed
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.touch_kinds.touched_people import OUTBOUND, TouchedShare, period_by_as_of, touches_of
from api.sql import Sql


@dataclass(frozen=True, slots=True)
class CollisionShare(TouchedShare):
    """The share of the people whom both teams touched in the period that both touched within a time.

    Shapes: one row per person touched by both teams and part (bucket or total): a person counts once in each.
    Source: the outbound touchpoints with the kind of their team.
    """

    within: timedelta

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The people: `contact_id, part, at, collided`; `at` is when the second team first touched them in the part."""
        collided = Sql("c.collided")
        return CountedRows(
            rows=_touched_by_both(request, self.within, boundaries),
            aggregates=Aggregates(numerator=count_where(collided)),
            is_converted=collided,
            has_parts=True,
        )

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """Nobody was touched by both."""
        return "Nobody was touched by both teams in the period, so there is nothing to divide by."


def _touched_by_both(request: ResolvedKpiRequest, within: timedelta, boundaries: tuple[datetime, ...]) -> Sql:
    by_a_team = Sql("{} and t.team_kind in ('MARKETING', 'SALES')", OUTBOUND)
    touched = touches_of(request, by_a_team, period_by_as_of(request), Sql("t.team_kind"))
    # Of the touches between two of different teams, two neighbours are of different teams too, and no further apart.
    return Sql(
        "select p.* from (select t.contact_id, t.part, bool_or(t.collides) as collided,"
        " greatest(min(t.at) filter (where t.team_kind = 'SALES'), min(t.at) filter (where t.team_kind = 'MARKETING'))"
        " as at from (select contact_id, part, at, team_kind, coalesce(lag(team_kind) over way <> team_kind"
        " and at - lag(at) over way <= {}, false) as collides from ({}) t"
        " window way as (partition by contact_id, part order by at)) t group by t.contact_id, t.part"
        " having count(distinct t.team_kind) = 2) p where {}",
        elapsed(within),
        in_parts(touched, boundaries, Sql("r.at")),
        counts(request, Sql("p.contact_id")),
    )

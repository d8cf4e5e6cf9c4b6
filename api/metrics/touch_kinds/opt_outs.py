"""The share of touched people who opted out soon after a touch."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.kinds.contact_facts import belongs_to, counts, in_parts
from api.metrics.kinds.stage_entries import between, elapsed
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.touch_kinds.touched_people import (
    OUTBOUND,
    TouchedShare,
    period_by_as_of,
    touches_of,
)
from api.sql import Sql, all_of

_IS_OUT = "{0}.email_opt_out or {0}.do_not_call"


@dataclass(frozen=True, slots=True)
class OptOutShare(TouchedShare):
    """The share of the people touched in the period who opted out within a time after their last touch until then.

    Shapes: one row per touched person and part (bucket or total): a person counts once in each.
    Source: the outbound touchpoints; the history of the contacts. Without a history nothing says when a person opted
            out: such people are counted as assumed.
    """

    within: timedelta
    may_still = "were touched so recently that their opting out would still count"

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The touched people: `contact_id, part, at, opted_out, is_recent, is_unknown`; `at` is the first touch."""
        opted_out = Sql("c.opted_out")
        return CountedRows(
            rows=_touched(request, request.window or self.within, boundaries),
            aggregates=Aggregates(
                numerator=count_where(opted_out), waiting=count_where(Sql("c.is_recent and not c.opted_out"))
            ),
            is_converted=opted_out,
            is_assumed=Sql("c.is_unknown"),
            has_parts=True,
        )


def _touched(request: ResolvedKpiRequest, within: timedelta, boundaries: tuple[datetime, ...]) -> Sql:
    touched = touches_of(request, OUTBOUND, period_by_as_of(request))
    return Sql(
        "select p.*, o.contact_id is not null as opted_out, exists (select from contact_version a"
        f" where a.contact_id = p.contact_id and a.is_assumed and ({_IS_OUT.format('a')})) as is_unknown"
        " from (select t.contact_id, t.part, min(t.at) as at, max(t.at) + {} >= {} as is_recent"
        " from ({}) t group by t.contact_id, t.part) p"
        " left join (select distinct contact_id, part from ({}) r) o"
        " on o.contact_id = p.contact_id and o.part is not distinct from p.part where {}",
        elapsed(within),
        request.horizon,
        in_parts(touched, boundaries, Sql("r.at")),
        in_parts(_opt_outs(request, within), boundaries, Sql("r.touched_at")),
        counts(request, Sql("p.contact_id")),
    )


def _opt_outs(request: ResolvedKpiRequest, within: timedelta) -> Sql:
    """The times at which people opted out in time after a touch in the period: `contact_id, touched_at`.

    A person opts out with the version of the contact in which one of the two flags turns true. In the first version it
    is not known when that was.
    """
    is_own, merged = belongs_to(request.context, "t", "o")
    conditions = [is_own, OUTBOUND, Sql("t.occurred_at <= o.at"), *request.context.reach("touchpoint", "t")]
    in_time = [Sql("o.at <= l.touched_at + {}", elapsed(within)), Sql("o.at < {}", request.frame.until)]
    return Sql(
        "select o.contact_id, l.touched_at from (select contact_id, at from (select v.contact_id,"
        " coalesce(v.valid_from, v.recorded_at) as at, v.email_opt_out and not lag(v.email_opt_out) over way"
        " or v.do_not_call and not lag(v.do_not_call) over way as turns from contact_version v"
        " window way as (partition by v.contact_id order by coalesce(v.valid_from, v.recorded_at), v.id)) v"
        " where v.turns) o{} cross join lateral (select max(t.occurred_at) as touched_at from touchpoint t"
        " where {}) l where {}",
        merged,
        all_of(conditions),
        all_of([*in_time, *between(Sql("l.touched_at"), request.frame.interval)]),
    )

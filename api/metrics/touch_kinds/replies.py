"""The share of touched people who came to us after a touch."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.kinds.contact_facts import counts, in_parts
from api.metrics.kinds.stage_entries import elapsed
from api.metrics.periods.period_days import Interval
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.touch_kinds.touched_people import (
    INBOUND,
    OUTBOUND,
    TouchedShare,
    period_by_as_of,
    touches_of,
)
from api.sql import Sql


@dataclass(frozen=True, slots=True)
class ReplyShare(TouchedShare):
    """The share of the people touched in the period who came to us within a time after one of these touches.

    Shapes: one row per touched person and part (bucket or total): a person counts once in each.
    Source: the touchpoints. An inbound touch that a machine caused is no reply.
    """

    within: timedelta
    may_still = "were touched so recently that their reply would still count"

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The touched people: `contact_id, part, at, replied, may_reply`; `at` is the first touch in the part."""
        replied = Sql("c.replied")
        return CountedRows(
            rows=_touched(request, request.window or self.within, boundaries),
            aggregates=Aggregates(
                numerator=count_where(replied), waiting=count_where(Sql("c.may_reply and not c.replied"))
            ),
            is_converted=replied,
            has_parts=True,
        )


def _touched(request: ResolvedKpiRequest, within: timedelta, boundaries: tuple[datetime, ...]) -> Sql:
    length = elapsed(within)
    followed = Sql(
        "select r.contact_id, r.at, coalesce(r.next_reply <= r.at + {}, false) as replied,"
        " r.at + {} >= {} as may_reply from ({}) r where r.is_ours",
        length,
        length,
        request.horizon,
        _with_next_reply(request, within),
    )
    return Sql(
        "select p.* from (select t.contact_id, t.part, min(t.at) as at, bool_or(t.replied) as replied,"
        " bool_or(t.may_reply) as may_reply from ({}) t group by t.contact_id, t.part) p where {}",
        in_parts(followed, boundaries, Sql("r.at")),
        counts(request, Sql("p.contact_id")),
    )


def _with_next_reply(request: ResolvedKpiRequest, within: timedelta) -> Sql:
    """The touches in the period and the replies to them: `contact_id, at, is_ours, next_reply`.

    `next_reply` is the first reply after a touch of ours. From the last touch back, it is the least instant of a reply
    so far; at one instant ours come first, so that a reply at the same instant is none.
    """
    period, until = period_by_as_of(request), request.frame.until
    ours = touches_of(request, OUTBOUND, period, Sql("true as is_ours"))
    # Nothing that lies later can be a reply in time.
    end = until if period.end is None else min(period.end + within, until)
    by_hand = Sql("{} and not t.is_automated", INBOUND)
    theirs = touches_of(request, by_hand, Interval(period.start, end), Sql("false"))
    return Sql(
        "select contact_id, at, is_ours, min(at) filter (where not is_ours)"
        " over (partition by contact_id order by at desc, is_ours desc) as next_reply"
        " from ({} union all {}) t",
        ours,
        theirs,
    )

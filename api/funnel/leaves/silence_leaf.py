"""The silence leaf: no touchpoint for a certain time."""

from datetime import timedelta

from api.funnel.leaves.stage_leaf import elapsed
from api.funnel.leaves.touch_leaf import matching_touches
from api.funnel.lifetimes import VisibleFacts
from api.sql import Sql
from schema.clauses.rules import TouchFilter


def silence_intervals(length: timedelta, facts: VisibleFacts) -> Sql:
    """Select an interval for each touch, and for the beginning of the lifetime: `[at + length, next touch)`.

    Silence at t is no touch in `(t - length, t]`: a touch breaks it at its own instant. It counts from the beginning of
    the lifetime, so that touches before that one count as if they had happened then. An interval that would begin at
    the next touch or later is empty.
    """
    # `ends_at` is the next touch, whose instant is fresh. An empty interval begins there, so that nothing else is.
    return Sql(
        """select contact_id, null::int as segment_no, least(quiet_at, next_at) as starts_at, next_at as until,
  quiet_at < next_at as holds, next_at as ends_at
from (
  select contact_id, at + {} as quiet_at,
    coalesce(lead(at) over (partition by contact_id order by at), 'infinity') as next_at
  from (
    select contact_id, starts_at as at from funnel_lifetime
    union all
    select l.contact_id, greatest(t.at, l.starts_at)
    from funnel_lifetime l join ({}) t on t.contact_id = l.contact_id
  ) m
) s""",
        elapsed(length),
        matching_touches([TouchFilter()], facts),
    )

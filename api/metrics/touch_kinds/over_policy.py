"""The share of touched people who were touched more than the accord's contact policy allows.

The policy's time rolls. A person is over the policy at an instant if more touches than it allows lie in
`(instant - within, instant]`. That begins with a touch whose n-th predecessor lies within, and ends when that
predecessor leaves the time. So `lag(n)` finds it in one pass over a person's touches, in the order of their index. A
window frame over a range of time is slower: it is used only if the number of touches is selected (contact pressure).
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from api.errors import AccordError, ErrorCode
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.kinds.contact_facts import counts
from api.metrics.kinds.stage_entries import between, elapsed
from api.metrics.periods.period_days import Interval
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.touch_kinds.touched_people import INBOUND, OUTBOUND, TouchedShare, touches_of
from api.sql import Sql, all_of, join
from schema.accord import Accord
from schema.clauses.contact_policy import ContactPolicy


@dataclass(frozen=True, slots=True)
class OverPolicyShare(TouchedShare):
    """The share of the people touched in the period who were over the contact policy at any instant of it.

    Shapes: one row per touched person and part (bucket or total): a person counts once in each.
    Errors: BAD_INPUT if the accord has no contact policy.
    Source: the outbound touchpoints; the accord's contact policy.
    """

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The touched people: `contact_id, part, at, is_over`."""
        is_over = Sql("c.is_over")
        return CountedRows(
            rows=_touched(request, boundaries),
            aggregates=Aggregates(numerator=count_where(is_over)),
            is_converted=is_over,
            has_parts=True,
        )

    def contact_pressure(self, request: ResolvedKpiRequest) -> CountedRows:
        """The same people with the most touches that they had at once while over the policy."""
        return replace(self.counted(request), rows=_touched(request, (), has_pressure=True))


def _policy(accord: Accord) -> ContactPolicy:
    if accord.contact_policy is None:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"The accord '{accord.title}' has no contact policy, so nobody can be over it.",
            "Agree on one: a section [contact_policy] with at_most and within, as in schema/accords/standard.toml.",
        )
    return accord.contact_policy


def _touched(request: ResolvedKpiRequest, boundaries: tuple[datetime, ...], *, has_pressure: bool = False) -> Sql:
    """One row per person touched in a part: `contact_id, part, at, is_over`; `at` is the first touch in it.

    With `has_pressure`, which allows no boundaries, also `touches, first_touch_at, last_touch_at`.
    """
    policy, interval = _policy(request.context.accord), request.frame.interval
    within = all_of(between(Sql("at"), interval) or [Sql("true")])
    was_over = _is_over_after(interval.start) if interval.start else Sql("bool_or(over_until is not null)")
    parts = [
        Sql(
            "select contact_id, null::int as part, min(at) as at, {} as is_over from touch where {}"
            " group by contact_id",
            was_over,
            within,
        )
    ]
    if boundaries:
        # A person counts in every bucket in which they were touched, so buckets have rows of their own.
        edges = Sql("{}::timestamptz[]", list(boundaries))
        parts.append(
            Sql(
                "select contact_id, part, min(at), {} from (select *, width_bucket(at, {}) as part from touch"
                " where {}) touch group by contact_id, part",
                _is_over_after(Sql("({})[part]", edges)),
                edges,
                within,
            )
        )
    found = join(" union all ", parts)
    if has_pressure:
        found = Sql(
            "select o.*, m.touches, m.first_touch_at, m.last_touch_at from ({}) o left join ({}) m using (contact_id)",
            found,
            _most_touches(policy, interval, within),
        )
    # Read by both parts of a series, or for the pressure too; read by one alone, it is better planned as a subquery.
    return Sql(
        "select p.* from (with touch as {} ({}) {}) p where {}",
        Sql("materialized" if boundaries or has_pressure else "not materialized"),
        _over_until(request, policy, has_pressure=has_pressure),
        found,
        counts(request, Sql("p.contact_id")),
    )


def _most_touches(policy: ContactPolicy, interval: Interval, within: Sql) -> Sql:
    """One row per person over the policy in the period: `contact_id, touches, first_touch_at, last_touch_at`.

    The number of touches in the rolling time rises only with a touch. So the greatest number of the period is that at
    one of its touches, or at its start, where touches from before it are still counted.
    """
    moments = [Sql("select contact_id, at as moment, touches, first_at, at as last_at from touch where {}", within)]
    if interval.start is not None:
        moments.append(
            Sql(
                "select contact_id, {}::timestamptz, count(*), min(at), max(at) from touch where at > {} and at <= {}"
                " group by contact_id",
                interval.start,
                interval.start - policy.within,
                interval.start,
            )
        )
    return Sql(
        "select distinct on (contact_id) contact_id, touches, first_at as first_touch_at, last_at as last_touch_at"
        " from ({}) m where touches > {} order by contact_id, touches desc, moment",
        join(" union all ", moments),
        policy.at_most,
    )


def _is_over_after(start: Sql | datetime) -> Sql:
    """Whether a person touched in a part was over the policy in it: from before its start, or by a touch in it."""
    return Sql("coalesce(bool_or(over_until > {}), false)", start)


def _over_until(request: ResolvedKpiRequest, policy: ContactPolicy, *, has_pressure: bool = False) -> Sql:
    """The counted touches: `contact_id, at, over_until`, until when the touches so far are more than allowed.

    With `has_pressure` also `touches`, how many are in the rolling time at that instant, and `first_at` of these.
    """
    # `prior` is the touch `at_most` places before: with it and all between, the touch is one more than allowed.
    # The running maximum keeps an earlier excess that ends later.
    until = Sql("prior + {}", elapsed(policy.within))
    prior = Sql(
        "select contact_id, at, lag(at, {}::int) over (partition by contact_id order by at) as prior from ({}) t",
        policy.at_most,
        _counted_touches(request, policy),
    )
    # A touch exactly as old as the rolling time does not count, but a frame includes both of its ends.
    rolling = Sql(
        " window rolling as (partition by contact_id order by at range between {} preceding and current row)",
        elapsed(policy.within - timedelta(microseconds=1)),
    )
    return Sql(
        "select contact_id, at, max(case when {} > at then {} end) over (partition by contact_id order by at)"
        " as over_until{} from ({}) t{}",
        until,
        until,
        Sql(", count(*) over rolling as touches, first_value(at) over rolling as first_at" if has_pressure else ""),
        prior,
        rolling if has_pressure else Sql(""),
    )


def _counted_touches(request: ResolvedKpiRequest, policy: ContactPolicy) -> Sql:
    """The outbound touches that the policy counts, `contact_id, at`, from before the period as far as they matter."""
    reply = policy.exempt.reply_within
    interval, until = request.frame.interval, request.frame.until
    # Touches before the period matter if they are within the policy's time of its start, and inbound ones if they are
    # within the reply time of these.
    since, end = interval.start, min(interval.end or until, until)
    outbound = touches_of(
        request,
        OUTBOUND if not policy.exempt.automated else Sql("{} and not t.is_automated", OUTBOUND),
        Interval(since - policy.within if since else None, end),
    )
    if reply is None:
        return outbound
    inbound = touches_of(request, INBOUND, Interval(since - policy.within - reply if since else None, end))
    # A reply to an inbound touch within that time is exempt.
    return Sql(
        "select o.contact_id, o.at from ({}) o where not exists (select from ({}) i"
        " where i.contact_id = o.contact_id and i.at <= o.at and i.at > o.at - {})",
        outbound,
        inbound,
        elapsed(reply),
    )

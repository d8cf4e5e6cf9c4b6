"""How much people are touched: by both teams together, over all channels, in a stretch of time that rolls.

A person is over the policy at a moment when more touches than it allows lie in `(moment - within, moment]`: from a
touch on whose n-th predecessor lies within, until that predecessor has gone out. So the n-th touch before each (`lag`)
tells it in one pass over a person's touches, in the order of their index; a range frame would count them all anew.
"""

from datetime import datetime, timedelta

from api.metrics.entries import between, interval
from api.metrics.facts import person_of, who_count
from api.metrics.moments import moments, part_and_moment, parts_between
from api.metrics.periods import Stretch
from api.metrics.question import Question, policy_of
from api.sql import Sql, all_of, join
from schema.accord import ContactPolicy

_OURS = Sql("t.direction = 'OUTBOUND'")
_THEIRS = Sql("t.direction = 'INBOUND'")


def trailing_rows(question: Question, within: timedelta, boundaries: tuple[datetime, ...]) -> Sql:
    """One row a touched person and part, `contact_id, part, at, touches`: in the stretch that ends where the part ends.

    What is as old as the stretch is long has gone out of it.
    """
    ends, length = moments(question, boundaries), interval(within)
    person, joined = person_of(question, "t")
    last = Sql("t.occurred_at + {} - interval '1 microsecond'", length)
    in_any = Sql("t.occurred_at > {}::timestamptz - {} and t.occurred_at < {}", ends[0], length, ends[-1])
    return Sql(
        "select p.contact_id, {}, p.touches from (select {} as contact_id, place, count(*) as touches"
        " from touchpoint t{} cross join lateral {} place where {} group by 1, 2) p where {}",
        part_and_moment(ends, Sql("p.place")),
        person,
        joined,
        parts_between(ends, Sql("t.occurred_at"), last),
        all_of([_OURS, in_any]),
        who_count(question, Sql("p.contact_id")),
    )


def pressed_rows(question: Question, boundaries: tuple[datetime, ...]) -> Sql:
    """One row a person touched in a part, `contact_id, part, at, is_over`; `at` is the first touch in it."""
    policy, stretch = policy_of(question.ground.accord), question.frame.stretch
    within = all_of(between(Sql("at"), stretch) or [Sql("true")])
    was_over = _reaches(stretch.start) if stretch.start else Sql("bool_or(over_until is not null)")
    parts = [
        Sql(
            "select contact_id, null::int as part, min(at) as at, {} as is_over from touch where {}"
            " group by contact_id",
            was_over,
            within,
        )
    ]
    if boundaries:
        edges = Sql("{}::timestamptz[]", list(boundaries))
        parts.append(
            Sql(
                "select contact_id, part, min(at), {} from (select *, width_bucket(at, {}) as part from touch"
                " where {}) touch group by contact_id, part",
                _reaches(Sql("({})[part]", edges)),
                edges,
                within,
            )
        )
    return Sql(
        "select p.* from (with touch as {} ({}) {}) p where {}",
        Sql("materialized" if boundaries else "not materialized"),
        _over_until(question, policy),
        join(" union all ", parts),
        who_count(question, Sql("p.contact_id")),
    )


def _reaches(start: Sql | datetime) -> Sql:
    """Whether a person touched in a part was over at a moment of it: since before, or since a touch in it."""
    return Sql("coalesce(bool_or(over_until > {}), false)", start)


def _over_until(question: Question, policy: ContactPolicy) -> Sql:
    """Each touch that counts, with the instant until which the person has been over by the touches so far."""
    until = Sql("prior + {}", interval(policy.within))
    prior = Sql(
        "select contact_id, at, lag(at, {}::int) over (partition by contact_id order by at) as prior from ({}) t",
        policy.at_most,
        _counting_touches(question, policy),
    )
    return Sql(
        "select contact_id, at, max(case when {} > at then {} end) over (partition by contact_id order by at)"
        " as over_until from ({}) t",
        until,
        until,
        prior,
    )


def _counting_touches(question: Question, policy: ContactPolicy) -> Sql:
    """Our touches that the policy counts, `contact_id, at`, as far back as one can weigh on the period."""
    reply = policy.exempt.reply_within
    stretch, as_of = question.frame.stretch, question.frame.as_of
    since, end = stretch.start, min(stretch.end or as_of, as_of)
    ours = _touches(
        question,
        _OURS if not policy.exempt.automated else Sql("{} and not t.is_automated", _OURS),
        Stretch(since - policy.within if since else None, end),
    )
    if reply is None:
        return ours
    theirs = _touches(question, _THEIRS, Stretch(since - policy.within - reply if since else None, end))
    # What answers them within that time is no pressure.
    return Sql(
        "select o.contact_id, o.at from ({}) o where not exists (select from ({}) i"
        " where i.contact_id = o.contact_id and i.at <= o.at and i.at > o.at - {})",
        ours,
        theirs,
        interval(reply),
    )


def _touches(question: Question, which: Sql, within: Stretch) -> Sql:
    person, joined = person_of(question, "t")
    conditions = [which, *between(Sql("t.occurred_at"), within)]
    return Sql(
        "select {} as contact_id, t.occurred_at as at from touchpoint t{} where {}", person, joined, all_of(conditions)
    )

"""The touches leaf: enough matching touchpoints within a window. Also which touchpoints match a filter."""

from collections.abc import Sequence

from api.funnel.ladder import Ladder, RankedStage
from api.funnel.leaves.stage_leaf import elapsed, later_than_entry
from api.funnel.lifetimes import VisibleFacts
from api.sql import Sql, all_of, join
from schema.clauses.rules import TouchCount, TouchFilter
from schema.vocab import Vocabulary

NO_COLUMNS = Sql("")


def touch_intervals(
    wanted: TouchCount,
    exit_group: int | None,
    ladder: Ladder,
    ranked: RankedStage,
    facts: VisibleFacts,
    *,
    only_holding: bool,
) -> Sql:
    """Select an interval for each touch: until the earliest of the last `at_least` touches leaves the window.

    `nth` is the touch `at_least` - 1 before this one. It is looked up over all of time, in the order of an index, and
    must lie in the same segment for the interval to hold. Looking it up inside the segment would need the join with
    the segments first, and then a sort. With `after` it must also be later than the entry of the lower stage.
    """
    after = later_than_entry(wanted.after, exit_group, "t.contact_id", "t.at", ladder, ranked)
    segment = after.segment
    # Windows are `(t - within, t]`, so a touch counts until just before `nth + within`.
    too_old = Sql("t.nth + {}", elapsed(wanted.within)) if wanted.within else Sql("'infinity'::timestamptz")
    if wanted.at_least == 1:
        nth, may_hold, holds = Sql("at"), Sql("true"), Sql("true")
    else:
        nth = Sql("lag(at, {}::int) over (partition by contact_id order by at)", wanted.at_least - 1)
        may_hold = Sql("t.nth is not null and {} > t.at", too_old)
        counts = "t.nth > e.at" if wanted.after else f"t.nth >= {segment.starts_at}"
        holds = Sql(f"({{}} and {counts})", may_hold)
    return Sql(
        f"""select t.contact_id, {segment.number} as segment_no, t.at as starts_at,
  least({{}}, {segment.ends_at}) as until, {{}} as holds, {{}} < {segment.ends_at} as ran_out
from (select contact_id, at, {{}} as nth from ({{}}) p) t {{}}
where {{}}""",
        too_old,
        holds,
        too_old,
        nth,
        matching_touches([wanted], facts),
        after.join,
        may_hold if only_holding else Sql("true"),
    )


def matching_touches(filters: Sequence[TouchFilter], facts: VisibleFacts, columns: Sql = NO_COLUMNS) -> Sql:
    """Select `contact_id` and `at` of the touchpoints that match a filter, under the surviving contact.

    `columns` are more of them, after a comma, of the touchpoint `p`.
    """
    return Sql(
        f"select {facts.contact('p')} as contact_id, p.occurred_at as at{{}}"
        f" from touchpoint p {facts.merged_join('p')}"
        " where p.voided_at is null and p.occurred_at <= {} and {} and ({})",
        columns,
        facts.as_of,
        facts.among("p.contact_id"),
        join(" or ", map(touch_condition, filters)),
    )


def touch_condition(wanted: TouchFilter) -> Sql:
    """Return the condition that the touchpoint `p` matches a filter."""
    conditions = [
        Sql(f"p.{column} = any({{}}::text[])", _values(words))
        for column, words in (("channel", wanted.channel), ("kind", wanted.kind), ("outcome", wanted.outcome))
        if words
    ]
    conditions += [
        Sql(f"p.{column} = {{}}::text", word.value)
        for column, word in (("direction", wanted.direction), ("team_kind", wanted.team))
        if word is not None
    ]
    if wanted.campaign:
        # There are few campaigns; the subquery runs once, and the touches are not joined.
        conditions.append(
            Sql("p.campaign_id in (select id from campaign where name = any({}::text[]))", list(wanted.campaign))
        )
    return all_of(conditions) if conditions else Sql("true")


def _values(words: tuple[Vocabulary, ...]) -> list[str]:
    return [word.value for word in words]

"""The leaves that read facts: touches, handoff, deal, stage. Each compiles to the intervals in which it may hold.

An interval `(contact_id, segment_no, starts_at, until, holds)` begins with a fact. A leaf that does not stand under
`not` counts facts from inside the segment only, so its intervals end with the segment they began in. A leaf under `not`
counts facts of all time, and `segment_no` is null. The intervals of handoffs and deals have one more column, `ends_at`:
when the fact itself ends, wherever the segment does. That instant is fresh too.
"""

from datetime import timedelta

from api.funnel.exits import segment_of
from api.funnel.ladder import Ladder, RankedStage
from api.funnel.lifetimes import VisibleFacts
from api.funnel.own_moments import entering
from api.sql import Sql, all_of
from schema.clauses.rules import DealFilter, DealIs, FactLeaf, HandoffIs, StageReached, Touches, TouchFilter
from schema.vocab import HandoffStatus, Vocabulary


def fact_intervals(
    leaf: FactLeaf, ladder: Ladder, ranked: RankedStage, facts: VisibleFacts, *, is_negated: bool, only_holding: bool
) -> Sql:
    """Select the intervals of a leaf in the rule of a stage.

    With `only_holding` the caller uses only intervals with `holds`; a leaf may then leave out the others.
    """
    exit_group = None if is_negated else ranked.exit_group
    match leaf:
        case Touches(touches=wanted):
            return _touch_intervals(wanted, exit_group, facts, only_holding=only_holding)
        case HandoffIs(handoff=status):
            return _handoff_intervals(status, exit_group, facts)
        case DealIs(deal=wanted):
            return _deal_intervals(wanted, exit_group, facts)
        case StageReached():
            return _stage_intervals(leaf, exit_group, ladder, ranked)


def _touch_intervals(wanted: TouchFilter, exit_group: int | None, facts: VisibleFacts, *, only_holding: bool) -> Sql:
    """Select an interval for each touch: until the earliest of the last `at_least` touches leaves the window.

    `nth` is the touch `at_least` - 1 before this one. It is looked up over all of time, in the order of an index, and
    must lie in the same segment for the interval to hold. Looking it up inside the segment would need the join with
    the segments first, and then a sort.
    """
    segment = segment_of(exit_group, "t.contact_id", "t.at")
    # Windows are `(t - within, t]`, so a touch counts until just before `nth + within`.
    too_old = Sql("t.nth + {}", _interval(wanted.within)) if wanted.within else Sql("'infinity'::timestamptz")
    if wanted.at_least == 1:
        nth, may_hold, holds = Sql("at"), Sql("true"), Sql("true")
    else:
        nth = Sql("lag(at, {}::int) over (partition by contact_id order by at)", wanted.at_least - 1)
        may_hold = Sql("t.nth is not null and {} > t.at", too_old)
        holds = Sql(f"({{}} and t.nth >= {segment.starts_at})", may_hold)
    return Sql(
        f"""select t.contact_id, {segment.number} as segment_no, t.at as starts_at,
  least({{}}, {segment.ends_at}) as until, {{}} as holds
from (select contact_id, at, {{}} as nth from ({{}}) p) t {{}}
where {{}}""",
        too_old,
        holds,
        nth,
        _touches(wanted, facts),
        segment.join,
        may_hold if only_holding else Sql("true"),
    )


def _touches(wanted: TouchFilter, facts: VisibleFacts) -> Sql:
    """Select the matching touchpoints, under the surviving contact."""
    conditions = [Sql("p.voided_at is null"), Sql("p.occurred_at <= {}", facts.as_of), facts.among("p.contact_id")]
    conditions += [
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
    return Sql(
        f"select {facts.contact('p')} as contact_id, p.occurred_at as at"
        f" from touchpoint p {facts.merged_join('p')} where {{}}",
        all_of(conditions),
    )


def _handoff_intervals(status: HandoffStatus, exit_group: int | None, facts: VisibleFacts) -> Sql:
    """Select intervals of handoffs: PROPOSED from the handover to the decision, the others from the decision on."""
    if status is HandoffStatus.PROPOSED:
        at, ends_at, has_status = "h.handed_at", "coalesce(h.decided_at, 'infinity')", Sql("true")
    else:
        at, ends_at, has_status = "h.decided_at", "'infinity'::timestamptz", Sql("h.status = {}::text", status.value)
    segment = segment_of(exit_group, "h.contact_id", "h.starts_at")
    until = f"least(h.ends_at, {segment.ends_at})"
    # A handoff that was decided at the instant of its handover was never open: its interval is empty and does not hold.
    return Sql(
        f"""select h.contact_id, {segment.number} as segment_no, h.starts_at, {until} as until,
  {until} > h.starts_at as holds, h.ends_at
from (
  select {facts.contact("h")} as contact_id, {at} as starts_at, {ends_at} as ends_at
  from handoff h {facts.merged_join("h")}
  where {at} <= {{}} and {{}} and {{}}
) h {{}}""",
        facts.as_of,
        facts.among("h.contact_id"),
        has_status,
        segment.join,
    )


def _deal_intervals(wanted: DealFilter, exit_group: int | None, facts: VisibleFacts) -> Sql:
    """Select an interval for each span of a deal role in which the values that the rule reads do not change.

    A deal does not count while its amount is negative. An unknown amount is not negative.
    Consecutive version rows with equal values are one interval, because a change of another column is no fresh fact.
    `interval_no` numbers them: it counts the rows that differ from the row before, or do not follow on it.
    """
    compared = [
        "outcome",
        "is_negative",
        *(["pipeline"] if wanted.pipeline else []),
        *(["amount"] if wanted.amount_at_least is not None else []),
    ]
    changed = " or ".join(f"lag({column}) over w is distinct from {column}" for column in compared)
    conditions = [Sql("outcome = {}::text", wanted.state.value), Sql("not is_negative")]
    if wanted.pipeline:
        conditions.append(Sql("pipeline = {}::text", wanted.pipeline))
    if wanted.amount_at_least is not None:
        conditions.append(Sql("amount >= {}::numeric", wanted.amount_at_least))
    segment = segment_of(exit_group, "t.contact_id", "t.starts_at")
    # `lag(ends_at) … starts_at`: a gap between two version rows also begins a new interval. `is true`: an unknown
    # amount or pipeline fulfils nothing. The segment is that of the start: a deal that was open before an exit does not
    # count after it, until one of the compared values changes.
    return Sql(
        f"""select t.contact_id, {segment.number} as segment_no, t.starts_at,
  least(t.ends_at, {segment.ends_at}) as until, t.holds, t.ends_at
from (
  select contact_id, min(starts_at) as starts_at, max(ends_at) as ends_at, bool_and(holds) as holds
  from (
    select contact_id, role_id, deal_id, starts_at, ends_at, holds,
      count(*) filter (where is_new) over (partition by role_id, deal_id order by starts_at) as interval_no
    from (
      select contact_id, role_id, deal_id, starts_at, ends_at, ({{}}) is true as holds,
        lag(ends_at) over w is distinct from starts_at or {changed} as is_new
      from ({{}}) p
      window w as (partition by role_id, deal_id order by starts_at)
    ) marked
  ) counted
  group by contact_id, role_id, deal_id, interval_no
) t {{}}""",
        all_of(conditions),
        _deal_versions(facts, reads_pipeline=bool(wanted.pipeline)),
        segment.join,
    )


def _deal_versions(facts: VisibleFacts, *, reads_pipeline: bool) -> Sql:
    """Select the version rows of deals for each contact with a role in them, from the beginning of the role on."""
    pipeline, joined = "", ""
    if reads_pipeline:
        pipeline = ", pipeline.name as pipeline"
        joined = """
  left join pipeline_stage on pipeline_stage.id = v.pipeline_stage_id
  left join pipeline on pipeline.id = pipeline_stage.pipeline_id"""
    # `role_id` keeps the roles of two merged contacts in one deal apart: they may begin at different times.
    return Sql(
        f"""select * from (
  select {facts.contact("r")} as contact_id, r.contact_id as role_id, r.deal_id,
    greatest(coalesce(v.valid_from, v.recorded_at), r.since) as starts_at, coalesce(v.valid_to, 'infinity') as ends_at,
    v.outcome, v.amount, coalesce(v.amount < 0, false) as is_negative{pipeline}
  from deal_contact r
  join deal d on d.id = r.deal_id and d.deleted_at is null
  join deal_version v on v.deal_id = r.deal_id {facts.merged_join("r")}{joined}
  where r.voided_at is null and {{}} and {{}} and {{}}
) v where starts_at < ends_at and starts_at <= {{}}""",
        facts.among("r.contact_id"),
        facts.among_deals("d.id"),
        facts.among_deals("v.deal_id"),
        facts.as_of,
    )


def _stage_intervals(leaf: StageReached, exit_group: int | None, ladder: Ladder, ranked: RankedStage) -> Sql:
    """Select intervals that begin with each entry of a lower stage, own or implied."""
    segment = segment_of(exit_group, "t.contact_id", "t.at")
    too_old = Sql("t.at + {}", _interval(leaf.within)) if leaf.within else Sql("'infinity'::timestamptz")
    return Sql(
        f"""select t.contact_id, {segment.number} as segment_no, t.at as starts_at,
  least({{}}, {segment.ends_at}) as until, true as holds
from ({{}}) t {{}}""",
        too_old,
        _lower_entries(leaf.stage, ladder, ranked),
        segment.join,
    )


def _lower_entries(key: str, ladder: Ladder, ranked: RankedStage) -> Sql:
    """Select `contact_id` and `at` of the entries of a lower stage, own or implied."""
    reached = segment_of(ladder.stage(key).exit_group, "o.contact_id", "o.moment")
    # The lower stage may belong to another exit group, so its entries are found in its own segments (`reached`). The
    # caller places them in the segments of the compiled stage.
    return Sql(
        f"""select contact_id, min(moment) as at
from (
  select o.contact_id, o.moment, {reached.number} as lower_segment_no from funnel_own_entry o {{}}
  where {{}}
) o
group by contact_id, lower_segment_no""",
        reached.join,
        entering("o", (ranked.lower or {})[key]),
    )


def _interval(length: timedelta) -> Sql:
    """Return elapsed time in seconds: an interval of days would depend on the session's time zone."""
    return Sql("make_interval(secs => {}::double precision)", length.total_seconds())


def _values(words: tuple[Vocabulary, ...]) -> list[str]:
    return [word.value for word in words]

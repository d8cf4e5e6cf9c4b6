"""The leaves over facts: touches, handoff, deal, stage. Each is known by the stretches of time in which it may hold.

A stretch `(contact_id, no, starts_at, until, holds)` begins with a fact. A leaf that did not stand under `not` counts
facts from inside the segment only: its stretches end with the segment `no` that they began in. Those of handoffs and
deals also say when the fact itself ends (`ends_at`), wherever the segment does.
"""

from datetime import timedelta

from api.funnel.exits import segment_of
from api.funnel.ladder import Ladder, RankedStage
from api.funnel.lifetimes import VisibleFacts
from api.funnel.normal_form import FactLeaf
from api.sql import Sql, all_of
from schema.accord import DealFilter, DealIs, HandoffIs, StageReached, Touches, TouchFilter
from schema.vocab import HandoffStatus, Vocabulary


def fact_intervals(
    fact: FactLeaf, ladder: Ladder, rung: RankedStage, seen: VisibleFacts, *, is_negated: bool, only_holding: bool
) -> Sql:
    """Return the stretches of a leaf; where only those that hold are of use, others may be missing."""
    cut = None if is_negated else rung.cut
    match fact:
        case Touches(touches=what):
            return _touch_intervals(what, cut, seen, only_holding=only_holding)
        case HandoffIs(handoff=status):
            return _handoff_intervals(status, cut, seen)
        case DealIs(deal=deal):
            return _deal_intervals(deal, cut, seen)
        case StageReached() as stage:
            return _stage_intervals(stage, cut, ladder, rung)


def _touch_intervals(what: TouchFilter, cut: int | None, seen: VisibleFacts, *, only_holding: bool) -> Sql:
    """Return stretches of `touches`: from the n-th touch on, until the first of these n is too old.

    The touch n - 1 before this one is looked up over all of time, in the order of an index, and counts if it is from
    the same segment.
    """
    segment = segment_of(cut, "t.contact_id", "t.at")
    too_old = Sql("t.nth + {}", _interval(what.within)) if what.within else Sql("'infinity'::timestamptz")
    if what.at_least == 1:
        nth, may_hold, holds = Sql("at"), Sql("true"), Sql("true")
    else:
        nth = Sql("lag(at, {}::int) over (partition by contact_id order by at)", what.at_least - 1)
        may_hold = Sql("t.nth is not null and {} > t.at", too_old)
        holds = Sql(f"({{}} and t.nth >= {segment.starts_at})", may_hold)
    return Sql(
        f"""select t.contact_id, {segment.number} as no, t.at as starts_at, least({{}}, {segment.ends_at}) as until,
  {{}} as holds
from (select contact_id, at, {{}} as nth from ({{}}) p) t {{}}
where {{}}""",
        too_old,
        holds,
        nth,
        _touches(what, seen),
        segment.join,
        may_hold if only_holding else Sql("true"),
    )


def _touches(what: TouchFilter, seen: VisibleFacts) -> Sql:
    """Return the matching touchpoints, under the surviving contact."""
    tests = [Sql("p.occurred_at <= {}", seen.as_of)]
    tests += [
        Sql(f"p.{column} = any({{}}::text[])", _words(words))
        for column, words in (("channel", what.channel), ("kind", what.kind), ("outcome", what.outcome))
        if words
    ]
    tests += [
        Sql(f"p.{column} = {{}}::text", word.value)
        for column, word in (("direction", what.direction), ("team_kind", what.team))
        if word is not None
    ]
    if what.campaign:
        tests.append(
            Sql("p.campaign_id in (select id from campaign where name = any({}::text[]))", list(what.campaign))
        )
    return Sql(
        f"select {seen.person('p')} as contact_id, p.occurred_at as at"
        f" from touchpoint p {seen.merging('p')} where {{}}",
        all_of(tests),
    )


def _handoff_intervals(status: HandoffStatus, cut: int | None, seen: VisibleFacts) -> Sql:
    """Return stretches of `handoff`: PROPOSED from handing over until the decision, the others from the decision on."""
    if status is HandoffStatus.PROPOSED:
        at, ends_at, wanted = "h.handed_at", "coalesce(h.decided_at, 'infinity')", Sql("true")
    else:
        at, ends_at, wanted = "h.decided_at", "'infinity'::timestamptz", Sql("h.status = {}::text", status.value)
    segment = segment_of(cut, "h.contact_id", "h.starts_at")
    until = f"least(h.ends_at, {segment.ends_at})"
    return Sql(
        f"""select h.contact_id, {segment.number} as no, h.starts_at, {until} as until,
  {until} > h.starts_at as holds, h.ends_at
from (
  select {seen.person("h")} as contact_id, {at} as starts_at, {ends_at} as ends_at
  from handoff h {seen.merging("h")}
  where {at} <= {{}} and {{}}
) h {{}}""",
        seen.as_of,
        wanted,
        segment.join,
    )


def _deal_intervals(what: DealFilter, cut: int | None, seen: VisibleFacts) -> Sql:
    """Return stretches of `deal`: of a role, while what the rule reads of the deal stands still."""
    read = [
        "outcome",
        *(["pipeline"] if what.pipeline else []),
        *(["amount"] if what.amount_at_least is not None else []),
    ]
    changed = " or ".join(f"lag({each}) over w is distinct from {each}" for each in read)
    tests = [Sql("outcome = {}::text", what.state.value)]
    if what.pipeline:
        tests.append(Sql("pipeline = {}::text", what.pipeline))
    if what.amount_at_least is not None:
        tests.append(Sql("amount >= {}::numeric", what.amount_at_least))
    segment = segment_of(cut, "t.contact_id", "t.starts_at")
    return Sql(
        f"""select t.contact_id, {segment.number} as no, t.starts_at, least(t.ends_at, {segment.ends_at}) as until,
  t.holds, t.ends_at
from (
  select contact_id, min(starts_at) as starts_at, max(ends_at) as ends_at, bool_and(holds) as holds
  from (
    select contact_id, role_id, deal_id, starts_at, ends_at, holds,
      count(*) filter (where is_new) over (partition by role_id, deal_id order by starts_at) as stretch
    from (
      select contact_id, role_id, deal_id, starts_at, ends_at, ({{}}) is true as holds,
        lag(ends_at) over w is distinct from starts_at or {changed} as is_new
      from ({{}}) p
      window w as (partition by role_id, deal_id order by starts_at)
    ) marked
  ) counted
  group by contact_id, role_id, deal_id, stretch
) t {{}}""",
        all_of(tests),
        _deal_pieces(seen, reads_pipeline=bool(what.pipeline)),
        segment.join,
    )


def _deal_pieces(seen: VisibleFacts, *, reads_pipeline: bool) -> Sql:
    """Return the version rows of deals as the contacts with a role in them live them."""
    pipeline, joined = "", ""
    if reads_pipeline:
        pipeline = ", pipeline.name as pipeline"
        joined = """
  left join pipeline_stage on pipeline_stage.id = v.pipeline_stage_id
  left join pipeline on pipeline.id = pipeline_stage.pipeline_id"""
    return Sql(
        f"""select * from (
  select {seen.person("r")} as contact_id, r.contact_id as role_id, r.deal_id,
    greatest(coalesce(v.valid_from, v.recorded_at), r.since) as starts_at, coalesce(v.valid_to, 'infinity') as ends_at,
    v.outcome, v.amount{pipeline}
  from deal_contact r
  join deal d on d.id = r.deal_id and d.deleted_at is null
  join deal_version v on v.deal_id = r.deal_id {seen.merging("r")}{joined}
) v where starts_at < ends_at and starts_at <= {{}}""",
        seen.as_of,
    )


def _stage_intervals(what: StageReached, cut: int | None, ladder: Ladder, rung: RankedStage) -> Sql:
    """Return stretches of `stage`: from each entry of a lower stage on, own or implied by one below this one."""
    lower = ladder.rung(what.stage)
    reached = segment_of(lower.cut, "o.contact_id", "o.moment")
    segment = segment_of(cut, "t.contact_id", "t.at")
    too_old = Sql("t.at + {}", _interval(what.within)) if what.within else Sql("'infinity'::timestamptz")
    return Sql(
        f"""select t.contact_id, {segment.number} as no, t.at as starts_at, least({{}}, {segment.ends_at}) as until,
  true as holds
from (
  select contact_id, min(moment) as at
  from (
    select o.contact_id, o.moment, {reached.number} as lower_no from funnel_own o {{}}
    where o.rank between {{}}::int and {{}}::int
  ) o
  group by contact_id, lower_no
) t {{}}""",
        too_old,
        reached.join,
        lower.rank,
        rung.rank - 1,
        segment.join,
    )


def _interval(length: timedelta) -> Sql:
    """Elapsed time, independent of any zone."""
    return Sql("make_interval(secs => {}::double precision)", length.total_seconds())


def _words(words: tuple[Vocabulary, ...]) -> list[str]:
    return [word.value for word in words]

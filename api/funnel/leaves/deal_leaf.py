"""The deal leaf: the contact has a role in a deal of a certain state."""

from api.funnel.exits import segment_of
from api.funnel.lifetimes import VisibleFacts
from api.sql import Sql, all_of
from schema.clauses.rules import DealFilter


def deal_intervals(wanted: DealFilter, exit_group: int | None, facts: VisibleFacts) -> Sql:
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

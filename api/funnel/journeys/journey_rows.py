"""Deriving journeys: from entries and facts to one row for each first entry, with the values of all dimensions.

The statement of a KPI over stage entries stays the definition (`api.metrics.dimensions`); a property test holds the
answers from journeys equal to it.
"""

from api.access.exclusions import Exclusions
from api.funnel.ladder import Ladder
from api.funnel.lifetimes import VisibleFacts
from api.sql import Sql, join
from schema.vocab import NotCountedReason

KEY = ("contact_id", "stage", "at")
# In the order of the selects below.
VALUES = (
    *("rank", "is_entry", "is_own", "own_at", "accord_version_id", "not_counted", "merged_count", "channel"),
    *("campaign_id", "lead_source", "country", "company_id", "industry", "owner_id", "owned_at", "current_owner_id"),
    *(
        "has_no_version",
        "is_version_assumed",
        "is_company_assumed",
        "top_rank",
        "standing_rank",
        "skipped",
        "settled_at",
    ),
)
_BEGINS = "coalesce({0}.valid_from, {0}.recorded_at)"
_IN_FORCE = f"{_BEGINS} <= e.at and ({{0}}.valid_to is null or {{0}}.valid_to > e.at)"
_IS_ASSUMED = "coalesce({0}.is_assumed and {0}.recorded_at > e.at, false)"


def journey_rows(ladder: Ladder, entries: Sql, facts: VisibleFacts, *, is_everybody: bool) -> Sql:
    """Select the journeys of the entries: the columns `KEY` and `VALUES`.

    `entries` has the columns of `derived_entries`; it is read several times. `facts` may be those of `fact_tables`.
    With `is_everybody` the first touch is looked up for each person, otherwise in one pass over the given facts.

    Shapes: entries -> one row per person, stage and instant at which a first entry counts.
    Source: api/README.md, "The evaluator".
    """
    first_stage = ladder.accords[-1].stages[0].key
    later = _BEGINS.format("h")
    merged_count, merged_join = _merged(facts)
    return Sql(
        f"""select e.contact_id, e.stage, e.at, e.rank, e.is_entry, e.is_own, e.own_at, e.accord_version_id,
  {{}} as not_counted, {{}} as merged_count,
  case when f.occurred_at <= e.at then f.channel end as channel,
  case when f.occurred_at <= e.at then f.campaign_id end as campaign_id,
  v.lead_source, v.country, v.company_id, w.industry,
  coalesce(v.owner_id, l.owner_id) as owner_id, l.owned_at, x.owner_id as current_owner_id,
  v.id is null as has_no_version, {_IS_ASSUMED.format("v")} as is_version_assumed,
  {_IS_ASSUMED.format("w")} as is_company_assumed,
  y.top_rank, y.standing_rank, y.skipped, y.settled_at
from ({{}}) e
join contact x on x.id = e.contact_id
left join contact_version v on v.contact_id = e.contact_id and {_IN_FORCE.format("v")}
left join company_version w on w.company_id = v.company_id and {_IN_FORCE.format("w")}
left join lateral (
  select h.owner_id, {later} as owned_at from contact_version h
  where v.owner_id is null and h.contact_id = e.contact_id and h.owner_id is not null
    and {later} > e.at and (h.valid_to is null or h.valid_to > {later})
  order by {later}, h.id limit 1
) l on true
left join ({{}}) y on y.contact_id = e.contact_id and e.stage = {{}}
{{}}{{}}""",
        _not_counted(ladder),
        merged_count,
        _counted_instants(entries),
        _ways(entries),
        first_stage,
        _first_touch(facts, is_everybody=is_everybody),
        merged_join,
    )


def _counted_instants(entries: Sql) -> Sql:
    """Select the instants at which first entries count: contact_id, stage, rank, at, is_entry, is_own, own_at."""
    columns = "e.contact_id, e.stage, e.rank"
    # Most people have one occurrence of a stage at most, so that the first own one is looked for among the few others.
    return Sql(
        f"""select {columns}, e.entered_at as at, true as is_entry, not e.is_implied as is_own, e.own_at,
  e.accord_version_id
from ({{}}) e where e.occurrence = 1
union all
select {columns}, e.own_at, false, true, null, e.accord_version_id
from ({{}}) e where e.occurrence = 1 and e.own_at > e.entered_at
union all
select {columns}, e.own_at, false, true, null, e.accord_version_id
from ({{}}) e where e.occurrence > 1 and e.own_at is not null and not exists (
  select from ({{}}) o where o.contact_id = e.contact_id and o.stage = e.stage and o.occurrence < e.occurrence
    and o.own_at is not null
)""",
        *(entries, entries, entries, entries),
    )


def _ways(entries: Sql) -> Sql:
    """Select how far each person got, and when that last changed."""
    return Sql(
        """select contact_id, max(rank) as top_rank, max(rank) filter (where exited_at is null) as standing_rank,
  coalesce(bit_or(1::bigint << (rank - 1)) filter (where is_implied and occurrence = 1), 0) as skipped,
  greatest(max(entered_at), max(exited_at)) as settled_at
from ({}) e group by contact_id""",
        entries,
    )


def _not_counted(ladder: Ladder) -> Sql:
    """Why KPIs do not count the contact `x`, under the latest version of the accord."""
    reasons = Exclusions.of(ladder.accords[-1].reporting.exclude).reasons("contact", "x")
    merged = NotCountedReason.MERGED
    # Merged contacts with journeys of their own are those of a cycle: answers do not have their number.
    ordered = {merged: reasons.pop(merged), **reasons}
    cases = (Sql(f" when {{}} then '{reason}'", condition) for reason, condition in ordered.items())
    return Sql("case{} end", join("", cases))


def _merged(facts: VisibleFacts) -> tuple[Sql, Sql]:
    """Return the number of contacts that are merged into the person, and the join that counts them."""
    if not facts.has_merged:
        return Sql("0"), Sql("")
    return Sql("coalesce(n.merged_count, 0)"), Sql(
        "\nleft join (select survivor_id, count(*)::int as merged_count from funnel_merged group by survivor_id) n"
        " on n.survivor_id = e.contact_id"
    )


def _first_touch(facts: VisibleFacts, *, is_everybody: bool) -> Sql:
    """The join of the first inbound touch `f` of the person."""
    is_inbound = "t.direction = 'INBOUND' and t.voided_at is null"
    if is_everybody and not facts.has_merged:
        # The index on inbound touches gives the first one of a person without sorting.
        return Sql(
            f"""left join lateral (
  select t.occurred_at, t.channel, t.campaign_id from touchpoint t where t.contact_id = e.contact_id and {is_inbound}
  order by t.occurred_at, t.id limit 1
) f on true"""
        )
    return Sql(
        f"""left join (
  select distinct on (1) {facts.contact("t")} as contact_id, t.occurred_at, t.channel, t.campaign_id
  from touchpoint t {facts.merged_join("t")} where {is_inbound} and {{}}
  order by 1, t.occurred_at, t.id
) f on f.contact_id = e.contact_id""",
        facts.among("t.contact_id"),
    )

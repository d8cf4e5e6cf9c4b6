"""Deriving the spans of deals: the times in which they were open, with the values of all dimensions.

The statement of `api.metrics.deal_kinds.pipeline_snapshot` over histories stays the definition; tests hold the answers
equal.
"""

from api.funnel.journeys.company_size import size_of
from api.funnel.journeys.deal_rows import FEW_DEALS, deal_facts
from api.funnel.ladder import Ladder
from api.sql import Sql

_BEGINS = "coalesce({0}.valid_from, {0}.recorded_at)"
_ENDS = "coalesce({0}.valid_to, 'infinity')"
_NEXT_OWNER = "[width_bucket(e.starts_at, d.owned_at) + 1]"


def deal_spans(ladder: Ladder, *, is_few: bool = False) -> Sql:
    """Select the spans of the deals of `FEW_DEALS`, or of all: the columns of `SPANS`.

    Shapes: versions of open deals -> one row each, and one more for each change of its company in their time.
    Source: api/README.md, "The evaluator".
    """
    spans = Sql("({}) e join ({}) d on d.id = e.deal_id", _spans("true"), deal_facts(ladder))
    if is_few:
        spans = Sql(f"{FEW_DEALS} d cross join lateral ({{}}) e", _spans("v.deal_id = d.id"))
    return Sql(
        f"""select e.deal_id, e.starts_at, e.ends_at, v.amount, v.currency, v.probability, v.close_date,
  case when v.is_assumed then v.recorded_at end as confirmed_at,
  case when w.is_assumed then w.recorded_at end as company_confirmed_at, d.updated_at as changed_at,
  d.not_counted, v.primary_campaign_id as campaign_id, v.pipeline_stage_id, v.product_id, v.company_id,
  w.industry, w.country, {size_of("w.employees")} as company_size, v.type as deal_type,
  coalesce(v.owner_id, d.owners{_NEXT_OWNER}) as owner_id,
  case when v.owner_id is null then d.owned_at{_NEXT_OWNER} end as owned_at, d.owner_id as current_owner_id
from {{}}
join deal_version v on v.deal_id = e.deal_id and v.id = e.version_id
left join company_version w on w.company_id = v.company_id
  and {_BEGINS.format("w")} <= e.starts_at and {_ENDS.format("w")} > e.starts_at""",
        spans,
    )


def _spans(among: str) -> Sql:
    """Select the times in which deals were open: version_id, deal_id, starts_at, ends_at.

    The time of a version is cut where the values of its company change, or begin or end.
    """
    held = f"v.outcome = 'OPEN' and {_ENDS.format('v')} > {_BEGINS.format('v')} and {among}"
    return Sql(
        f"""select s.version_id, s.deal_id, s.starts_at,
  lead(s.starts_at, 1, s.ends_at) over (partition by s.version_id order by s.starts_at) as ends_at
from (
  select v.id as version_id, v.deal_id, {_BEGINS.format("v")} as starts_at, {_ENDS.format("v")} as ends_at
  from deal_version v where {held}
  union
  select v.id, v.deal_id, b.at, {_ENDS.format("v")}
  from deal_version v join company_version w on w.company_id = v.company_id
  cross join lateral (values ({_BEGINS.format("w")}), (w.valid_to)) b (at)
  where b.at > {_BEGINS.format("v")} and b.at < {_ENDS.format("v")} and {held}
) s"""
    )

"""Deriving the journeys of deals: their openings and present closings, with amounts and the values of all dimensions.

The statements of `api.metrics.kinds.deal_rows` and `openings` stay the definition; tests hold the answers equal.
"""

from collections.abc import Collection
from uuid import UUID

from api.access.exclusions import Exclusions
from api.funnel.journeys.company_size import size_of
from api.funnel.ladder import Ladder
from api.identity.survivors import SURVIVORS, survivors
from api.sql import Sql, join

_BEGINS = "coalesce({0}.valid_from, {0}.recorded_at)"
_IN_FORCE = f"{_BEGINS} <= e.at and ({{0}}.valid_to is null or {{0}}.valid_to > e.at)"
_IS_ASSUMED = "coalesce({0}.is_assumed and {0}.recorded_at > {1}, false)"
_CUSTOMER = (
    "case when e.event = 'CLOSED'"
    " then coalesce(d.company_id, k.company_id, up.survivor_id, p.contact_id, e.deal_id) end"
)
_NEXT_OWNER = "[width_bucket(e.at, o.owned_at) + 1]"


def deal_rows(ladder: Ladder, deals: Collection[UUID] | Sql | None = None) -> Sql:
    """Select the journeys of some deals, or of all: the columns of `DEALS`.

    `deals` are ids, or an expression for an array of them.

    Shapes: deals -> up to two rows each.
    Source: api/README.md, "The evaluator".
    """
    ids = deals if isinstance(deals, Sql) or deals is None else Sql("{}::uuid[]", list(deals))
    reason, excluded = deal_not_counted(ladder, is_single=ids is not None)
    return Sql(
        f"""select e.deal_id, e.event, e.at as counted_at, e.outcome, e.amount, e.currency, e.is_amount_assumed,
  e.is_negative, d.updated_at as changed_at, {{}} as not_counted, {_CUSTOMER} as customer, e.opening_stage_id,
  v.primary_campaign_id as campaign_id, v.pipeline_stage_id, v.product_id, v.company_id, w.industry, w.country,
  {size_of("w.employees")} as company_size, v.type as deal_type, v.currency as deal_currency,
  coalesce(v.owner_id, o.owner_id{_NEXT_OWNER}) as owner_id,
  case when v.owner_id is null then o.owned_at{_NEXT_OWNER} end as owned_at, d.owner_id as current_owner_id,
  v.id is null as has_no_version, {_IS_ASSUMED.format("v", "e.at")} as is_version_assumed,
  {_IS_ASSUMED.format("w", "e.at")} as is_company_assumed
from ({{}}) e
join deal d on d.id = e.deal_id
left join deal_version v on v.deal_id = e.deal_id and {_IN_FORCE.format("v")}
left join company_version w on w.company_id = v.company_id and {_IN_FORCE.format("w")}
left join ({{}}) o on o.deal_id = e.deal_id{{}}{{}}""",
        *(reason, _events(among_deals("d.id", ids)), deal_owners(among_deals("h.deal_id", ids)), excluded),
        _customers(is_single=ids is not None),
    )


def _customers(*, is_single: bool) -> Sql:
    """Return the joins that find the customer of a closing without a company: the main contact and its employer."""
    survivor = Sql("\nleft join ({}) up on up.contact_id = p.contact_id", SURVIVORS)
    if is_single:
        survivor = Sql("\nleft join lateral ({}) up on true", survivors(Sql("id = p.contact_id")))
    return Sql(
        f"""
left join lateral (
  select a.contact_id from deal_contact a
  where e.event = 'CLOSED' and d.company_id is null and a.deal_id = e.deal_id and a.voided_at is null
  order by a.is_primary desc, a.since nulls first, a.contact_id limit 1
) p on true
left join lateral (
  select k.company_id from contact_version k where k.contact_id = p.contact_id and {_IN_FORCE.format("k")} limit 1
) k on true{{}}""",
        survivor,
    )


def _events(among: Sql) -> Sql:
    """Select the openings and closings: deal_id, event, at, outcome, amount, currency, is_amount_assumed, is_negative,
    opening_stage_id.

    The amount of an opening is that of the first version that still held after it; that of a closing is the one of the
    first version with this closing. Versions that ended as they began never held. The stage of an opening is the first
    one that held after it.
    """
    begins = _BEGINS.format("a")
    return Sql(
        f"""select d.id as deal_id, 'OPENED' as event, d.opened_at as at, null::text as outcome, a.amount, a.currency,
  {_IS_ASSUMED.format("a", "d.opened_at")} as is_amount_assumed, false as is_negative,
  b.pipeline_stage_id as opening_stage_id
from deal d left join lateral (
  select a.amount, a.currency, a.is_assumed, a.recorded_at from deal_version a
  where a.deal_id = d.id and (a.valid_to is null or a.valid_to > greatest(d.opened_at, {begins}))
  order by {begins}, a.id limit 1
) a on true left join lateral (
  select b.pipeline_stage_id from deal_version b
  where b.deal_id = d.id and b.pipeline_stage_id is not null
    and (b.valid_to is null or b.valid_to > greatest(d.opened_at, {_BEGINS.format("b")}))
  order by {_BEGINS.format("b")}, b.id limit 1
) b on true
where d.opened_at is not null and {{}}
union all
select d.id, 'CLOSED', d.closed_at, d.outcome, case when a.id is null then d.amount else a.amount end,
  case when a.id is null then d.currency else a.currency end, {_IS_ASSUMED.format("a", "d.closed_at")},
  coalesce(case when a.id is null then d.amount < 0 else a.amount < 0 end, false), null
from deal d left join lateral (
  select a.id, a.amount, a.currency, a.is_assumed, a.recorded_at from deal_version a
  where a.deal_id = d.id and a.closed_at = d.closed_at and a.outcome = d.outcome
    and (a.valid_to is null or a.valid_to > {begins})
  order by {begins}, a.id limit 1
) a on true
where d.outcome in ('WON', 'LOST') and d.closed_at is not null and {{}}""",
        among,
        among,
    )


def deal_owners(among: Sql) -> Sql:
    """Select the owners of each deal in order, and since when they were: deal_id, owned_at, owner_id (arrays)."""
    owned = _BEGINS.format("h")
    return Sql(
        f"""select h.deal_id, array_agg({owned} order by {owned}, h.id) as owned_at,
  array_agg(h.owner_id order by {owned}, h.id) as owner_id
from deal_version h where h.owner_id is not null and (h.valid_to is null or h.valid_to > {owned}) and {{}}
group by h.deal_id""",
        among,
    )


def among_deals(column: str, ids: Sql | None) -> Sql:
    """Return the condition that a column has one of the ids of an array; none means all deals."""
    return Sql("true") if ids is None else Sql(f"{column} = any({{}})", ids)


def deal_not_counted(ladder: Ladder, *, is_single: bool) -> tuple[Sql, Sql]:
    """Return why KPIs do not count the deal `d`, under the latest version of the accord, and the join for it.

    A few deals are looked up one by one, all deals compared with the few that are excluded.
    """
    exclusions = Exclusions.of(ladder.accords[-1].reporting.exclude)
    if not is_single:
        return Sql("x.reason"), Sql("\nleft join ({}) x on x.id = e.deal_id", exclusions.never_counted("deal"))
    reasons = exclusions.reasons("deal", "d", is_single=True)
    cases = (Sql(f" when {{}} then '{reason}'", condition) for reason, condition in reasons.items())
    return Sql("case{} end", join("", cases)), Sql("")

"""Deriving the journeys of deals: their openings and present closings, with amounts and the values of all dimensions.

The statements of `api.metrics.kinds.deal_rows` and `openings` stay the definition; tests hold the answers equal.
"""

from api.access.exclusions import Exclusions
from api.funnel.journeys.company_size import size_of
from api.funnel.ladder import Ladder
from api.identity.survivors import SURVIVORS, survivors
from api.sql import Sql, join

_BEGINS = "coalesce({0}.valid_from, {0}.recorded_at)"
_IN_FORCE = f"{_BEGINS} <= e.at and ({{0}}.valid_to is null or {{0}}.valid_to > e.at)"
_IS_ASSUMED = "coalesce({0}.is_assumed and {0}.recorded_at > {1}, false)"
_CUSTOMER = (
    "case when e.event = 'CLOSED' then coalesce(d.company_id, k.company_id, up.survivor_id, p.contact_id, d.id) end"
)
_NEXT_OWNER = "[width_bucket(e.at, d.owned_at) + 1]"
# The common table with the `deal_facts` of some deals, so that they are looked up once for rows and spans.
FEW_DEALS = "few_deal"
# The opening and the closing of the deal `d`: event, at, outcome, amount, currency, is_amount_assumed, is_negative,
# opening_stage_id. The amount of an opening is that of the first version that still held after it; that of a closing is
# the one of the first version with this closing. Versions that ended as they began never held. The stage of an opening
# is the first one that held after it.
_EVENTS = f"""select 'OPENED' as event, d.opened_at as at, null::text as outcome, a.amount, a.currency,
  {_IS_ASSUMED.format("a", "d.opened_at")} as is_amount_assumed, false as is_negative,
  b.pipeline_stage_id as opening_stage_id
from (select) one left join lateral (
  select a.amount, a.currency, a.is_assumed, a.recorded_at from deal_version a
  where a.deal_id = d.id and (a.valid_to is null or a.valid_to > greatest(d.opened_at, {_BEGINS.format("a")}))
  order by {_BEGINS.format("a")}, a.id limit 1
) a on true left join lateral (
  select b.pipeline_stage_id from deal_version b
  where b.deal_id = d.id and b.pipeline_stage_id is not null
    and (b.valid_to is null or b.valid_to > greatest(d.opened_at, {_BEGINS.format("b")}))
  order by {_BEGINS.format("b")}, b.id limit 1
) b on true
where d.opened_at is not null
union all
select 'CLOSED', d.closed_at, d.outcome, case when a.id is null then d.amount else a.amount end,
  case when a.id is null then d.currency else a.currency end, {_IS_ASSUMED.format("a", "d.closed_at")},
  coalesce(case when a.id is null then d.amount < 0 else a.amount < 0 end, false), null
from (select) one left join lateral (
  select a.id, a.amount, a.currency, a.is_assumed, a.recorded_at from deal_version a
  where a.deal_id = d.id and a.closed_at = d.closed_at and a.outcome = d.outcome
    and (a.valid_to is null or a.valid_to > {_BEGINS.format("a")})
  order by {_BEGINS.format("a")}, a.id limit 1
) a on true
where d.outcome in ('WON', 'LOST') and d.closed_at is not null"""


def deal_facts(ladder: Ladder, deals: Sql | None = None) -> Sql:
    """Select what all rows of a deal share, of some deals or of all: the columns of `deal` that they read, why no KPI
    counts the deal (`not_counted`), and its owners in order (`owned_at`, `owners`).

    `deals` is an expression for an array of ids. The rows are those of `FEW_DEALS` then.
    """
    reason, excluded = _not_counted(ladder, is_single=deals is not None)
    return Sql(
        """select d.id, d.opened_at, d.closed_at, d.outcome, d.amount, d.currency, d.company_id, d.owner_id,
  d.updated_at, {} as not_counted, o.owned_at, o.owners
from deal d
{}{} where {}""",
        *(reason, _owners(is_single=deals is not None), excluded),
        Sql("true") if deals is None else Sql("d.id = any({})", deals),
    )


def deal_rows(ladder: Ladder, *, is_few: bool = False) -> Sql:
    """Select the journeys of the deals of `FEW_DEALS`, or of all: the columns of `DEALS`.

    Shapes: deals -> up to two rows each.
    Source: api/README.md, "The evaluator".
    """
    facts = Sql(FEW_DEALS) if is_few else Sql("({})", deal_facts(ladder))
    return Sql(
        f"""select d.id as deal_id, e.event, e.at as counted_at, e.outcome, e.amount, e.currency, e.is_amount_assumed,
  e.is_negative, d.updated_at as changed_at, d.not_counted, {_CUSTOMER} as customer, e.opening_stage_id,
  v.primary_campaign_id as campaign_id, v.pipeline_stage_id, v.product_id, v.company_id, w.industry, w.country,
  {size_of("w.employees")} as company_size, v.type as deal_type, v.currency as deal_currency,
  coalesce(v.owner_id, d.owners{_NEXT_OWNER}) as owner_id,
  case when v.owner_id is null then d.owned_at{_NEXT_OWNER} end as owned_at, d.owner_id as current_owner_id,
  v.id is null as has_no_version, {_IS_ASSUMED.format("v", "e.at")} as is_version_assumed,
  {_IS_ASSUMED.format("w", "e.at")} as is_company_assumed
from {{}} d
cross join lateral ({_EVENTS}) e
left join deal_version v on v.deal_id = d.id and {_IN_FORCE.format("v")}
left join company_version w on w.company_id = v.company_id and {_IN_FORCE.format("w")}
{{}}""",
        facts,
        _customers(is_single=is_few),
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
  where e.event = 'CLOSED' and d.company_id is null and a.deal_id = d.id and a.voided_at is null
  order by a.is_primary desc, a.since nulls first, a.contact_id limit 1
) p on true
left join lateral (
  select k.company_id from contact_version k where k.contact_id = p.contact_id and {_IN_FORCE.format("k")} limit 1
) k on true{{}}""",
        survivor,
    )


def _owners(*, is_single: bool) -> Sql:
    """Return the join `o` of the owners of the deal `d` in order, and since when they were: owned_at, owners (arrays).

    As with exclusions, a few deals are looked up one by one.
    """
    owned = _BEGINS.format("h")
    owners = f"""array_agg({owned} order by {owned}, h.id) as owned_at,
  array_agg(h.owner_id order by {owned}, h.id) as owners
from deal_version h where h.owner_id is not null and (h.valid_to is null or h.valid_to > {owned})"""
    if is_single:
        return Sql(f"left join lateral (select {owners} and h.deal_id = d.id) o on true")
    return Sql(f"left join (select h.deal_id, {owners} group by h.deal_id) o on o.deal_id = d.id")


def _not_counted(ladder: Ladder, *, is_single: bool) -> tuple[Sql, Sql]:
    """Return why KPIs do not count the deal `d`, under the latest version of the accord, and the join for it.

    A few deals are looked up one by one, all deals compared with the few that are excluded.
    """
    exclusions = Exclusions.of(ladder.accords[-1].reporting.exclude)
    if not is_single:
        return Sql("x.reason"), Sql("\nleft join ({}) x on x.id = d.id", exclusions.never_counted("deal"))
    reasons = exclusions.reasons("deal", "d", is_single=True)
    cases = (Sql(f" when {{}} then '{reason}'", condition) for reason, condition in reasons.items())
    return Sql("case{} end", join("", cases)), Sql("")

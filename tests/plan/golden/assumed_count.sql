select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select t1_figures.a0 as "totalCount", t1_figures.a1 as "assumedCount",
(
select "$"
from (select (
select "$"
from (select t1_figures.m0 as "annualRevenue") "$") as "sum") "$") as "aggregate"
from (select t1_parts.*, coalesce(json_agg((
select "$"
from (select t1_parts.a2::text as "amount", t1_parts.c0 as "currency") "$")) filter (where t1_parts.w = 0 and t1_parts.a2 is not null) over by_c0, '[]') as m0
from (select t1.currency as c0, count(*) as a0, count(*) filter (where t1.is_assumed) as a1, sum(t1.annual_revenue)::numeric as a2, grouping(t1.currency) as w
from (select t1_now.id, t1_now.created_at, t1_now.updated_at, t1_now.row_version, t1_now.deleted_at, t1_now.effective_at, t1_then.is_assumed and t1_then.recorded_at > $1::timestamptz as is_assumed, t1_then.name, t1_then.domain, t1_then.industry, t1_then.employees, t1_then.annual_revenue, t1_then.currency, t1_then.country, t1_then.owner_id, t1_then.parent_id, t1_then.merged_into_id
from company t1_now join company_version t1_then on t1_then.company_id = t1_now.id
where (t1_now.deleted_at is null) and (t1_now.merged_into_id is null) and (coalesce(t1_then.valid_from, t1_then.recorded_at) <= $1::timestamptz and (t1_then.valid_to is null or t1_then.valid_to > $1::timestamptz))) t1 group by grouping sets ((), (1))) t1_parts window by_c0 as (order by t1_parts.c0 nulls last rows between unbounded preceding and unbounded following)) t1_figures
where (t1_figures.w = 1)) "$") as "then",
(
select "$"
from (select t2_figures.a0 as "totalCount", 0 as "assumedCount"
from (select count(*) as a0
from company t2
where (t2.name = $2) and (t2.deleted_at is null) and (t2.merged_into_id is null)) t2_figures) "$") as "now") "$"
-- $1: datetime.datetime(2026, 1, 20, 0, 0, tzinfo=datetime.timezone.utc)
-- $2: 'Bolt'

select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select (
select "$"
from (select t1_figures.k0 as "currency") "$") as "key",
(
select "$"
from (select (
select "$"
from (select t1_figures.m0 as "annualRevenue") "$") as "sum") "$") as "aggregate"
from (select t1_figures.*, count(*) over () as groups
from (select t1_parts.*, coalesce(json_agg((
select "$"
from (select t1_parts.a0::text as "amount", t1_parts.c0 as "currency") "$")) filter (where t1_parts.w = 0 and t1_parts.a0 is not null) over by_c0, '[]') as m0
from (select t1.currency as k0, (t1.currency || '') as c0, sum(t1.annual_revenue)::numeric as a0, case when (count(t1.annual_revenue) > 0 and min(t1.currency) filter (where t1.annual_revenue is not null) is not distinct
from max(t1.currency) filter (where t1.annual_revenue is not null) and count(t1.annual_revenue) filter (where t1.currency is null) in (0, count(t1.annual_revenue))) then min(t1.currency) filter (where t1.annual_revenue is not null) end as a1, case when (count(t1.annual_revenue) > 0 and min(t1.currency) filter (where t1.annual_revenue is not null) is not distinct
from max(t1.currency) filter (where t1.annual_revenue is not null) and count(t1.annual_revenue) filter (where t1.currency is null) in (0, count(t1.annual_revenue))) then sum(t1.annual_revenue)::numeric end as a2, grouping((t1.currency || '')) as w
from company t1
where (t1.deleted_at is null) and (t1.merged_into_id is null) group by grouping sets ((1), (1, 2))) t1_parts window by_c0 as (partition by t1_parts.k0
order by t1_parts.c0 nulls last rows between unbounded preceding and unbounded following)) t1_figures
where (t1_figures.w = 1) and (not t1_figures.a0 is null)) t1_figures
where case when t1_figures.groups > 1000 then (t1_figures.groups || ' groups')::integer > 0 else true end
order by t1_figures.a1 nulls last, t1_figures.a2 desc nulls last, t1_figures.k0 nulls last) "$") as "groupBy") "$") as "companies") "$"

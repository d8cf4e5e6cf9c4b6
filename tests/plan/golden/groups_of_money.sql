select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select (
select "$"
from (select t3.k0 as "currency") "$") as "key",
(
select "$"
from (select (
select "$"
from (select t3.m0 as "annualRevenue") "$") as "sum") "$") as "aggregate"
from (select t4.*, coalesce(json_agg((
select "$"
from (select t4.a0::text as "amount", t4.c0 as "currency") "$")) filter (where t4.w = 0 and t4.a0 is not null) over by_c0, '[]') as m0
from (select t2.currency as k0, (t2.currency || '') as c0, sum(t2.annual_revenue)::numeric as a0, case when (count(t2.annual_revenue) > 0 and min(t2.currency) filter (where t2.annual_revenue is not null) is not distinct
from max(t2.currency) filter (where t2.annual_revenue is not null) and count(t2.annual_revenue) filter (where t2.currency is null) in (0, count(t2.annual_revenue))) then sum(t2.annual_revenue)::numeric end as a1, case when (count(t2.annual_revenue) > 0 and min(t2.currency) filter (where t2.annual_revenue is not null) is not distinct
from max(t2.currency) filter (where t2.annual_revenue is not null) and count(t2.annual_revenue) filter (where t2.currency is null) in (0, count(t2.annual_revenue))) then min(t2.currency) filter (where t2.annual_revenue is not null) end as a2, grouping((t2.currency || '')) as w
from company t2
where (t2.deleted_at is null) group by grouping sets ((1), (1, 2))) t4 window by_c0 as (partition by t4.k0
order by t4.c0 nulls last rows between unbounded preceding and unbounded following)) t3
where (t3.w = 1) and (t3.a1 > $1)
order by t3.a2 nulls last, t3.a1 desc nulls last, t3.k0 nulls last
limit 50) "$") as "groupBy") "$") as "companies") "$"
-- $1: Decimal('5')

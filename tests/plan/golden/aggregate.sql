select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select (
select "$"
from (select t1_figures.a0 as "count",
(
select "$"
from (select t1_figures.a1 as "company", t1_figures.a2 as "amount") "$") as "countDistinct",
(
select "$"
from (select t1_figures.m0 as "amount") "$") as "sum",
(
select "$"
from (select t1_figures.a4::text as "probability") "$") as "avg",
(
select "$"
from (select replace(to_json(t1_figures.a5)::text, '+00:00"', 'Z"')::json as "closedAt", t1_figures.a6 as "name") "$") as "max") "$") as "aggregate"
from (select t1_parts.*, coalesce(json_agg((
select "$"
from (select t1_parts.a3::text as "amount", t1_parts.c0 as "currency") "$")) filter (where t1_parts.w = 0 and t1_parts.a3 is not null) over by_c0, '[]') as m0
from (select t1.currency as c0, count(*) as a0, count(distinct t2.id) as a1, count(distinct (t1.amount, t1.currency)) filter (where t1.amount is not null) as a2, sum(t1.amount)::numeric as a3, round(avg(t1.probability), 6) as a4, max(t1.closed_at) as a5, max(t1.name) as a6, grouping(t1.currency) as w
from (select t3.*
from deal t3
where (t3.deleted_at is null)) t1 left join (select t2.id
from company t2
where (t2.deleted_at is null)) t2 on t2.id = t1.company_id group by grouping sets ((), (1))) t1_parts window by_c0 as (order by t1_parts.c0 nulls last rows between unbounded preceding and unbounded following)) t1_figures
where (t1_figures.w = 1)) "$") as "deals") "$"

select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_page as materialized (select *, row_number() over () as "#"
from (select t1.*
from deal t1
where (t1.currency = $1) and (t1.deleted_at is null)
order by t1.closed_at desc nulls last, t1.id desc
limit 2) t1) select "$"
from (select t1_figures.a0 as "totalCount",
(
select "$"
from (select (
select "$"
from (select t1_figures.m0 as "amount") "$") as "sum",
(
select "$"
from (select replace(to_json(t1_figures.a2)::text, '+00:00"', 'Z"')::json as "closedAt") "$") as "max") "$") as "aggregate",
array(
select "$"
from (select t2.name as "name"
from t1_page t2
where t2."#" <= 1
order by t2."#") "$") as "nodes",
(
select "$"
from (select exists (select
from t1_page t3
where t3."#" > 1) as "hasNextPage") "$") as "pageInfo"
from (select t1_parts.*, coalesce(json_agg((
select "$"
from (select t1_parts.a1::text as "amount", t1_parts.c0 as "currency") "$")) filter (where t1_parts.w = 0 and t1_parts.a1 is not null) over by_c0, '[]') as m0
from (select t1.currency as c0, count(*) as a0, sum(t1.amount)::numeric as a1, max(t1.closed_at) as a2, grouping(t1.currency) as w
from deal t1
where (t1.currency = $2) and (t1.deleted_at is null) group by grouping sets ((), (1))) t1_parts window by_c0 as (order by t1_parts.c0 nulls last rows between unbounded preceding and unbounded following)) t1_figures
where (t1_figures.w = 1)) "$") as "deals") "$"
-- $1: 'EUR'
-- $2: 'EUR'

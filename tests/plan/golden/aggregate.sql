select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select (
select "$"
from (select t3.a0 as "count",
(
select "$"
from (select t3.a1 as "company", t3.a2 as "amount") "$") as "countDistinct",
(
select "$"
from (select t3.m0 as "amount") "$") as "sum",
(
select "$"
from (select t3.a4::text as "probability") "$") as "avg",
(
select "$"
from (select replace(to_json(t3.a5)::text, '+00:00"', 'Z"')::json as "closedAt", t3.a6 as "name") "$") as "max"
from (select t4.*, coalesce(json_agg((
select "$"
from (select t4.a3::text as "amount", t4.c0 as "currency") "$")) filter (where t4.w = 0 and t4.a3 is not null) over by_c0, '[]') as m0
from (select t2.currency as c0, count(*) as a0, count(distinct t5.id) as a1, count(distinct (t2.amount, t2.currency)) filter (where t2.amount is not null) as a2, sum(t2.amount)::numeric as a3, round(avg(t2.probability), 6) as a4, max(t2.closed_at) as a5, max(t2.name) as a6, grouping(t2.currency) as w
from (select *
from deal t6
where (t6.deleted_at is null)) t2 left join (select t5.id
from company t5
where (t5.deleted_at is null)) t5 on t5.id = t2.company_id group by grouping sets ((), (1))) t4 window by_c0 as (order by t4.c0 nulls last rows between unbounded preceding and unbounded following)) t3
where (t3.w = 1)) "$") as "aggregate") "$") as "deals") "$"

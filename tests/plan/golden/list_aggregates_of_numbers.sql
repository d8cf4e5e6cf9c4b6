select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select t2.name as "name"
from company t2 left join lateral (select sum(t4.probability)::numeric as value
from deal t4
where (t4.company_id = t2.id) and (t4.deleted_at is null) having t2.id is not null) t3 on true
where (t2.deleted_at is null) and (t2.merged_into_id is null)
order by t3.value desc nulls last, t2.id desc
limit 1) "$") as "nodes") "$") as "sum",
(
select "$"
from (select array(
select "$"
from (select t6.name as "name"
from company t6 left join lateral (select round(avg(t8.probability), 6) as value
from deal t8
where (t8.company_id = t6.id) and (t8.deleted_at is null) having t6.id is not null) t7 on true
where (t6.deleted_at is null) and (t6.merged_into_id is null)
order by t7.value nulls first, t6.id
limit 1) "$") as "nodes") "$") as "average",
(
select "$"
from (select array(
select "$"
from (select t10.name as "name"
from company t10 left join lateral (select min(t12.opened_at) as value
from deal t12
where (t12.company_id = t10.id) and (t12.deleted_at is null) having t10.id is not null) t11 on true
where (t10.deleted_at is null) and (t10.merged_into_id is null)
order by t11.value desc, t10.id desc
limit 1) "$") as "nodes") "$") as "earliest") "$"

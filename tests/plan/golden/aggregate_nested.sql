select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select (
select "$"
from (select t1_figures.a0 as "count", text 'ContactAggregate' as "__typename",
(
select "$"
from (select text 'ContactExtremes' as "__typename") "$") as "min") "$") as "aggregate",
array(
select "$"
from (select t2.first_name as "firstName",
(
select "$"
from (select (
select "$"
from (select t3_figures.a0 as "count",
(
select "$"
from (select t3_figures.a1::text as "durationSeconds") "$") as "sum",
(
select "$"
from (select replace(to_json(t3_figures.a2)::text, '+00:00"', 'Z"')::json as "occurredAt") "$") as "min") "$") as "aggregate"
from (select count(*) as a0, sum(t3.duration_seconds)::numeric as a1, min(t3.occurred_at) as a2
from touchpoint t3
where (t3.contact_id = any(case when exists (select
from contact s join contact m on m.merged_into_id = s.id
where s.id = t2.id and s.merged_into_id is null) then array(with recursive family (id) as (select t2.id::uuid union select m.id
from family join contact m on m.merged_into_id = family.id) select id
from family) else array[t2.id] end)) and (t3.kind = $1) and (t3.voided_at is null)) t3_figures) "$") as "touchpoints"
from contact t2
where (t2.deleted_at is null) and (t2.merged_into_id is null)
order by t2.first_name, t2.id
limit 50) "$") as "nodes"
from (select count(*) as a0
from contact t1
where (t1.deleted_at is null) and (t1.merged_into_id is null)) t1_figures) "$") as "contacts") "$"
-- $1: 'FORM'

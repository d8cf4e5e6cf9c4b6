select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select (
select "$"
from (select t3.a0 as "count", text 'ContactAggregate' as "__typename",
(
select "$"
from (select text 'ContactExtremes' as "__typename") "$") as "min"
from (select count(*) as a0
from contact t2
where (t2.deleted_at is null)) t3) "$") as "aggregate",
array(
select "$"
from (select t5.first_name as "firstName",
(
select "$"
from (select (
select "$"
from (select t8.a0 as "count",
(
select "$"
from (select t8.a1::text as "durationSeconds") "$") as "sum",
(
select "$"
from (select replace(to_json(t8.a2)::text, '+00:00"', 'Z"')::json as "occurredAt") "$") as "min"
from (select count(*) as a0, sum(t7.duration_seconds)::numeric as a1, min(t7.occurred_at) as a2
from touchpoint t7
where (t7.contact_id = t5.id) and (t7.kind = $1)) t8) "$") as "aggregate") "$") as "touchpoints"
from contact t5
where (t5.deleted_at is null)
order by t5.first_name, t5.id
limit 50) "$") as "nodes") "$") as "contacts") "$"
-- $1: 'FORM'

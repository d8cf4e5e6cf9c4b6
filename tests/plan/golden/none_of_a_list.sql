select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select t2.first_name as "firstName",
(
select "$"
from (select t3_figures.a0 as "totalCount",
array(
select "$"
from (select replace(to_json(t4.occurred_at)::text, '+00:00"', 'Z"')::json as "occurredAt"
from touchpoint t4
where (t4.contact_id = t2.id) and (t4.kind = $1)
order by t4.id
limit 1) "$") as "nodes"
from (select count(*) as a0
from touchpoint t3
where (t3.contact_id = t2.id) and (t3.kind = $2)) t3_figures) "$") as "touchpoints"
from contact t2
where ((not exists (select
from touchpoint t5
where (t5.contact_id = t2.id) and (t5.occurred_at <= $3))) and (t2.created_at < $4)) and (t2.deleted_at is null) and (t2.merged_into_id is null)
order by t2.id
limit 50) "$") as "nodes") "$") as "contacts") "$"
-- $1: 'FORM'
-- $2: 'FORM'
-- $3: datetime.datetime(2026, 1, 1, 9, 30, tzinfo=datetime.timezone.utc)
-- $4: datetime.datetime(2026, 3, 1, 0, 0, tzinfo=datetime.timezone.utc)

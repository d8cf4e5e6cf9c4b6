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
where (t4.contact_id = any(case when exists (select
from contact s join contact m on m.merged_into_id = s.id
where s.id = t2.id and s.merged_into_id is null) then array(with recursive family (id) as (select t2.id::uuid union select m.id
from family join contact m on m.merged_into_id = family.id) select id
from family) else array[t2.id] end)) and (t4.kind = $1) and (t4.voided_at is null)
order by t4.id
limit 1) "$") as "nodes"
from (select count(*) as a0
from touchpoint t3
where (t3.contact_id = any(case when exists (select
from contact s join contact m on m.merged_into_id = s.id
where s.id = t2.id and s.merged_into_id is null) then array(with recursive family (id) as (select t2.id::uuid union select m.id
from family join contact m on m.merged_into_id = family.id) select id
from family) else array[t2.id] end)) and (t3.kind = $2) and (t3.voided_at is null)) t3_figures) "$") as "touchpoints"
from contact t2
where ((not (exists (select
from touchpoint t5
where (t5.contact_id = t2.id) and (t5.occurred_at <= $3) and (t5.voided_at is null)) or (exists (select
from contact s join contact m on m.merged_into_id = s.id
where s.id = t2.id and s.merged_into_id is null) and exists (select
from touchpoint t6
where (t6.contact_id = any(array(with recursive family (id) as (select t2.id::uuid union select m.id
from family join contact m on m.merged_into_id = family.id) select id
from family))) and (t6.occurred_at <= $4) and (t6.voided_at is null))))) and (t2.created_at < $5)) and (t2.deleted_at is null) and (t2.merged_into_id is null)
order by t2.id
limit 50) "$") as "nodes") "$") as "contacts") "$"
-- $1: 'FORM'
-- $2: 'FORM'
-- $3: datetime.datetime(2026, 1, 1, 9, 30, tzinfo=datetime.timezone.utc)
-- $4: datetime.datetime(2026, 1, 1, 9, 30, tzinfo=datetime.timezone.utc)
-- $5: datetime.datetime(2026, 3, 1, 0, 0, tzinfo=datetime.timezone.utc)

select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select (
select "$"
from (select t3.k0 as "occurredAt",
(
select "$"
from (select t5.first_name as "firstName"
from contact t5
where (t5.id = t3.k1) and (t5.deleted_at is null)) "$") as "contact", null as "campaign") "$") as "key", t3.a0 as "count"
from (select (date_trunc('week', ((t2.occurred_at at time zone coalesce((select agreed.body #>> '{reporting,timezone}'
from accord_version agreed
where agreed.status = 'ACTIVE'), 'UTC'))::date + coalesce((select agreed.body #>> '{reporting,week_start}' = 'SUNDAY'
from accord_version agreed
where agreed.status = 'ACTIVE'), false)::integer)::timestamp)::date - coalesce((select agreed.body #>> '{reporting,week_start}' = 'SUNDAY'
from accord_version agreed
where agreed.status = 'ACTIVE'), false)::integer) as k0, t6.id as k1, count(*) as a0, max(t2.duration_seconds)::numeric as a1
from (select *
from touchpoint t7
where (t7.kind = $1)) t2 left join (select t6.id
from contact t6
where (t6.deleted_at is null)) t6 on t6.id = t2.contact_id group by 1, 2) t3
where (t3.a0 >= $2)
order by t3.a0 desc nulls last, t3.a1 nulls last, t3.k0 nulls last, t3.k1 nulls last
limit 2) "$") as "groupBy") "$") as "touchpoints") "$"
-- $1: 'FORM'
-- $2: 1

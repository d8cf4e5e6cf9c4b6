select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select (
select "$"
from (select t1_figures.k0 as "occurredAt",
(
select "$"
from (select t2.first_name as "firstName"
from contact t2
where (t2.id = t1_figures.k1) and (t2.deleted_at is null)) "$") as "contact", null::text as "campaign") "$") as "key", t1_figures.a0 as "count"
from (select (date_trunc('week', ((t1.occurred_at at time zone coalesce((select agreed.body #>> '{reporting,timezone}'
from accord_version agreed
where agreed.status = 'ACTIVE'), 'UTC'))::date + coalesce((select agreed.body #>> '{reporting,week_start}' = 'SUNDAY'
from accord_version agreed
where agreed.status = 'ACTIVE'), false)::integer)::timestamp)::date - coalesce((select agreed.body #>> '{reporting,week_start}' = 'SUNDAY'
from accord_version agreed
where agreed.status = 'ACTIVE'), false)::integer) as k0, t3.id as k1, count(*) as a0, max(t1.duration_seconds)::numeric as a1
from (select t4.*
from touchpoint t4
where (t4.kind = $1) and (t4.voided_at is null)) t1 left join (select t3.id
from contact t3
where (t3.deleted_at is null)) t3 on t3.id = t1.contact_id group by 1, 2) t1_figures
where (t1_figures.a0 >= $2)
order by t1_figures.a0 desc nulls last, t1_figures.a1 nulls last, t1_figures.k0 nulls last, t1_figures.k1 nulls last
limit 2) "$") as "groupBy") "$") as "touchpoints") "$"
-- $1: 'FORM'
-- $2: 1

select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select t2.first_name as "firstName",
(
select "$"
from (select array(
select "$"
from (select (
select "$"
from (select t3_figures.k0 as "occurredAt", t3_figures.k1 as "kind") "$") as "key", t3_figures.a0 as "count"
from (select t3_figures.*, count(*) over () as groups
from (select (t3.occurred_at at time zone coalesce((select agreed.body #>> '{reporting,timezone}'
from accord_version agreed
where agreed.status = 'ACTIVE'), 'UTC'))::date as k0, t3.kind as k1, count(*) as a0, max(t3.duration_seconds)::numeric as a1, round(avg(t3.duration_seconds), 6) as a2
from touchpoint t3
where (t3.contact_id = any(case when exists (select
from contact s join contact m on m.merged_into_id = s.id
where s.id = t2.id and s.merged_into_id is null) then array(with recursive family (id) as (select t2.id::uuid union select m.id
from family join contact m on m.merged_into_id = family.id) select id
from family) else array[t2.id] end)) and (t3.voided_at is null) group by 1, 2) t3_figures
where ((t3_figures.a0 >= $1)) and (((t3_figures.a1 > $2)) or ((((not t3_figures.a2 is null)) is not true)))) t3_figures
where case when t3_figures.groups > 1000 then (t3_figures.groups || ' groups')::integer > 0 else true end
order by t3_figures.k0 desc nulls last, array_position(array['AD_CLICK', 'PAGE_VISIT', 'FORM', 'EMAIL_SENT', 'EMAIL_OPENED', 'EMAIL_CLICKED', 'EMAIL_REPLY', 'EVENT', 'CALL', 'MEETING', 'MESSAGE'], t3_figures.k1) nulls last, t3_figures.k1 nulls last) "$") as "groupBy") "$") as "touchpoints"
from contact t2
where (t2.deleted_at is null) and (t2.merged_into_id is null)
order by t2.id
limit 2) "$") as "nodes") "$") as "contacts") "$"
-- $1: 1
-- $2: Decimal('71')

select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select (
select "$"
from (select case when t1_figures.k0 is not null then (
select "$"
from (select t1_figures.k0 as "key",
(select step.value ->> 'title'
from accord_version agreed, jsonb_array_elements(agreed.body -> 'stages') step
where agreed.status in ('ACTIVE', 'SUPERSEDED') and step.value ->> 'key' = t1_figures.k0
order by agreed.number desc
limit 1) as "title", t1_figures.a0 as "rank",
(select step.value ->> 'group'
from accord_version agreed, jsonb_array_elements(agreed.body -> 'stages') step
where agreed.status in ('ACTIVE', 'SUPERSEDED') and step.value ->> 'key' = t1_figures.k0
order by agreed.number desc
limit 1) as "group") "$") end as "stage") "$") as "key", t1_figures.a1 as "count"
from (select t1_figures.*, count(*) over () as groups
from (select t2.stage as k0, max(t2.rank) as a0, count(*) as a1
from (select t3.*
from contact t3
where (t3.deleted_at is null) and (t3.merged_into_id is null)) t1 left join lateral (select t2.*
from stage_entry t2
where (t2.contact_id = t1.id) and (t2.evaluation_id = (select v.id
from evaluation v
where v.is_current and v.reading = 'IN_FORCE')) and (t2.exited_at is null) and (t2.present_at is not null)) t2 on true group by 1) t1_figures) t1_figures
where case when t1_figures.groups > 1000 then (t1_figures.groups || ' groups')::integer > 0 else true end
order by t1_figures.a0 nulls last, t1_figures.k0 nulls last) "$") as "groupBy") "$") as "contacts") "$"

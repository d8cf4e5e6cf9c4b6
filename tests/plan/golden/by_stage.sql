select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select t1_figures.a0 as "totalCount",
array(
select "$"
from (select t2.first_name as "firstName"
from contact t2 join lateral (select t3.*
from stage_entry t3
where (t3.contact_id = t2.id) and (t3.rank >= $1) and (not ((t3.accord_version_id, t3.stage) in (select agreed.id, step.value ->> 'key'
from accord_version agreed, jsonb_array_elements(agreed.body -> 'stages') step
where (step.value ->> 'group') is not null))) and (t3.evaluation_id = (select v.id
from evaluation v
where v.is_current and v.reading = 'IN_FORCE')) and (t3.exited_at is null) and (t3.present_at is not null)) t3 on true
where (((not ((t2.deleted_at is not null) or (t2.merged_into_id is not null) or (t2.is_test and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"TEST"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true)) or (t2.is_internal and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"INTERNAL"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true)))))) and (t2.deleted_at is null) and (t2.merged_into_id is null)
order by t2.id
limit 50) "$") as "nodes"
from (select count(*) as a0
from contact t1
where ((exists (select
from stage_entry t4
where (t4.contact_id = t1.id) and (t4.rank >= $2) and (not ((t4.accord_version_id, t4.stage) in (select agreed.id, step.value ->> 'key'
from accord_version agreed, jsonb_array_elements(agreed.body -> 'stages') step
where (step.value ->> 'group') is not null))) and (t4.evaluation_id = (select v.id
from evaluation v
where v.is_current and v.reading = 'IN_FORCE')) and (t4.exited_at is null) and (t4.present_at is not null))) and ((not ((t1.deleted_at is not null) or (t1.merged_into_id is not null) or (t1.is_test and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"TEST"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true)) or (t1.is_internal and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"INTERNAL"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true)))))) and (t1.deleted_at is null) and (t1.merged_into_id is null)) t1_figures) "$") as "contacts") "$"
-- $1: 2
-- $2: 2

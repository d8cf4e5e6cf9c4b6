select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_first as materialized (select *, row_number() over () as "#"
from (select t1.*, t4.rank as "#0"
from contact t1 join lateral (select t4.*
from stage_entry t4
where (t4.contact_id = t1.id) and (t4.evaluation_id = (select v.id
from evaluation v
where v.is_current and v.reading = 'IN_FORCE')) and (t4.exited_at is null) and (t4.present_at is not null)) t4 on true
where (true) and (t1.deleted_at is null) and (t1.merged_into_id is null)
order by t4.rank desc, t1.id desc
limit 3) t1), t1_page as materialized (select *
from t1_first union all select *, row_number() over () + (select count(*)
from t1_first) as "#"
from (select *
from (select t1.*, (null::stage_entry).rank as "#0"
from contact t1
where (((exists (select
from stage_entry t5
where (t5.contact_id = t1.id) and (t5.evaluation_id = (select v.id
from evaluation v
where v.is_current and v.reading = 'IN_FORCE')) and (t5.exited_at is null) and (t5.present_at is not null))) is not true)) and (t1.deleted_at is null) and (t1.merged_into_id is null)
order by t1.id desc
limit 3) t1
limit greatest(0, 3 - (select count(*)
from t1_first))) t1) select "$"
from (select array(
select "$"
from (select t2.first_name as "firstName",
(
select "$"
from (select t3.stage as "key", replace(to_json(t3.entered_at)::text, '+00:00"', 'Z"')::json as "since"
from stage_entry t3
where (t3.contact_id = t2.id) and (t3.evaluation_id = (select v.id
from evaluation v
where v.is_current and v.reading = 'IN_FORCE')) and (t3.exited_at is null) and (t3.present_at is not null)) "$") as "stage"
from t1_page t2
where t2."#" <= 2
order by t2."#") "$") as "nodes") "$") as "contacts") "$"

select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select (
select "$"
from (select array(
select "$"
from (select t4.stage as "stage", t4.occurrence as "occurrence", replace(to_json(t4.entered_at)::text, '+00:00"', 'Z"')::json as "enteredAt", replace(to_json(t4.own_at)::text, '+00:00"', 'Z"')::json as "ownAt", t4.exit_kind as "exitKind",
(
select "$"
from (select t5.first_name as "firstName"
from contact t5
where (t5.id = t4.contact_id) and (t5.deleted_at is null)) "$") as "contact"
from stage_entry t4
where (t4.contact_id = t2.id) and (t4.evaluation_id = (select v.id
from evaluation v
where v.is_current and v.reading = 'IN_FORCE'))
order by t4.rank, t4.contact_id, t4.stage, t4.occurrence
limit 50) "$") as "nodes") "$") as "stageEntries"
from contact t2
where (t2.id = any($1)) and (t2.deleted_at is null) and (t2.merged_into_id is null)
order by t2.id
limit 50) "$") as "nodes") "$") as "contacts") "$"
-- $1: (UUID('00000000-0000-0000-0000-00000000001f'),)

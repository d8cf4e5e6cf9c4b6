select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select t2.first_name as "firstName", t2.lead_score as "leadScore"
from contact t2
where (((t2.lead_score < $1 or t2.lead_score is null)) or ((t2.lead_score = $1) and (t2.first_name > $2 or t2.first_name is null)) or ((t2.lead_score = $1) and (t2.first_name = $2) and (t2.id > $3))) and (t2.deleted_at is null) and (t2.merged_into_id is null)
order by t2.lead_score desc nulls last, t2.first_name, t2.id
limit 50) "$") as "nodes") "$") as "contacts") "$"
-- $1: 7
-- $2: 'Ada'
-- $3: UUID('00000000-0000-0000-0000-00000000001f')

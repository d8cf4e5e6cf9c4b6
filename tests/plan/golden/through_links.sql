select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select t2.first_name as "firstName"
from contact t2
where ((exists (select
from company t3
where (t3.id = t2.company_id) and (t3.deleted_at is null))) and (exists (select
from company t4
where (t4.id = t2.company_id) and (((exists (select
from member t5
where (t5.id = t4.owner_id))) is not true) and (t4.name ilike $1)) and (t4.deleted_at is null))) and (exists (select
from touchpoint t6
where (t6.contact_id = t2.id) and (exists (select
from campaign t7
where (t7.id = t6.campaign_id) and (t7.channel = $2) and (t7.deleted_at is null))))) and (not exists (select
from touchpoint t8
where (t8.contact_id = t2.id) and ((t8.kind = any($3)) is not true)))) and (t2.deleted_at is null) and (t2.merged_into_id is null)
order by t2.id
limit 50) "$") as "nodes") "$") as "contacts") "$"
-- $1: 'AC%'
-- $2: 'EMAIL'
-- $3: ('FORM', 'CALL')

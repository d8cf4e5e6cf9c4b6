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
where (t5.id = t4.owner_id))) is not true) and (lower(t4.name) like (select lower($1::text)))) and (t4.deleted_at is null))) and ((exists (select
from touchpoint t6
where (t6.contact_id = t2.id) and (exists (select
from campaign t7
where (t7.id = t6.campaign_id) and (t7.channel = $2) and (t7.deleted_at is null))) and (t6.voided_at is null)) or (exists (select
from contact s join contact m on m.merged_into_id = s.id
where s.id = t2.id and s.merged_into_id is null) and exists (select
from touchpoint t8
where (t8.contact_id = any(array(with recursive family (id) as (select t2.id::uuid union select m.id
from family join contact m on m.merged_into_id = family.id) select id
from family))) and (exists (select
from campaign t9
where (t9.id = t8.campaign_id) and (t9.channel = $3) and (t9.deleted_at is null))) and (t8.voided_at is null))))) and (not (exists (select
from touchpoint t10
where (t10.contact_id = t2.id) and ((t10.kind = any($4)) is not true) and (t10.voided_at is null)) or (exists (select
from contact s join contact m on m.merged_into_id = s.id
where s.id = t2.id and s.merged_into_id is null) and exists (select
from touchpoint t11
where (t11.contact_id = any(array(with recursive family (id) as (select t2.id::uuid union select m.id
from family join contact m on m.merged_into_id = family.id) select id
from family))) and ((t11.kind = any($5)) is not true) and (t11.voided_at is null)))))) and (t2.deleted_at is null) and (t2.merged_into_id is null)
order by t2.id
limit 50) "$") as "nodes") "$") as "contacts") "$"
-- $1: 'AC%'
-- $2: 'EMAIL'
-- $3: 'EMAIL'
-- $4: ('FORM', 'CALL')
-- $5: ('FORM', 'CALL')

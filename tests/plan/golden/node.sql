select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select text 'Deal' as "__typename", 'deal_' || t1.id as "id", t1.name as "name",
(
select "$"
from (select (select count(*)
from deal_contact t3
where (t3.deal_id = t1.id)) as "totalCount",
array(
select "$"
from (select t4.role as "role", t4.is_primary as "isPrimary",
(
select "$"
from (select t5.first_name as "firstName"
from contact t5
where (t5.id = t4.contact_id) and (t5.deleted_at is null)) "$") as "contact"
from deal_contact t4
where (t4.deal_id = t1.id)
order by t4.contact_id, t4.deal_id
limit 50) "$") as "nodes") "$") as "contactRoles"
from deal t1
where (t1.id = $1) and (t1.deleted_at is null)) "$") as "node") "$"
-- $1: UUID('00000000-0000-0000-0000-000000000033')

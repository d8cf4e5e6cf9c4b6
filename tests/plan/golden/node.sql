select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select text 'Deal' as "__typename", 'deal_' || t1.id as "id", t1.name as "name",
(
select "$"
from (select t2_figures.a0 as "totalCount",
array(
select "$"
from (select t3.role as "role", t3.is_primary as "isPrimary",
(
select "$"
from (select t4.first_name as "firstName"
from contact t4
where (t4.id = t3.contact_id) and (t4.deleted_at is null)) "$") as "contact"
from deal_contact t3
where (t3.deal_id = t1.id) and (t3.voided_at is null)
order by t3.contact_id, t3.deal_id
limit 50) "$") as "nodes"
from (select count(*) as a0
from deal_contact t2
where (t2.deal_id = t1.id) and (t2.voided_at is null)) t2_figures) "$") as "contactRoles"
from deal t1
where (t1.id = $1) and (t1.deleted_at is null)) "$") as "node") "$"
-- $1: UUID('00000000-0000-0000-0000-000000000033')

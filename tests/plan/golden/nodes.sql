select convert_to(row_to_json("$")::text, 'UTF8')
from (select array(select case t1.kind when 0 then to_json((
select "$"
from (select text 'Deal' as "__typename", 'deal_' || t2.id as "id",
(
select "$"
from (select t3_figures.a0 as "totalCount"
from (select count(*) as a0
from deal_contact t3
where (t3.deal_id = t2.id) and (t3.voided_at is null)) t3_figures) "$") as "touched"
from deal t2
where (t2.id = t1.id) and (t2.deleted_at is null)) "$")) when 1 then to_json((
select "$"
from (select text 'Contact' as "__typename", 'contact_' || t4.id as "id", t4.first_name as "firstName",
(
select "$"
from (select t5.name as "name"
from company t5
where (t5.id = t4.company_id) and (t5.deleted_at is null)) "$") as "company"
from contact t4
where (t4.id = t1.id) and (t4.deleted_at is null)) "$")) end
from unnest($1::integer[], $2::uuid[]) with ordinality t1 (kind, id, place)
order by t1.place) as "nodes") "$"
-- $1: [0, 1, 1, 0]
-- $2: [UUID('00000000-0000-0000-0000-000000000033'), UUID('00000000-0000-0000-0000-000000000022'), UUID('00000000-0000-0000-0000-00000000001f'), UUID('00000000-0000-0000-0000-000000000033')]

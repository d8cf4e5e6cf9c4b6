select convert_to(row_to_json("$")::text, 'UTF8')
from (select array(select case t1.kind when 'deal' then to_json((
select "$"
from (select text 'Deal' as "__typename", 'deal_' || t2.id as "id",
(
select "$"
from (select (select count(*)
from deal_contact t4
where (t4.deal_id = t2.id)) as "totalCount") "$") as "touched"
from deal t2
where (t2.id = t1.id) and (t2.deleted_at is null)) "$")) when 'contact' then to_json((
select "$"
from (select text 'Contact' as "__typename", 'contact_' || t5.id as "id", t5.first_name as "firstName",
(
select "$"
from (select t6.name as "name"
from company t6
where (t6.id = t5.company_id) and (t6.deleted_at is null)) "$") as "company"
from contact t5
where (t5.id = t1.id) and (t5.deleted_at is null)) "$")) end
from unnest($1::text[], $2::uuid[]) with ordinality t1 (kind, id, place)
order by t1.place) as "nodes") "$"
-- $1: ['deal', 'contact', 'contact', 'deal']
-- $2: [UUID('00000000-0000-0000-0000-000000000033'), UUID('00000000-0000-0000-0000-000000000022'), UUID('00000000-0000-0000-0000-00000000001f'), UUID('00000000-0000-0000-0000-000000000033')]

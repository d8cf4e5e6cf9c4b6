select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select (select count(*)
from contact t2
where (t2.lead_score > $1) and (t2.id in (select t3.id
from contact t3
where (to_tsvector('simple', translate((((coalesce(t3.first_name, '') || ' ') || coalesce(t3.last_name, '')) || ' ') || coalesce(t3.email, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $2)) and (t3.deleted_at is null) offset 0)) and (t2.deleted_at is null)) as "totalCount",
array(
select "$"
from (select t4.first_name as "firstName", t4.email as "email"
from contact t4
where (t4.lead_score > $3) and (t4.id in (select t5.id
from contact t5
where (to_tsvector('simple', translate((((coalesce(t5.first_name, '') || ' ') || coalesce(t5.last_name, '')) || ' ') || coalesce(t5.email, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $4)) and (t5.deleted_at is null) offset 0)) and (t4.deleted_at is null)
order by t4.id
limit 5) "$") as "nodes") "$") as "contacts",
(
select "$"
from (select array(
select "$"
from (select t7.name as "name",
(
select "$"
from (select (select count(*)
from contact t9
where (t9.company_id = t7.id) and (to_tsvector('simple', translate((((coalesce(t9.first_name, '') || ' ') || coalesce(t9.last_name, '')) || ' ') || coalesce(t9.email, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $5)) and (t9.deleted_at is null)) as "totalCount",
array(
select "$"
from (select t10.last_name as "lastName"
from contact t10
where (t10.company_id = t7.id) and (to_tsvector('simple', translate((((coalesce(t10.first_name, '') || ' ') || coalesce(t10.last_name, '')) || ' ') || coalesce(t10.email, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $6)) and (t10.deleted_at is null)
order by t10.id
limit 50) "$") as "nodes") "$") as "contacts"
from company t7
where (t7.id in (select t11.id
from company t11
where (to_tsvector('simple', translate((coalesce(t11.name, '') || ' ') || coalesce(t11.domain, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $7)) and (t11.deleted_at is null) offset 0)) and (t7.deleted_at is null)
order by t7.id
limit 50) "$") as "nodes") "$") as "companies") "$"
-- $1: 1
-- $2: "'ada':* & 'ACME':*"
-- $3: 1
-- $4: "'ada':* & 'ACME':*"
-- $5: "'be':*"
-- $6: "'be':*"
-- $7: "'acme':* & 'ex':*"

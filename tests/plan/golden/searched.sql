select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select t1_figures.a0 as "totalCount",
array(
select "$"
from (select t2.first_name as "firstName", t2.email as "email"
from contact t2
where (t2.lead_score > $1) and (t2.id in (select t3.id
from contact t3
where (to_tsvector('simple', translate((((coalesce(t3.first_name, '') || ' ') || coalesce(t3.last_name, '')) || ' ') || coalesce(t3.email, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $2)) and (t3.deleted_at is null) offset 0)) and (t2.deleted_at is null) and (t2.merged_into_id is null)
order by t2.id
limit 5) "$") as "nodes"
from (select count(*) as a0
from contact t1
where (t1.lead_score > $3) and (t1.id in (select t4.id
from contact t4
where (to_tsvector('simple', translate((((coalesce(t4.first_name, '') || ' ') || coalesce(t4.last_name, '')) || ' ') || coalesce(t4.email, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $4)) and (t4.deleted_at is null) offset 0)) and (t1.deleted_at is null) and (t1.merged_into_id is null)) t1_figures) "$") as "contacts",
(
select "$"
from (select array(
select "$"
from (select t6.name as "name",
(
select "$"
from (select t7_figures.a0 as "totalCount",
array(
select "$"
from (select t8.last_name as "lastName"
from contact t8
where (t8.company_id = t6.id) and (to_tsvector('simple', translate((((coalesce(t8.first_name, '') || ' ') || coalesce(t8.last_name, '')) || ' ') || coalesce(t8.email, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $5)) and (t8.deleted_at is null) and (t8.merged_into_id is null)
order by t8.id
limit 50) "$") as "nodes"
from (select count(*) as a0
from contact t7
where (t7.company_id = t6.id) and (to_tsvector('simple', translate((((coalesce(t7.first_name, '') || ' ') || coalesce(t7.last_name, '')) || ' ') || coalesce(t7.email, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $6)) and (t7.deleted_at is null) and (t7.merged_into_id is null)) t7_figures) "$") as "contacts"
from company t6
where (t6.id in (select t9.id
from company t9
where (to_tsvector('simple', translate((coalesce(t9.name, '') || ' ') || coalesce(t9.domain, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $7)) and (t9.deleted_at is null) offset 0)) and (t6.deleted_at is null) and (t6.merged_into_id is null)
order by t6.id
limit 50) "$") as "nodes") "$") as "companies") "$"
-- $1: 1
-- $2: "'ada':* & 'ACME':*"
-- $3: 1
-- $4: "'ada':* & 'ACME':*"
-- $5: "'be':*"
-- $6: "'be':*"
-- $7: "'acme':* & 'ex':*"

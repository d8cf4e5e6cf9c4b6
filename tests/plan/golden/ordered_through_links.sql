select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_page as materialized (select *, row_number() over () as "#"
from (select t1.*, t4.name as "#0", t5.name as "#1"
from contact t1 left join lateral (select t4.*
from company t4
where (t4.id = t1.company_id) and (t4.deleted_at is null)) t4 on true left join lateral (select t5.*
from member t5
where (t5.id = t4.owner_id)) t5 on true
where (t1.deleted_at is null) and (t1.merged_into_id is null)
order by t4.name, t5.name desc, t1.id desc
limit 2) t1) select "$"
from (select array(
select "$"
from (select translate(encode(convert_to(json_build_array('company_id.name-0 company_id.owner_id.name+ id+', t2."#0", t2."#1", t2.id)::text, 'UTF8'), 'base64'), e'\n', '') as "cursor",
(
select "$"
from (select t2.first_name as "firstName") "$") as "node"
from t1_page t2
where t2."#" <= 1
order by t2."#" desc) "$") as "edges",
(
select "$"
from (select exists (select
from t1_page t3
where t3."#" > 1) as "hasPreviousPage") "$") as "pageInfo") "$") as "contacts") "$"

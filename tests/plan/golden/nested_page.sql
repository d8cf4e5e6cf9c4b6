select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_page as materialized (select *, row_number() over () as "#"
from (select t1.*
from contact t1
where (t1.deleted_at is null) and (t1.merged_into_id is null)
order by t1.created_at desc, t1.id desc
limit 3) t1) select "$"
from (select t1_figures.a0 as "totalCount",
array(
select "$"
from (select t2.first_name as "firstName",
(
select "$"
from (select t3.name as "name"
from company t3
where (t3.id = t2.company_id) and (t3.deleted_at is null)) "$") as "company",
(
select "$"
from (select array(
select "$"
from (select replace(to_json(t5.occurred_at)::text, '+00:00"', 'Z"')::json as "occurredAt",
(
select "$"
from (select t6.name as "name"
from campaign t6
where (t6.id = t5.campaign_id) and (t6.deleted_at is null)) "$") as "campaign"
from touchpoint t5
where (t5.contact_id = any(case when exists (select
from contact s join contact m on m.merged_into_id = s.id
where s.id = t2.id and s.merged_into_id is null) then array(with recursive family (id) as (select t2.id::uuid union select m.id
from family join contact m on m.merged_into_id = family.id) select id
from family) else array[t2.id] end)) and (t5.voided_at is null)
order by t5.occurred_at desc, t5.id desc
limit 2) "$") as "nodes") "$") as "touchpoints"
from t1_page t2
where t2."#" <= 2
order by t2."#") "$") as "nodes",
(
select "$"
from (select exists (select
from t1_page t7
where t7."#" > 2) as "hasNextPage", false as "hasPreviousPage",
(select translate(encode(convert_to(json_build_array('created_at- id-', t7.created_at, t7.id)::text, 'UTF8'), 'base64'), e'\n', '')
from t1_page t7
where t7."#" <= 2
order by t7."#" desc
limit 1) as "endCursor") "$") as "pageInfo"
from (select count(*) as a0
from contact t1
where (t1.deleted_at is null) and (t1.merged_into_id is null)) t1_figures) "$") as "contacts") "$"

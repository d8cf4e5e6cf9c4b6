select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_page as materialized (select *, row_number() over () as "#"
from (select t1.*
from contact t1
where (t1.deleted_at is null)
order by t1.created_at desc, t1.id desc
limit 3) t1) select "$"
from (select (select count(*)
from contact t2
where (t2.deleted_at is null)) as "totalCount",
array(
select "$"
from (select t3.first_name as "firstName",
(
select "$"
from (select t4.name as "name"
from company t4
where (t4.id = t3.company_id) and (t4.deleted_at is null)) "$") as "company",
(
select "$"
from (select array(
select "$"
from (select replace(to_json(t6.occurred_at)::text, '+00:00"', 'Z"')::json as "occurredAt",
(
select "$"
from (select t7.name as "name"
from campaign t7
where (t7.id = t6.campaign_id)) "$") as "campaign"
from touchpoint t6
where (t6.contact_id = t3.id)
order by t6.occurred_at desc, t6.id desc
limit 2) "$") as "nodes") "$") as "touchpoints"
from t1_page t3
where t3."#" <= 2
order by t3."#") "$") as "nodes",
(
select "$"
from (select exists (select
from t1_page t8
where t8."#" > 2) as "hasNextPage", false as "hasPreviousPage",
(select translate(encode(convert_to(json_build_array('created_at- id-', t8.created_at, t8.id)::text, 'UTF8'), 'base64'), e'\n', '')
from t1_page t8
where t8."#" <= 2
order by t8."#" desc
limit 1) as "endCursor") "$") as "pageInfo") "$") as "contacts") "$"

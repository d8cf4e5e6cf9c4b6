select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_page as materialized (select *, row_number() over () as "#"
from (select t1.*
from contact t1
where ((t1.created_at, t1.id) > ($1, $2)) and (t1.deleted_at is null) and (t1.merged_into_id is null)
order by t1.created_at, t1.id
limit 2) t1) select "$"
from (select array(
select "$"
from (select translate(encode(convert_to(json_build_array('created_at+ id+', t2.created_at, t2.id)::text, 'UTF8'), 'base64'), e'\n', '') as "cursor",
(
select "$"
from (select t2.first_name as "firstName", replace(to_json(t2.created_at)::text, '+00:00"', 'Z"')::json as "createdAt") "$") as "node"
from t1_page t2
where t2."#" <= 1
order by t2."#") "$") as "edges",
(
select "$"
from (select exists (select
from t1_page t3
where t3."#" > 1) as "hasNextPage", exists (select
from contact t4
where ((t4.created_at, t4.id) <= ($3, $4)) and (t4.deleted_at is null) and (t4.merged_into_id is null)) as "hasPreviousPage",
(select translate(encode(convert_to(json_build_array('created_at+ id+', t3.created_at, t3.id)::text, 'UTF8'), 'base64'), e'\n', '')
from t1_page t3
where t3."#" <= 1
order by t3."#"
limit 1) as "startCursor",
(select translate(encode(convert_to(json_build_array('created_at+ id+', t3.created_at, t3.id)::text, 'UTF8'), 'base64'), e'\n', '')
from t1_page t3
where t3."#" <= 1
order by t3."#" desc
limit 1) as "endCursor") "$") as "pageInfo") "$") as "contacts") "$"
-- $1: datetime.datetime(2026, 1, 10, 9, 30, tzinfo=datetime.timezone.utc)
-- $2: UUID('00000000-0000-0000-0000-00000000001f')
-- $3: datetime.datetime(2026, 1, 10, 9, 30, tzinfo=datetime.timezone.utc)
-- $4: UUID('00000000-0000-0000-0000-00000000001f')

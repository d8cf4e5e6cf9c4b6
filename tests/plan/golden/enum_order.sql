select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_page as materialized (select *, row_number() over () as "#"
from (select t1.*, t3.outcome as "#0"
from deal t1 left join lateral (select array_position(array['OPEN', 'WON', 'LOST'], t1.outcome) as outcome) t3 on true
where (t1.deleted_at is null)
order by t3.outcome desc nulls last, t1.id desc
limit 3) t1) select "$"
from (select array(
select "$"
from (select translate(encode(convert_to(json_build_array('outcome.position().outcome- id-', t2."#0", t2.id)::text, 'UTF8'), 'base64'), e'\n', '') as "cursor",
(
select "$"
from (select t2.name as "name") "$") as "node"
from t1_page t2
where t2."#" <= 2
order by t2."#") "$") as "edges") "$") as "deals") "$"

select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_page as materialized (select *, row_number() over () as "#"
from (select t1.*
from contact t1
where (((t1.lead_score is not null)) or ((t1.lead_score is null) and (t1.id > $1))) and (((t1.lead_score < $2 or t1.lead_score is null)) or ((t1.lead_score = $2) and (t1.id < $3))) and (t1.deleted_at is null) and (t1.merged_into_id is null)
order by t1.lead_score nulls first, t1.id
limit 6) t1) select "$"
from (select t1_figures.a0 as "totalCount",
array(
select "$"
from (select t2.first_name as "firstName", t2.lead_score as "leadScore"
from t1_page t2
where t2."#" <= 5
order by t2."#") "$") as "nodes",
(
select "$"
from (select exists (select
from contact t5
where (((t5.lead_score > $4)) or ((t5.lead_score = $4) and (t5.id > $5)) or ((t5.lead_score = $4) and (t5.id = $5))) and (t5.deleted_at is null) and (t5.merged_into_id is null)) or exists (select
from t1_page t3
where t3."#" > 5) as "hasNextPage", exists (select
from contact t4
where (((t4.lead_score is null) and (t4.id < $6)) or ((t4.lead_score is null) and (t4.id = $6))) and (t4.deleted_at is null) and (t4.merged_into_id is null)) as "hasPreviousPage",
(select translate(encode(convert_to(json_build_array('lead_score+0 id+', t3.lead_score, t3.id)::text, 'UTF8'), 'base64'), e'\n', '')
from t1_page t3
where t3."#" <= 5
order by t3."#"
limit 1) as "startCursor") "$") as "pageInfo"
from (select count(*) as a0
from contact t1
where (t1.deleted_at is null) and (t1.merged_into_id is null)) t1_figures) "$") as "contacts") "$"
-- $1: UUID('00000000-0000-0000-0000-000000000020')
-- $2: 7
-- $3: UUID('00000000-0000-0000-0000-00000000001f')
-- $4: 7
-- $5: UUID('00000000-0000-0000-0000-00000000001f')
-- $6: UUID('00000000-0000-0000-0000-000000000020')

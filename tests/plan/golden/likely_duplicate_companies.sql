select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_rank0 as materialized (select 0 as rank, t4.value, t4.place::text as place, t4.one, t4.other
from (select t5.value as value, t5.place as place, t5.id as one, t6.id as other
from (select t10.value, t10.place, t10.id, array_agg(t10.id) over (partition by t10.value, t10.place
order by t10.id rows between 1 following and 19 following) as later
from (select t9.value, t9.place, t9.id, count(*) over (partition by t9.value, t9.place) as sharing
from (select t7.matched_name as value, ''::text as place, t7.id as id
from company t7
where (t7.matched_name is not null) and (t7.matched_name = (select t8.matched_name
from company t8
where (t8.id = $1) and (t8.deleted_at is null) and (t8.merged_into_id is null))) and (t7.deleted_at is null) and (t7.merged_into_id is null)) t9) t10
where t10.sharing between 2 and 20) t5 cross join lateral unnest(t5.later) t6 (id)
where ($2 in (t5.id, t6.id)) and (exists (select
from company t11 join company t12 on t12.id = t6.id
where (t11.id = t5.id) and ((t11.parent_id is distinct
from t12.id) and (t12.parent_id is distinct
from t11.id)) and (t11.deleted_at is null) and (t11.merged_into_id is null))) and (not exists (select
from record_merge t13
where (t13.undone_at is not null) and (t13.survivor_id in (t5.id, t6.id)) and (t13.record_id in (t5.id, t6.id))))) t4
where true
order by t4.value, t4.place, t4.one, t4.other
limit 51), t1_page as materialized (select *, row_number() over (order by rank, value, place, one, other) as "#"
from (select *
from t1_rank0) t1
order by "#"
limit 51) select "$"
from (select array(
select "$"
from (select (
select "$"
from (select (
select "$"
from (select t3.name as "name"
from company t3
where (t3.id = case when t2.one = $3 then t2.other else t2.one end) and (t3.deleted_at is null)) "$") as "duplicate") "$") as "node"
from t1_page t2
where t2."#" <= 50
order by t2."#") "$") as "edges") "$") as "likelyDuplicateCompanies") "$"
-- $1: UUID('00000000-0000-0000-0000-000000000003')
-- $2: UUID('00000000-0000-0000-0000-000000000003')
-- $3: UUID('00000000-0000-0000-0000-000000000003')

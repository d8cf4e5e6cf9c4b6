select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_rank0 as materialized (select 0 as rank, t6.value, t6.place::text as place, t6.one, t6.other
from (select t7.value as value, t7.place as place, t7.id as one, t8.id as other
from (select t11.value, t11.place, t11.id, array_agg(t11.id) over (partition by t11.value, t11.place
order by t11.id rows between 1 following and 4 following) as later
from (select t10.value, t10.place, t10.id, count(*) over (partition by t10.value, t10.place) as sharing
from (select t9.matched_phone as value, ''::text as place, t9.id as id
from contact t9
where (t9.matched_phone is not null) and (t9.deleted_at is null) and (t9.merged_into_id is null)) t10) t11
where t11.sharing between 2 and 5) t7 cross join lateral unnest(t7.later) t8 (id)
where (exists (select
from contact t12 join contact t13 on t13.id = t8.id
where (t12.id = t7.id) and ((case when t12.phone like '+%' and t13.phone like '+%' then ltrim(regexp_replace(split_part(t12.phone, 'x', 1), '[^0-9]', '', 'g'), '0') = ltrim(regexp_replace(split_part(t13.phone, 'x', 1), '[^0-9]', '', 'g'), '0') else right(ltrim(regexp_replace(split_part(t12.phone, 'x', 1), '[^0-9]', '', 'g'), '0'), length(ltrim(regexp_replace(split_part(t13.phone, 'x', 1), '[^0-9]', '', 'g'), '0'))) = ltrim(regexp_replace(split_part(t13.phone, 'x', 1), '[^0-9]', '', 'g'), '0') or right(ltrim(regexp_replace(split_part(t13.phone, 'x', 1), '[^0-9]', '', 'g'), '0'), length(ltrim(regexp_replace(split_part(t12.phone, 'x', 1), '[^0-9]', '', 'g'), '0'))) = ltrim(regexp_replace(split_part(t12.phone, 'x', 1), '[^0-9]', '', 'g'), '0') end)) and (t12.deleted_at is null) and (t12.merged_into_id is null))) and (not exists (select
from record_merge t14
where (t14.undone_at is not null) and (t14.survivor_id in (t7.id, t8.id)) and (t14.record_id in (t7.id, t8.id))))) t6
where true
order by t6.value, t6.place, t6.one, t6.other
limit 3), t1_page as materialized (select *, row_number() over (order by rank, value, place, one, other) as "#"
from (select *
from t1_rank0) t1
order by "#"
limit 3) select "$"
from (select array(
select "$"
from (select (
select "$"
from (select t3.first_name as "firstName"
from contact t3
where (t3.id = t2.one) and (t3.deleted_at is null)) "$") as "contact",
(
select "$"
from (select t4.first_name as "firstName"
from contact t4
where (t4.id = t2.other) and (t4.deleted_at is null)) "$") as "duplicate"
from t1_page t2
where t2."#" <= 2
order by t2."#") "$") as "nodes",
(
select "$"
from (select exists (select
from t1_page t5
where t5."#" > 2) as "hasNextPage") "$") as "pageInfo") "$") as "likelyDuplicates") "$"

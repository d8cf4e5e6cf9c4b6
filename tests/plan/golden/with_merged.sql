select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select t1_figures.a0 as "totalCount",
array(
select "$"
from (select t2.first_name as "firstName",
(
select "$"
from (select t3.first_name as "firstName"
from contact t3
where (t3.id = t2.merged_into_id) and (t3.deleted_at is null)) "$") as "mergedInto",
(
select "$"
from (select array(
select "$"
from (select t5.first_name as "firstName"
from contact t5
where (t5.merged_into_id = t2.id) and (t5.deleted_at is null)
order by t5.id
limit 50) "$") as "nodes") "$") as "mergedContacts"
from contact t2
where ((not exists (select
from contact t6
where (t6.id = t2.merged_into_id) and (t6.deleted_at is null))) or (exists (select
from contact t7
where (t7.id = t2.merged_into_id) and (((false)) or (t7.last_name = $1)) and (t7.deleted_at is null)))) and (t2.deleted_at is null)
order by t2.id
limit 2) "$") as "nodes"
from (select count(*) as a0
from contact t1
where ((not exists (select
from contact t8
where (t8.id = t1.merged_into_id) and (t8.deleted_at is null))) or (exists (select
from contact t9
where (t9.id = t1.merged_into_id) and (((false)) or (t9.last_name = $2)) and (t9.deleted_at is null)))) and (t1.deleted_at is null)) t1_figures) "$") as "contacts") "$"
-- $1: 'Berg'
-- $2: 'Berg'

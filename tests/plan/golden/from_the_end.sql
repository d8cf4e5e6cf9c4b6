select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_page as materialized (select *, row_number() over () as "#"
from (select t1.*
from contact t1
where (((t1.first_name < $1)) or ((t1.first_name = $1) and (t1.id < $2))) and (t1.deleted_at is null) and (t1.merged_into_id is null)
order by t1.first_name desc, t1.id desc
limit 2) t1) select "$"
from (select array(
select "$"
from (select t2.first_name as "firstName",
(with t3_page as materialized (select *, row_number() over () as "#"
from (select t3.*
from touchpoint t3
where (t3.contact_id = any(case when exists (select
from contact s join contact m on m.merged_into_id = s.id
where s.id = t2.id and s.merged_into_id is null) then array(with recursive family (id) as (select t2.id::uuid union select m.id
from family join contact m on m.merged_into_id = family.id) select id
from family) else array[t2.id] end)) and (t3.voided_at is null)
order by t3.id desc
limit 2) t3) select "$"
from (select array(
select "$"
from (select t4.kind as "kind"
from t3_page t4
where t4."#" <= 1
order by t4."#" desc) "$") as "nodes") "$") as "touchpoints"
from t1_page t2
where t2."#" <= 1
order by t2."#" desc) "$") as "nodes",
(
select "$"
from (select exists (select
from contact t6
where (((t6.first_name > $3 or t6.first_name is null)) or ((t6.first_name = $3) and (t6.id > $4)) or ((t6.first_name = $3) and (t6.id = $4))) and (t6.deleted_at is null) and (t6.merged_into_id is null)) as "hasNextPage", exists (select
from t1_page t5
where t5."#" > 1) as "hasPreviousPage") "$") as "pageInfo") "$") as "contacts") "$"
-- $1: 'Carl'
-- $2: UUID('00000000-0000-0000-0000-000000000021')
-- $3: 'Carl'
-- $4: UUID('00000000-0000-0000-0000-000000000021')

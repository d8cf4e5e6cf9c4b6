select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select t1_figures.a0 as "totalCount"
from (select count(*) as a0
from company t1
where (((select (count(*) >= $1)
from deal t2
where (t2.company_id = t1.id) and (t2.outcome = $2) and (t2.deleted_at is null))) and ((select (sum(t3.probability)::numeric < $3)
from deal t3
where (t3.company_id = t1.id) and (t3.outcome = $4) and (t3.deleted_at is null))) and ((select (round(avg(t4.probability), 6) = $5)
from deal t4
where (t4.company_id = t1.id) and (t4.outcome = $6) and (t4.deleted_at is null))) and ((select (min(t5.close_date) is null)
from deal t5
where (t5.company_id = t1.id) and (t5.outcome = $7) and (t5.deleted_at is null))) and ((select (max(t6.created_at) < $8) and (max(t6.created_at) >= $9)
from deal t6
where (t6.company_id = t1.id) and (t6.outcome = $10) and (t6.deleted_at is null)))) and (t1.deleted_at is null) and (t1.merged_into_id is null)) t1_figures) "$") as "companies",
(with t7_page as materialized (select *, row_number() over () as "#"
from (select t7.*, t9.value as "#0", t12.value as "#1"
from contact t7 left join lateral (select max(t10.occurred_at) as value
from touchpoint t10
where (t10.contact_id = any(case when exists (select
from contact s join contact m on m.merged_into_id = s.id
where s.id = t7.id and s.merged_into_id is null) then array(with recursive family (id) as (select t7.id::uuid union select m.id
from family join contact m on m.merged_into_id = family.id) select id
from family) else array[t7.id] end)) and (t10.voided_at is null) having t7.id is not null) t9 on true left join lateral (select t11.*
from company t11
where (t11.id = t7.company_id) and (t11.deleted_at is null)) t11 on true left join lateral (select count(*) as value
from deal t13
where (t13.company_id = t11.id) and (t13.outcome = $11) and (t13.deleted_at is null) having t11.id is not null) t12 on true
where (t7.deleted_at is null) and (t7.merged_into_id is null)
order by t9.value, t12.value desc nulls last, t7.id desc
limit 3) t7) select "$"
from (select array(
select "$"
from (select translate(encode(convert_to(json_build_array('touchpoint.contact_id.max(occurred_at).value+ company_id.deal.company_id.count()[4617fac246579664].value- id-', t8."#0", t8."#1", t8.id)::text, 'UTF8'), 'base64'), e'\n', '') as "cursor",
(
select "$"
from (select t8.first_name as "firstName") "$") as "node"
from t7_page t8
where t8."#" <= 2
order by t8."#") "$") as "edges") "$") as "contacts") "$"
-- $1: 1
-- $2: 'OPEN'
-- $3: Decimal('1')
-- $4: 'OPEN'
-- $5: Decimal('0.25')
-- $6: 'OPEN'
-- $7: 'OPEN'
-- $8: datetime.datetime(2027, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
-- $9: datetime.datetime(2026, 1, 1, 0, 0, tzinfo=datetime.timezone.utc)
-- $10: 'OPEN'
-- $11: 'OPEN'

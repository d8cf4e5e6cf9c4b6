select case when (not exists (select
from (select t1.currency as currency
from campaign t1
where (t1.budget is not null) and (t1.budget >= $1) and (t1.deleted_at is null)
limit 1) t3
where exists (select
from campaign t2
where (t2.budget is not null) and (t2.budget >= $2) and (t2.currency is distinct
from t3.currency) and (t2.deleted_at is null)))) and (not exists (select
from (select t4.currency as currency
from campaign t4
where (t4.budget is not null) and (t4.deleted_at is null)
limit 1) t6
where exists (select
from campaign t5
where (t5.budget is not null) and (t5.currency is distinct
from t6.currency) and (t5.deleted_at is null)))) then (select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select t2.name as "name"
from campaign t2
where (t2.budget >= $3) and (t2.deleted_at is null)
order by t2.budget desc, t2.id desc
limit 50) "$") as "nodes") "$") as "campaigns") "$") end
-- $1: Decimal('50')
-- $2: Decimal('50')
-- $3: Decimal('50')

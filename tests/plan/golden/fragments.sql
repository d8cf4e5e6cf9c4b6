select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select 'deal_' || t2.id as "id", t2.probability::text as "probability",
(
select "$"
from (select t3.name as "name", t3.domain as "domain"
from company t3
where (t3.id = t2.company_id) and (t3.deleted_at is null)) "$") as "company", case when t2.amount is not null then (
select "$"
from (select t2.currency as "currency", t2.amount::text as "amount") "$") end as "amount"
from deal t2
where (t2.deleted_at is null)
order by t2.id
limit 1) "$") as "nodes") "$") as "deals") "$"

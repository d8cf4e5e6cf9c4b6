select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select t2.name as "name", t2.employees as "employees"
from company t2
where (((lower(t2.name) like (select lower($1::text))) or (lower(t2.domain) like (select lower($2::text)))) and ((t2.annual_revenue = $3) is not true)) and (t2.deleted_at is null) and (t2.merged_into_id is null)
order by t2.employees desc nulls last, t2.name, t2.id
limit 50) "$") as "nodes") "$") as "companies") "$"
-- $1: '%\\_C\\%%'
-- $2: '%ACME%'
-- $3: Decimal('7')

select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select t2.name as "name", not ((t2.deleted_at is not null) or (t2.id in (select a.deal_id
from contact x join deal_contact a on a.contact_id = x.id and a.voided_at is null
where (x.is_test and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"TEST"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true) or x.is_internal and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"INTERNAL"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true)) and a.deal_id = t2.id and not exists (select
from deal_contact b join contact x on x.id = b.contact_id
where b.deal_id = a.deal_id and b.voided_at is null and not (x.is_test and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"TEST"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true) or x.is_internal and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"INTERNAL"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true)))))) as "isCounted", array_remove(array[case when t2.deleted_at is not null then text 'DELETED' end, case when not exists (select
from deal_contact a join contact x on x.id = a.contact_id
where a.deal_id = t2.id and a.voided_at is null and not (x.is_test and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"TEST"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true) or x.is_internal and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"INTERNAL"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true)) offset 0) and exists (select
from deal_contact a join contact x on x.id = a.contact_id
where a.deal_id = t2.id and a.voided_at is null and x.is_test and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"TEST"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true) offset 0) then text 'TEST' end, case when not exists (select
from deal_contact a join contact x on x.id = a.contact_id
where a.deal_id = t2.id and a.voided_at is null and not (x.is_test and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"TEST"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true) or x.is_internal and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"INTERNAL"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true)) offset 0) and exists (select
from deal_contact a join contact x on x.id = a.contact_id
where a.deal_id = t2.id and a.voided_at is null and x.is_internal and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"INTERNAL"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true) offset 0) then text 'INTERNAL' end], null) as "notCountedBecause"
from deal t2
where ((not ((t2.deleted_at is not null) or (t2.id in (select a.deal_id
from contact x join deal_contact a on a.contact_id = x.id and a.voided_at is null
where (x.is_test and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"TEST"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true) or x.is_internal and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"INTERNAL"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true)) and not exists (select
from deal_contact b join contact x on x.id = b.contact_id
where b.deal_id = a.deal_id and b.voided_at is null and not (x.is_test and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"TEST"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true) or x.is_internal and coalesce((select (agreed.body #> '{reporting,exclude}') @> '"INTERNAL"'
from accord_version agreed
where agreed.status = 'ACTIVE'), true)))))))) and (t2.deleted_at is null)
order by t2.id
limit 2) "$") as "nodes") "$") as "deals") "$"

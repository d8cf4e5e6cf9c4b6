select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select t2.name as "name"
from deal t2
where (round(case when t2.currency = (select agreed.body #>> '{reporting,currency}'
from accord_version agreed
where agreed.status = 'ACTIVE') then t2.amount else coalesce(t2.amount * (select x.rate
from exchange_rate x
where x.currency = t2.currency and x.quote_currency = (select agreed.body #>> '{reporting,currency}'
from accord_version agreed
where agreed.status = 'ACTIVE') and x.rate_on <= (coalesce(t2.closed_at, now()) at time zone coalesce((select agreed.body #>> '{reporting,timezone}'
from accord_version agreed
where agreed.status = 'ACTIVE'), 'UTC'))::date and x.deleted_at is null
order by x.rate_on desc
limit 1), t2.amount / (select x.rate
from exchange_rate x
where x.currency = (select agreed.body #>> '{reporting,currency}'
from accord_version agreed
where agreed.status = 'ACTIVE') and x.quote_currency = t2.currency and x.rate_on <= (coalesce(t2.closed_at, now()) at time zone coalesce((select agreed.body #>> '{reporting,timezone}'
from accord_version agreed
where agreed.status = 'ACTIVE'), 'UTC'))::date and x.deleted_at is null
order by x.rate_on desc
limit 1)) end, 2) is null) and (t2.deleted_at is null)
order by t2.id
limit 50) "$") as "nodes") "$") as "deals") "$"

select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select (
select "$"
from (select t1_figures.k0 as "name") "$") as "key",
(
select "$"
from (select (
select "$"
from (select (
select "$"
from (select t1_figures.a0::text as "amount",
(select agreed.body #>> '{reporting,currency}'
from accord_version agreed
where agreed.status = 'ACTIVE') as "currency", t1_figures.a1 as "unconvertedCount") "$") as "annualRevenueConverted") "$") as "sum") "$") as "aggregate"
from (select t1.name as k0, sum(t1.annual_revenue$)::numeric as a0, count(*) filter (where t1.annual_revenue is not null and t1.annual_revenue$ is null) as a1
from (select t2.*, round(case when t2.currency = (select agreed.body #>> '{reporting,currency}'
from accord_version agreed
where agreed.status = 'ACTIVE') then t2.annual_revenue else case when t4.is_inverse then t2.annual_revenue / t4.rate else t2.annual_revenue * t4.rate end end, 2) as annual_revenue$
from company t2 left join (select k.pair, x.*
from (select p.currency || (p.day - date '2000-01-01') as pair, min(p.day) as day, min(p.currency) as currency
from (select (now() at time zone coalesce((select agreed.body #>> '{reporting,timezone}'
from accord_version agreed
where agreed.status = 'ACTIVE'), 'UTC'))::date as day, t3.currency as currency
from company t3
where (t3.currency <> (select agreed.body #>> '{reporting,currency}'
from accord_version agreed
where agreed.status = 'ACTIVE')) and (t3.deleted_at is null) and (t3.merged_into_id is null) offset 0) p group by 1) k cross join lateral ((select x.rate, false as is_inverse
from exchange_rate x
where x.currency = k.currency and x.quote_currency = (select agreed.body #>> '{reporting,currency}'
from accord_version agreed
where agreed.status = 'ACTIVE') and x.rate_on <= k.day and x.deleted_at is null
order by x.rate_on desc
limit 1) union all (select x.rate, true
from exchange_rate x
where x.currency = (select agreed.body #>> '{reporting,currency}'
from accord_version agreed
where agreed.status = 'ACTIVE') and x.quote_currency = k.currency and x.rate_on <= k.day and x.deleted_at is null
order by x.rate_on desc
limit 1)
limit 1) x) t4 on t4.pair = case when t2.currency <> (select agreed.body #>> '{reporting,currency}'
from accord_version agreed
where agreed.status = 'ACTIVE') then t2.currency || ((now() at time zone coalesce((select agreed.body #>> '{reporting,timezone}'
from accord_version agreed
where agreed.status = 'ACTIVE'), 'UTC'))::date - date '2000-01-01') end
where (t2.deleted_at is null) and (t2.merged_into_id is null) offset 0) t1 group by 1) t1_figures
order by t1_figures.k0 nulls last
limit 2) "$") as "groupBy",
(select count(*)
from (select t1.name as k0
from company t1
where (t1.deleted_at is null) and (t1.merged_into_id is null) group by 1) t1_figures) as "groupCount") "$") as "companies") "$"

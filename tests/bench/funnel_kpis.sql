-- Every KPI by hand, for the period from :start up to :end as seen at :as_of; :evaluation is the current one.
-- A block begins with the key of its KPI, and returns what the answer's figure of that name must be.

-- stage_volume
select count(*) as n, count(*) filter (where is_implied) as implied
from stage_entry e
where evaluation_id = :evaluation
  and stage in ('suspect', 'inquiry', 'mql', 'sal', 'sql', 'opportunity', 'customer')
  and entered_at >= :start and entered_at < :end and occurrence = 1
  and not exists (select from contact x where x.id = e.contact_id
    and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))

-- mqls
select count(*) as n, count(*) filter (where is_implied) as implied
from stage_entry e
where evaluation_id = :evaluation and stage = 'mql' and entered_at >= :start and entered_at < :end and occurrence = 1
  and not exists (select from contact x where x.id = e.contact_id
    and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))

-- sqls
select count(*) as n, count(*) filter (where is_implied) as implied
from stage_entry e
where evaluation_id = :evaluation and stage = 'sql' and entered_at >= :start and entered_at < :end and occurrence = 1
  and not exists (select from contact x where x.id = e.contact_id
    and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))

-- deals_won
select count(*) as n from deal d
where outcome = 'WON' and closed_at >= :start and closed_at < :end and deleted_at is null
  and not exists (
    select from deal_contact a join contact x on x.id = a.contact_id where a.deal_id = d.id
    having bool_and(x.is_test or x.is_internal)
  )

-- win_rate
select count(*) as n, count(*) filter (where outcome = 'WON') as numerator from deal d
where outcome in ('WON', 'LOST') and closed_at >= :start and closed_at < :end and deleted_at is null
  and not exists (
    select from deal_contact a join contact x on x.id = a.contact_id where a.deal_id = d.id
    having bool_and(x.is_test or x.is_internal)
  )

-- sales_cycle
select count(took) as n, percentile_cont(array[0.5, 0.75, 0.9]) within group (order by took) as percentiles,
  avg(took) as mean
from (
  select extract(epoch from closed_at - opened_at)::double precision as took from deal d
  where outcome = 'WON' and closed_at >= :start and closed_at < :end and opened_at <= closed_at and deleted_at is null
    and not exists (
      select from deal_contact a join contact x on x.id = a.contact_id where a.deal_id = d.id
      having bool_and(x.is_test or x.is_internal)
    )
) won

-- stage_conversion
select count(*) as n, count(t.contact_id) as numerator, count(*) filter (where b.is_implied) as implied,
  count(*) filter (where o.contact_id is null and b.entered_at + interval '672 hours' >= :as_of) as waiting
from stage_entry b
left join stage_entry o on o.evaluation_id = :evaluation and o.contact_id = b.contact_id and o.stage = 'sql'
  and o.occurrence = 1 and o.entered_at < :as_of
left join lateral (select b.contact_id where o.entered_at >= b.entered_at
  and o.entered_at <= b.entered_at + interval '672 hours') t on true
where b.evaluation_id = :evaluation and b.stage = 'mql' and b.occurrence = 1
  and b.entered_at >= :start and b.entered_at < :end
  and not exists (select from contact x where x.id = b.contact_id
    and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))

-- mql_to_customer
select count(*) as n, count(t.contact_id) as numerator, count(*) filter (where b.is_implied) as implied,
  count(*) filter (where o.contact_id is null and b.entered_at + interval '5712 hours' >= :as_of) as waiting
from stage_entry b
left join stage_entry o on o.evaluation_id = :evaluation and o.contact_id = b.contact_id and o.stage = 'customer'
  and o.occurrence = 1 and o.entered_at < :as_of
left join lateral (select b.contact_id where o.entered_at >= b.entered_at
  and o.entered_at <= b.entered_at + interval '5712 hours') t on true
where b.evaluation_id = :evaluation and b.stage = 'mql' and b.occurrence = 1
  and b.entered_at >= :start and b.entered_at < :end
  and not exists (select from contact x where x.id = b.contact_id
    and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))

-- time_to_convert
select count(took) as n, percentile_cont(array[0.5, 0.75, 0.9]) within group (order by took) as percentiles,
  avg(took) as mean
from (
  select extract(epoch from o.entered_at - b.entered_at)::double precision as took
  from stage_entry b
  join stage_entry o on o.evaluation_id = :evaluation and o.contact_id = b.contact_id and o.stage = 'sql'
    and o.occurrence = 1 and o.entered_at < :as_of and o.entered_at >= b.entered_at
    and o.entered_at <= b.entered_at + interval '672 hours'
  where b.evaluation_id = :evaluation and b.stage = 'mql' and b.occurrence = 1
    and b.entered_at >= :start and b.entered_at < :end
    and not exists (select from contact x where x.id = b.contact_id
      and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))
) converted

-- new_customers
select count(*) as n
from (
  select distinct on (customer) at
  from (
    select d.id, d.closed_at as at, coalesce(d.company_id, w.company_id, p.contact_id, d.id) as customer
    from deal d
    left join lateral (
      select contact_id from deal_contact a where a.deal_id = d.id and d.company_id is null
      order by is_primary desc, since nulls first, contact_id limit 1
    ) p on true
    left join lateral (
      select v.company_id from contact_version v
      where v.contact_id = p.contact_id and coalesce(v.valid_from, v.recorded_at) <= d.closed_at
        and (v.valid_to is null or v.valid_to > d.closed_at)
    ) w on true
    where outcome = 'WON' and closed_at < :end and deleted_at is null
      and not exists (
        select from deal_contact a join contact x on x.id = a.contact_id where a.deal_id = d.id
        having bool_and(x.is_test or x.is_internal)
      )
  ) won order by customer, at, id
) first where at >= :start

-- funnel
with person as (
  select max(e.rank) as rank, max(e.rank) filter (where e.exited_at is null or e.exited_at >= :as_of) as standing,
    bit_or(case when e.is_implied and e.occurrence = 1 then 1 << (e.rank - 1) else 0 end) as skipped
  from stage_entry b join stage_entry e on e.contact_id = b.contact_id
  where b.evaluation_id = :evaluation and b.stage = 'suspect' and b.occurrence = 1
    and b.entered_at >= :start and b.entered_at < :end
    and e.evaluation_id = :evaluation and e.entered_at < :as_of
    and not exists (select from contact x where x.id = b.contact_id
      and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))
  group by b.contact_id
), way as (
  select rank, standing, skipped, count(*) as people from person group by 1, 2, 3
)
select k.rank, sum(people) filter (where w.rank >= k.rank) as reached,
  coalesce(sum(people) filter (where w.rank >= k.rank and w.skipped >> (k.rank - 1) & 1 = 1), 0) as implied,
  coalesce(max(e.entered), 0) as entered
from generate_series(1, 7) k (rank) cross join way w
left join (
  select rank, count(*) as entered from stage_entry e
  where evaluation_id = :evaluation and entered_at >= :start and entered_at < :end and occurrence = 1
    and stage in ('suspect', 'inquiry', 'mql', 'sal', 'sql', 'opportunity', 'customer')
    and not exists (select from contact x where x.id = e.contact_id
      and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))
  group by rank
) e on e.rank = k.rank
group by k.rank order by k.rank

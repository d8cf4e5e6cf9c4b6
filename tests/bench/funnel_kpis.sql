-- KPIs by hand, for the period from :start up to :end as of :as_of; :evaluation is the id of the current evaluation.
-- A block begins with the key of its KPI. Its columns have the names of the figures that they must equal.

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
  and d.id not in (
    select a.deal_id from contact x join deal_contact a on a.contact_id = x.id
    where (x.is_test or x.is_internal) and not exists (
      select from deal_contact b join contact y on y.id = b.contact_id
      where b.deal_id = a.deal_id and not (y.is_test or y.is_internal)
    )
  )

-- win_rate
select count(*) as n, count(*) filter (where outcome = 'WON') as numerator from deal d
where outcome in ('WON', 'LOST') and closed_at >= :start and closed_at < :end and deleted_at is null
  and d.id not in (
    select a.deal_id from contact x join deal_contact a on a.contact_id = x.id
    where (x.is_test or x.is_internal) and not exists (
      select from deal_contact b join contact y on y.id = b.contact_id
      where b.deal_id = a.deal_id and not (y.is_test or y.is_internal)
    )
  )

-- sales_cycle
select count(took) as n, percentile_cont(array[0.5, 0.75, 0.9]) within group (order by took) as percentiles,
  avg(took) as mean
from (
  select extract(epoch from closed_at - opened_at)::double precision as took from deal d
  where outcome = 'WON' and closed_at >= :start and closed_at < :end and opened_at <= closed_at and deleted_at is null
    and d.id not in (
      select a.deal_id from contact x join deal_contact a on a.contact_id = x.id
      where (x.is_test or x.is_internal) and not exists (
        select from deal_contact b join contact y on y.id = b.contact_id
        where b.deal_id = a.deal_id and not (y.is_test or y.is_internal)
      )
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
  select extract(epoch from o.own_at - b.own_at)::double precision as took
  from (
    select contact_id, min(own_at) as own_at from stage_entry
    where evaluation_id = :evaluation and stage = 'mql' and own_at is not null group by 1
  ) b
  join (
    select contact_id, min(own_at) as own_at from stage_entry
    where evaluation_id = :evaluation and stage = 'sql' and own_at is not null group by 1
  ) o on o.contact_id = b.contact_id and o.own_at < :as_of and o.own_at >= b.own_at
    and o.own_at <= b.own_at + interval '672 hours'
  where b.own_at >= :start and b.own_at < :end
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
      and d.id not in (
        select a.deal_id from contact x join deal_contact a on a.contact_id = x.id
        where (x.is_test or x.is_internal) and not exists (
          select from deal_contact b join contact y on y.id = b.contact_id
          where b.deal_id = a.deal_id and not (y.is_test or y.is_internal)
        )
      )
  ) won order by customer, at, id
) first where at >= :start

-- opportunities_created
select count(*) as n from deal d
left join deal_version v on v.deal_id = d.id and coalesce(v.valid_from, v.recorded_at) <= d.opened_at
  and (v.valid_to is null or v.valid_to > d.opened_at)
left join pipeline_stage s on s.id = v.pipeline_stage_id
left join pipeline p on p.id = s.pipeline_id
where d.opened_at >= :start and d.opened_at < :end and d.deleted_at is null and p.is_new_business is not false
  and d.id not in (
    select a.deal_id from contact x join deal_contact a on a.contact_id = x.id
    where (x.is_test or x.is_internal) and not exists (
      select from deal_contact b join contact y on y.id = b.contact_id
      where b.deal_id = a.deal_id and not (y.is_test or y.is_internal)
    )
  )

-- revenue_won
select count(*) as n, sum(worth) as value
from (
  select round(case when v.currency = 'EUR' then v.amount else v.amount * r.rate end, 2) as worth
  from deal d
  cross join lateral (
    select amount, currency from deal_version h
    where h.deal_id = d.id and h.outcome = d.outcome and h.closed_at = d.closed_at
      and (h.valid_to is null or h.valid_to > coalesce(h.valid_from, h.recorded_at))
    order by coalesce(h.valid_from, h.recorded_at), h.id limit 1
  ) v
  left join lateral (
    select rate from exchange_rate x
    where x.currency = v.currency and x.quote_currency = 'EUR'
      and x.rate_on <= (d.closed_at at time zone 'UTC')::date
    order by rate_on desc limit 1
  ) r on true
  where d.outcome = 'WON' and d.closed_at >= :start and d.closed_at < :end and d.deleted_at is null
    and d.id not in (
      select a.deal_id from contact x join deal_contact a on a.contact_id = x.id
      where (x.is_test or x.is_internal) and not exists (
        select from deal_contact b join contact y on y.id = b.contact_id
        where b.deal_id = a.deal_id and not (y.is_test or y.is_internal)
      )
    )
) won

-- avg_deal_size
select count(*) as n, sum(worth) as numerator, percentile_cont(array[0.5, 0.75, 0.9]) within group (order by worth)
  as percentiles
from (
  select round(case when v.currency = 'EUR' then v.amount else v.amount * r.rate end, 2) as worth
  from deal d
  cross join lateral (
    select amount, currency from deal_version h
    where h.deal_id = d.id and h.outcome = d.outcome and h.closed_at = d.closed_at
      and (h.valid_to is null or h.valid_to > coalesce(h.valid_from, h.recorded_at))
    order by coalesce(h.valid_from, h.recorded_at), h.id limit 1
  ) v
  left join lateral (
    select rate from exchange_rate x
    where x.currency = v.currency and x.quote_currency = 'EUR'
      and x.rate_on <= (d.closed_at at time zone 'UTC')::date
    order by rate_on desc limit 1
  ) r on true
  where d.outcome = 'WON' and d.closed_at >= :start and d.closed_at < :end and d.deleted_at is null
    and d.id not in (
      select a.deal_id from contact x join deal_contact a on a.contact_id = x.id
      where (x.is_test or x.is_internal) and not exists (
        select from deal_contact b join contact y on y.id = b.contact_id
        where b.deal_id = a.deal_id and not (y.is_test or y.is_internal)
      )
    )
) won

-- pipeline_created
select count(worth) as n, sum(worth) as value
from (
  select round(case when v.currency = 'EUR' then v.amount else v.amount * r.rate end, 2) as worth
  from deal d
  left join lateral (
    select amount, currency from deal_version h
    where h.deal_id = d.id
      and (h.valid_to is null or h.valid_to > greatest(d.opened_at, coalesce(h.valid_from, h.recorded_at)))
    order by coalesce(h.valid_from, h.recorded_at), h.id limit 1
  ) v on true
  left join lateral (
    select rate from exchange_rate x
    where x.currency = v.currency and x.quote_currency = 'EUR'
      and x.rate_on <= (d.opened_at at time zone 'UTC')::date
    order by rate_on desc limit 1
  ) r on true
  where d.opened_at >= :start and d.opened_at < :end and d.deleted_at is null
    and d.id not in (
      select a.deal_id from contact x join deal_contact a on a.contact_id = x.id
      where (x.is_test or x.is_internal) and not exists (
        select from deal_contact b join contact y on y.id = b.contact_id
        where b.deal_id = a.deal_id and not (y.is_test or y.is_internal)
      )
    )
) opened

-- open_pipeline
select count(*) as n, sum(round(case when v.currency = 'EUR' then v.amount else v.amount * r.rate end, 2)) as value
from deal_version v
join deal d on d.id = v.deal_id
left join pipeline_stage s on s.id = v.pipeline_stage_id
left join lateral (
  select rate from exchange_rate x
  where x.currency = v.currency and x.quote_currency = 'EUR'
    and x.rate_on < (:end at time zone 'UTC')::date
  order by rate_on desc limit 1
) r on true
where v.outcome = 'OPEN' and coalesce(v.valid_from, v.recorded_at) < :end and (v.valid_to is null or v.valid_to >= :end)
  and d.deleted_at is null
  and d.id not in (
    select a.deal_id from contact x join deal_contact a on a.contact_id = x.id
    where (x.is_test or x.is_internal) and not exists (
      select from deal_contact b join contact y on y.id = b.contact_id
      where b.deal_id = a.deal_id and not (y.is_test or y.is_internal)
    )
  )

-- weighted_pipeline
select count(*) as n, sum(round(case when v.currency = 'EUR' then v.amount else v.amount * r.rate end
  * coalesce(v.probability, s.probability), 2)) as value
from deal_version v
join deal d on d.id = v.deal_id
left join pipeline_stage s on s.id = v.pipeline_stage_id
left join lateral (
  select rate from exchange_rate x
  where x.currency = v.currency and x.quote_currency = 'EUR'
    and x.rate_on < (:end at time zone 'UTC')::date
  order by rate_on desc limit 1
) r on true
where v.outcome = 'OPEN' and coalesce(v.valid_from, v.recorded_at) < :end and (v.valid_to is null or v.valid_to >= :end)
  and d.deleted_at is null
  and d.id not in (
    select a.deal_id from contact x join deal_contact a on a.contact_id = x.id
    where (x.is_test or x.is_internal) and not exists (
      select from deal_contact b join contact y on y.id = b.contact_id
      where b.deal_id = a.deal_id and not (y.is_test or y.is_internal)
    )
  )

-- mql_acceptance
select count(*) as n, count(*) filter (where status = 'ACCEPTED') as numerator from handoff h
where status in ('ACCEPTED', 'REJECTED') and decided_at >= :start and decided_at < :end
  and not exists (select from contact x where x.id = h.contact_id
    and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))

-- rejection_rate
select count(*) as n, count(*) filter (where status = 'REJECTED') as numerator from handoff h
where status in ('ACCEPTED', 'REJECTED') and decided_at >= :start and decided_at < :end
  and not exists (select from contact x where x.id = h.contact_id
    and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))

-- time_in_stage
select count(*) filter (where is_over) as n, count(*) filter (where is_over is not true) as waiting,
  percentile_cont(array[0.5, 0.75, 0.9]) within group (order by took) as percentiles, avg(took) as mean
from (
  select exited_at < :as_of as is_over,
    case when exited_at < :as_of then extract(epoch from exited_at - own_at)::double precision end as took
  from stage_entry e
  where evaluation_id = :evaluation
    and stage in ('suspect', 'inquiry', 'mql', 'sal', 'sql', 'opportunity', 'customer')
    and own_at >= :start and own_at < :end and (exited_at is null or exited_at >= own_at)
    and not exists (select from contact x where x.id = e.contact_id
    and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))
) stay

-- speed_to_lead
select count(took) as n,
  percentile_cont(array[0.5, 0.75, 0.9]) within group (order by took) as percentiles, avg(took) as mean
from (
  select extract(epoch from t.at - e.own_at)::double precision as took
  from (
    select contact_id, min(own_at) as own_at from stage_entry
    where evaluation_id = :evaluation and stage = 'inquiry' and own_at is not null group by 1
  ) e
  cross join lateral (
    select min(occurred_at) as at from touchpoint t
    where t.contact_id = e.contact_id and t.direction = 'OUTBOUND' and not t.is_automated
      and t.occurred_at >= e.own_at and t.occurred_at < :as_of
  ) t
  where e.own_at >= :start and e.own_at < :end and not exists (select from contact x where x.id = e.contact_id
    and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))
) waited

-- touches_per_contact_7d
select count(*) as n, avg(touches::double precision) as mean,
  percentile_cont(array[0.5, 0.75, 0.9]) within group (order by touches::double precision) as percentiles
from (
  select contact_id, count(*) as touches from touchpoint
  where direction = 'OUTBOUND' and occurred_at > :end - interval '168 hours' and occurred_at < :end group by 1
) p where not exists (select from contact x where x.id = p.contact_id
    and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))

-- over_pressure_rate
select count(*) as n, count(*) filter (where is_over) as numerator
from (
  select contact_id, bool_or(prior + interval '168 hours' > greatest(at, :start)) as is_over
  from (
    select contact_id, occurred_at as at,
      lag(occurred_at, 5) over (partition by contact_id order by occurred_at) as prior
    from touchpoint t
    where direction = 'OUTBOUND' and not is_automated
      and occurred_at >= :start - interval '168 hours' and occurred_at < :end
      and not exists (
        select from touchpoint i where i.contact_id = t.contact_id and i.direction = 'INBOUND'
          and i.occurred_at > t.occurred_at - interval '24 hours' and i.occurred_at <= t.occurred_at
      )
  ) ours group by contact_id having max(at) >= :start
) p where not exists (select from contact x where x.id = p.contact_id
    and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))

-- stage_integrity
select count(*) as n, count(*) filter (where s.stage = r.stage) as numerator
from (
  select distinct on (contact_id) contact_id, stage from reported_stage
  where stage is not null and coalesce(entered_at, recorded_at) < :end
  order by contact_id, coalesce(entered_at, recorded_at) desc,
    array_position(array['suspect', 'inquiry', 'mql', 'sal', 'sql', 'opportunity', 'customer'], stage) desc nulls last,
    id desc
) r
left join lateral (
  select stage from stage_entry e
  where e.contact_id = r.contact_id and e.evaluation_id = :evaluation and e.entered_at < :end
    and (e.exited_at is null or e.exited_at >= :end)
  order by rank desc limit 1
) s on true
where not exists (select from contact x where x.id = r.contact_id
    and (x.is_test or x.is_internal or x.deleted_at is not null or x.merged_into_id is not null))

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

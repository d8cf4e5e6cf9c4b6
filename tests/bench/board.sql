-- A board of KPIs by hand over raw facts, by channel and month, from :start up to :end as of :as_of. The first entries
-- are those of funnel_standard.sql, in the table hand_entry. :months are the boundaries of the months.
-- A block begins with the key of its KPI, and returns channel, bucket (from 1), n and value.

-- prelude
create temp table hand_touch on commit drop as
select distinct on (contact_id) contact_id, occurred_at as at, channel from touchpoint
where direction = 'INBOUND' and voided_at is null order by contact_id, occurred_at, id;

create temp table hand_excluded on commit drop as
select id from contact where is_test or is_internal or deleted_at is not null or merged_into_id is not null;

create temp table hand_excluded_deal on commit drop as
select id from deal where deleted_at is not null
union
select a.deal_id from contact x join deal_contact a on a.contact_id = x.id and a.voided_at is null
where (x.is_test or x.is_internal) and not exists (
  select from deal_contact b join contact y on y.id = b.contact_id
  where b.deal_id = a.deal_id and b.voided_at is null and not (y.is_test or y.is_internal)
);

analyze hand_touch, hand_excluded, hand_excluded_deal, hand_entry;

-- mqls
select case when f.at <= e.entered_at then f.channel end as channel, width_bucket(e.entered_at, :months) as bucket,
  count(*) as n, count(*)::numeric as value
from hand_entry e left join hand_touch f using (contact_id)
where e.stage = 'mql' and e.occurrence = 1 and e.entered_at >= :start and e.entered_at < :end
  and e.contact_id not in (select id from hand_excluded)
group by 1, 2

-- sqls
select case when f.at <= e.entered_at then f.channel end as channel, width_bucket(e.entered_at, :months) as bucket,
  count(*) as n, count(*)::numeric as value
from hand_entry e left join hand_touch f using (contact_id)
where e.stage = 'sql' and e.occurrence = 1 and e.entered_at >= :start and e.entered_at < :end
  and e.contact_id not in (select id from hand_excluded)
group by 1, 2

-- opportunities_created
select g.channel, width_bucket(d.opened_at, :months) as bucket, count(*) as n, count(*)::numeric as value
from deal d
left join deal_version v on v.deal_id = d.id and coalesce(v.valid_from, v.recorded_at) <= d.opened_at
  and (v.valid_to is null or v.valid_to > d.opened_at)
left join campaign g on g.id = v.primary_campaign_id
left join pipeline_stage s on s.id = v.pipeline_stage_id
left join pipeline p on p.id = s.pipeline_id
where d.opened_at >= :start and d.opened_at < :end and d.id not in (select id from hand_excluded_deal)
  and p.is_new_business is not false
group by 1, 2

-- deals_won
select g.channel, width_bucket(d.closed_at, :months) as bucket, count(*) as n, count(*)::numeric as value
from deal d
left join deal_version v on v.deal_id = d.id and coalesce(v.valid_from, v.recorded_at) <= d.closed_at
  and (v.valid_to is null or v.valid_to > d.closed_at)
left join campaign g on g.id = v.primary_campaign_id
where d.outcome = 'WON' and d.closed_at >= :start and d.closed_at < :end
  and d.id not in (select id from hand_excluded_deal)
group by 1, 2

-- new_customers
select g.channel, width_bucket(w.at, :months) as bucket, count(*) as n, count(*)::numeric as value
from (
  select distinct on (customer) id, at from (
    select d.id, d.closed_at as at, coalesce(d.company_id, w.company_id, p.contact_id, d.id) as customer
    from deal d
    left join lateral (
      select contact_id from deal_contact a where a.deal_id = d.id and a.voided_at is null and d.company_id is null
      order by is_primary desc, since nulls first, contact_id limit 1
    ) p on true
    left join contact_version w on w.contact_id = p.contact_id
      and coalesce(w.valid_from, w.recorded_at) <= d.closed_at and (w.valid_to is null or w.valid_to > d.closed_at)
    where d.outcome = 'WON' and d.closed_at < :as_of and d.id not in (select id from hand_excluded_deal)
  ) won order by customer, at, id
) w
left join deal_version v on v.deal_id = w.id and coalesce(v.valid_from, v.recorded_at) <= w.at
  and (v.valid_to is null or v.valid_to > w.at)
left join campaign g on g.id = v.primary_campaign_id
where w.at >= :start and w.at < :end
group by 1, 2

-- mql_to_customer
select case when f.at <= b.entered_at then f.channel end as channel, width_bucket(b.entered_at, :months) as bucket,
  count(*) as n, round(count(t.contact_id) filter (
    where t.entered_at >= b.entered_at and t.entered_at <= b.entered_at + interval '5712 hours')::numeric / count(*), 6
  ) as value
from hand_entry b
left join hand_entry t on t.contact_id = b.contact_id and t.stage = 'customer' and t.occurrence = 1
left join hand_touch f on f.contact_id = b.contact_id
where b.stage = 'mql' and b.occurrence = 1 and b.entered_at >= :start and b.entered_at < :end
  and b.contact_id not in (select id from hand_excluded)
group by 1, 2

-- win_rate
select g.channel, width_bucket(d.closed_at, :months) as bucket, count(*) as n,
  round(count(*) filter (where d.outcome = 'WON')::numeric / count(*), 6) as value
from deal d
left join deal_version v on v.deal_id = d.id and coalesce(v.valid_from, v.recorded_at) <= d.closed_at
  and (v.valid_to is null or v.valid_to > d.closed_at)
left join campaign g on g.id = v.primary_campaign_id
where d.outcome in ('WON', 'LOST') and d.closed_at >= :start and d.closed_at < :end
  and d.id not in (select id from hand_excluded_deal)
group by 1, 2

-- revenue_won
select g.channel, width_bucket(d.closed_at, :months) as bucket, count(*) as n,
  sum(round(case when a.currency = 'EUR' then a.amount else a.amount * r.rate end, 2)) as value
from deal d
join lateral (
  select h.amount, h.currency from deal_version h
  where h.deal_id = d.id and h.outcome = d.outcome and h.closed_at = d.closed_at
    and (h.valid_to is null or h.valid_to > coalesce(h.valid_from, h.recorded_at))
  order by coalesce(h.valid_from, h.recorded_at), h.id limit 1
) a on true
left join lateral (
  select rate from exchange_rate x where x.currency = a.currency and x.quote_currency = 'EUR'
    and x.rate_on <= (d.closed_at at time zone 'UTC')::date order by rate_on desc limit 1
) r on true
left join deal_version v on v.deal_id = d.id and coalesce(v.valid_from, v.recorded_at) <= d.closed_at
  and (v.valid_to is null or v.valid_to > d.closed_at)
left join campaign g on g.id = v.primary_campaign_id
where d.outcome = 'WON' and d.closed_at >= :start and d.closed_at < :end
  and d.id not in (select id from hand_excluded_deal)
group by 1, 2

-- pipeline_created
select g.channel, width_bucket(d.opened_at, :months) as bucket, count(*) as n,
  sum(round(case when a.currency = 'EUR' then a.amount else a.amount * r.rate end, 2)) as value
from deal d
join lateral (
  select h.amount, h.currency from deal_version h
  where h.deal_id = d.id
    and (h.valid_to is null or h.valid_to > greatest(d.opened_at, coalesce(h.valid_from, h.recorded_at)))
  order by coalesce(h.valid_from, h.recorded_at), h.id limit 1
) a on a.amount is not null
left join lateral (
  select rate from exchange_rate x where x.currency = a.currency and x.quote_currency = 'EUR'
    and x.rate_on <= (d.opened_at at time zone 'UTC')::date order by rate_on desc limit 1
) r on true
left join deal_version v on v.deal_id = d.id and coalesce(v.valid_from, v.recorded_at) <= d.opened_at
  and (v.valid_to is null or v.valid_to > d.opened_at)
left join campaign g on g.id = v.primary_campaign_id
where d.opened_at >= :start and d.opened_at < :end and d.id not in (select id from hand_excluded_deal)
group by 1, 2

-- open_pipeline
select g.channel, i.bucket, count(*) as n,
  sum(round(case when h.currency = 'EUR' then h.amount else h.amount * r.rate end, 2)) as value
from unnest((:months)[2:]) with ordinality i (at, bucket)
join deal_version h on h.outcome = 'OPEN' and h.amount is not null and coalesce(h.valid_from, h.recorded_at) < i.at
  and (h.valid_to is null or h.valid_to >= i.at)
left join lateral (
  select rate from exchange_rate x where x.currency = h.currency and x.quote_currency = 'EUR'
    and x.rate_on <= ((i.at - interval '1 microsecond') at time zone 'UTC')::date order by rate_on desc limit 1
) r on true
left join campaign g on g.id = h.primary_campaign_id
where h.deal_id not in (select id from hand_excluded_deal)
group by 1, 2

-- mql_acceptance
select case when f.at <= h.decided_at then f.channel end as channel, width_bucket(h.decided_at, :months) as bucket,
  count(*) as n, round(count(*) filter (where h.status = 'ACCEPTED')::numeric / count(*), 6) as value
from handoff h left join hand_touch f using (contact_id)
where h.status in ('ACCEPTED', 'REJECTED') and h.decided_at >= :start and h.decided_at < :end
  and h.contact_id not in (select id from hand_excluded)
group by 1, 2

-- speed_to_lead
select case when f.at <= e.own_at then f.channel end as channel, width_bucket(e.own_at, :months) as bucket,
  count(*) as n, percentile_cont(0.5) within group (order by extract(epoch from t.at - e.own_at))::numeric as value
from (
  select distinct on (contact_id) contact_id, own_at from hand_entry
  where stage = 'inquiry' and own_at is not null order by contact_id, occurrence
) e
join lateral (
  select min(occurred_at) as at from touchpoint t
  where t.contact_id = e.contact_id and t.direction = 'OUTBOUND' and not t.is_automated and t.voided_at is null
    and t.occurred_at >= e.own_at and t.occurred_at < :as_of
) t on t.at is not null
left join hand_touch f on f.contact_id = e.contact_id
where e.own_at >= :start and e.own_at < :end and e.contact_id not in (select id from hand_excluded)
group by 1, 2

-- A stage `probe` above suspect and inquiry, by one rule each, without exits: the rivals in funnel_leaves.py.
--
-- The part `common` comes first, then the part of the rule, which fills hand_probe, then the part `entries`. `:as_of` is
-- replaced by the instant up to which facts count. No contact was merged, and no touchpoint was voided.

-- part common
create temp table hand_life on commit drop as
select contact_id, min(coalesce(valid_from, recorded_at)) as at from contact_version
where coalesce(valid_from, recorded_at) < coalesce(valid_to, 'infinity') group by 1
having min(coalesce(valid_from, recorded_at)) <= :as_of;

create temp table hand_inquiry on commit drop as
select t.contact_id, greatest(min(t.occurred_at), l.at) as at
from touchpoint t join hand_life l on l.contact_id = t.contact_id
where t.direction = 'INBOUND' and t.occurred_at <= :as_of
group by t.contact_id, l.at;

analyze hand_life, hand_inquiry;

-- part score
-- Points are weighed by 2 to the number of half-lives since a day before all touches, so that one running sum decays.
create temp table hand_probe on commit drop as
select s.contact_id, min(greatest(s.at, l.at)) as at
from (
  select contact_id, occurred_at as at, power(2, extract(epoch from occurred_at - '2024-01-01Z')::float8 / 2592000) as weight,
    sum((case when kind = 'FORM' then 10 else 0 end + case when kind in ('EMAIL_CLICKED', 'PAGE_VISIT') then 3 else 0 end)
      * power(2, extract(epoch from occurred_at - '2024-01-01Z')::float8 / 2592000))
      over (partition by contact_id order by occurred_at) as total
  from touchpoint where kind in ('FORM', 'EMAIL_CLICKED', 'PAGE_VISIT') and occurred_at <= :as_of
) s join hand_life l on l.contact_id = s.contact_id
where s.total >= 19.9999995 * s.weight
group by 1;

-- part silence
create temp table hand_probe on commit drop as
select contact_id, min(at) + interval '1440 hours' as at
from (
  select contact_id, at, lead(at) over (partition by contact_id order by at) as next_at
  from (
    select contact_id, at from hand_life
    union all
    select t.contact_id, greatest(t.occurred_at, l.at)
    from touchpoint t join hand_life l on l.contact_id = t.contact_id where t.occurred_at <= :as_of
  ) m
) s
where at + interval '1440 hours' < coalesce(next_at, 'infinity') and at + interval '1440 hours' <= :as_of
group by 1;

-- part reported
create temp table hand_probe on commit drop as
select r.contact_id, min(greatest(coalesce(r.entered_at, r.recorded_at), l.at)) as at
from reported_stage r join hand_life l on l.contact_id = r.contact_id
where r.source = 'crm' and r.source_stage in ('Qualified', 'Deal') and coalesce(r.entered_at, r.recorded_at) <= :as_of
group by 1;

-- part after
create temp table hand_probe on commit drop as
select t.contact_id, min(t.occurred_at) as at
from touchpoint t join hand_inquiry i on i.contact_id = t.contact_id and t.occurred_at > i.at
where t.team_kind = 'SALES' and t.direction = 'OUTBOUND' and t.occurred_at <= :as_of
group by 1;

-- part entries
analyze hand_probe;

create temp table hand_entry on commit drop as
select contact_id, e.rank, e.stage, 1 as occurrence, e.at as entered_at, e.own as own_at, e.out as exited_at,
  case when e.out is not null then 'ADVANCED' end as exit_kind, e.own is distinct from e.at as is_implied
from (
  select l.contact_id, l.at as m1, i.at as m2, p.at as m3, least(l.at, i.at, p.at) as e1, least(i.at, p.at) as e2
  from hand_life l
  left join hand_inquiry i on i.contact_id = l.contact_id
  left join hand_probe p on p.contact_id = l.contact_id
) w cross join lateral (values
  (1, 'suspect', e1, m1, e2), (2, 'inquiry', e2, m2, m3), (3, 'probe', m3, m3, null)
) e (rank, stage, at, own, out)
where e.at is not null;

-- The stage mql by two versions: two inbound touches within 30 days before :activation, three within 60 days from then on,
-- when whoever fulfils it enters. It takes the place of the statement of the same table in funnel_standard.sql.
create temp table hand_mql on commit drop as
select contact_id, after, min(at) as at
from (
  select p.contact_id, s.after, least(
    case when p.one > p.at - interval '720 hours' and v.starts_at < p.one + interval '720 hours'
        and greatest(p.at, v.starts_at) < :activation
        and (s.contact_id is null or p.one > s.after and v.starts_at <= s.until)
      then greatest(p.at, v.starts_at) end,
    case when p.two > p.at - interval '1440 hours'
        and greatest(p.at, v.starts_at, :activation) < least(p.two + interval '1440 hours', v.ends_at)
        and (s.contact_id is null or p.two > s.after and greatest(v.starts_at, :activation) <= s.until)
      then greatest(p.at, v.starts_at, :activation) end
  ) as at
  from (
    select contact_id, occurred_at as at, lag(occurred_at) over w as one, lag(occurred_at, 2) over w as two
    from touchpoint where direction = 'INBOUND' and occurred_at <= :as_of
    window w as (partition by contact_id order by occurred_at)
  ) p
  join (
    select contact_id, coalesce(valid_from, recorded_at) as starts_at, coalesce(valid_to, 'infinity') as ends_at
    from contact_version where (email is not null or phone is not null) and not email_opt_out
      and coalesce(valid_from, recorded_at) < coalesce(valid_to, 'infinity')
      and coalesce(valid_from, recorded_at) <= :as_of
  ) v on v.contact_id = p.contact_id and v.ends_at > p.at
    and v.starts_at < greatest(p.one + interval '720 hours', p.two + interval '1440 hours')
  left join hand_segment s on s.cut = 0 and s.contact_id = p.contact_id and p.at > s.after and p.at <= s.until
  where p.one > p.at - interval '720 hours' or p.two > p.at - interval '1440 hours'
) m
where at is not null
group by 1, 2;

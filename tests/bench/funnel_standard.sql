-- The standard accord by hand: the rival of the evaluator in `make bench-funnel`.
--
-- It is written for exactly this accord, and for a database without merged contacts: flat rules are lag and range joins
-- with the indexes that suit them, and contacts without an exit (most of them) have a statement of their own.
-- `:as_of` is replaced by the instant up to which facts count, `:entry` by the table of the result.

create temp table hand_life on commit drop as
select contact_id, min(coalesce(valid_from, recorded_at)) as at from contact_version
where coalesce(valid_from, recorded_at) < coalesce(valid_to, 'infinity') group by 1
having min(coalesce(valid_from, recorded_at)) <= :as_of;

analyze hand_life;

-- The version rows of deals for each contact with a role in them; `is_same` marks rows without a change of outcome.
create temp table hand_deal on commit drop as
select r.contact_id, r.deal_id, v.outcome, greatest(coalesce(v.valid_from, v.recorded_at), r.since) as starts_at,
  coalesce(v.valid_to, 'infinity') as ends_at,
  lag(v.outcome) over w is not distinct from v.outcome and lag(v.valid_to) over w = coalesce(v.valid_from, v.recorded_at)
    as is_same
from deal_contact r
join deal d on d.id = r.deal_id and d.deleted_at is null
join deal_version v on v.deal_id = r.deal_id
where greatest(coalesce(v.valid_from, v.recorded_at), r.since) < coalesce(v.valid_to, 'infinity')
  and greatest(coalesce(v.valid_from, v.recorded_at), r.since) <= :as_of
window w as (partition by r.contact_id, r.deal_id order by coalesce(v.valid_from, v.recorded_at));

analyze hand_deal;

create temp table hand_loss on commit drop as
select distinct lost.contact_id, lost.starts_at as at from hand_deal lost
where lost.outcome = 'LOST' and not lost.is_same and not exists (
  select from hand_deal other where other.contact_id = lost.contact_id and other.outcome = 'OPEN'
    and other.starts_at <= lost.starts_at and lost.starts_at < other.ends_at
);

-- Segments: `cut` 0 is for mql, sal and sql, which both exits close; `cut` 1 for opportunity, which a lost deal closes.
create temp table hand_segment on commit drop as
with out as (
  select 0 as cut, contact_id, at, min(kind) as kind from (
    select contact_id, at, 'DEAL_LOST' as kind from hand_loss
    union all
    select contact_id, decided_at, 'HANDOFF_REJECTED' from handoff
    where status = 'REJECTED' and reject_reason <> 'BAD_DATA' and decided_at <= :as_of
  ) both_exits group by contact_id, at
  union all
  select 1, contact_id, at, 'DEAL_LOST' from hand_loss
)
select cut, contact_id, coalesce(lag(at) over w, '-infinity') as after, at as until, kind from out
window w as (partition by cut, contact_id order by at)
union all
select cut, contact_id, max(at), 'infinity', null from out group by cut, contact_id;

analyze hand_segment;

-- When each stage was entered. A segment is identified by its start, which is null for contacts without an exit.
create temp table hand_inquiry on commit drop as
select t.contact_id, min(greatest(t.occurred_at, l.at)) as at
from touchpoint t join hand_life l on l.contact_id = t.contact_id
where t.direction = 'INBOUND' and t.kind in ('FORM', 'EVENT', 'EMAIL_REPLY', 'CALL', 'MEETING')
  and t.occurred_at <= :as_of and t.occurred_at + interval '2160 hours' > l.at
group by 1;

create temp table hand_mql on commit drop as
select p.contact_id, s.after, min(greatest(p.at, v.starts_at)) as at
from (
  select contact_id, occurred_at as at, lag(occurred_at) over (partition by contact_id order by occurred_at) as before
  from touchpoint where direction = 'INBOUND' and occurred_at <= :as_of
) p
join (
  select contact_id, coalesce(valid_from, recorded_at) as starts_at, coalesce(valid_to, 'infinity') as ends_at
  from contact_version where (email is not null or phone is not null) and not email_opt_out
    and coalesce(valid_from, recorded_at) < coalesce(valid_to, 'infinity')
    and coalesce(valid_from, recorded_at) <= :as_of
) v on v.contact_id = p.contact_id and v.ends_at > p.at and v.starts_at < p.before + interval '720 hours'
left join hand_segment s on s.cut = 0 and s.contact_id = p.contact_id and p.at > s.after and p.at <= s.until
where p.before > p.at - interval '720 hours'
  and (s.contact_id is null or p.before > s.after and v.starts_at <= s.until)
group by 1, 2;

create temp table hand_sal on commit drop as
select h.contact_id, s.after, min(greatest(h.decided_at, l.at)) as at
from handoff h
join hand_life l on l.contact_id = h.contact_id
left join hand_segment s on s.cut = 0 and s.contact_id = h.contact_id and h.decided_at > s.after and h.decided_at <= s.until
where h.status = 'ACCEPTED' and h.decided_at <= :as_of and (s.until is null or l.at <= s.until)
group by 1, 2;

create temp table hand_sql on commit drop as
select t.contact_id, s.after, min(greatest(t.occurred_at, l.at)) as at
from touchpoint t
join hand_life l on l.contact_id = t.contact_id
left join hand_segment s
  on s.cut = 0 and s.contact_id = t.contact_id and t.occurred_at > s.after and t.occurred_at <= s.until
where t.team_kind = 'SALES' and t.kind in ('CALL', 'MEETING') and t.outcome = 'QUALIFIED' and t.occurred_at <= :as_of
  and (s.until is null or l.at <= s.until)
group by 1, 2;

create temp table hand_opportunity on commit drop as
select d.contact_id, s.after, min(greatest(d.starts_at, l.at)) as at
from hand_deal d
join hand_life l on l.contact_id = d.contact_id
left join hand_segment s on s.cut = 1 and s.contact_id = d.contact_id and d.starts_at > s.after and d.starts_at <= s.until
where d.outcome = 'OPEN' and not d.is_same and greatest(d.starts_at, l.at) < d.ends_at and d.starts_at <= :as_of
  and (s.until is null or l.at <= s.until)
group by 1, 2;

create temp table hand_customer on commit drop as
select d.contact_id, min(greatest(d.starts_at, l.at)) as at
from hand_deal d join hand_life l on l.contact_id = d.contact_id
where d.outcome = 'WON' and not d.is_same and greatest(d.starts_at, l.at) < d.ends_at and d.starts_at <= :as_of
group by 1;

analyze hand_inquiry, hand_mql, hand_sal, hand_sql, hand_opportunity, hand_customer;

-- Contacts without an exit enter a stage once: when it, or a higher stage, first holds.
insert into :entry (contact_id, rank, stage, occurrence, entered_at, own_at, exited_at, exit_kind, is_implied)
select contact_id, e.rank, e.stage, 1, e.at, e.own, e.out, case when e.out is not null then 'ADVANCED' end,
  e.own is distinct from e.at
from (
  select l.contact_id, l.at as m1, i.at as m2, q.at as m3, a.at as m4, t.at as m5, o.at as m6, c.at as m7,
    least(l.at, i.at, q.at, a.at, t.at, o.at, c.at) as e1,
    least(i.at, q.at, a.at, t.at, o.at, c.at) as e2,
    least(q.at, a.at, t.at, o.at, c.at) as e3,
    least(a.at, t.at, o.at, c.at) as e4,
    least(t.at, o.at, c.at) as e5,
    least(o.at, c.at) as e6
  from hand_life l
  left join hand_inquiry i on i.contact_id = l.contact_id
  left join hand_mql q on q.contact_id = l.contact_id
  left join hand_sal a on a.contact_id = l.contact_id
  left join hand_sql t on t.contact_id = l.contact_id
  left join hand_opportunity o on o.contact_id = l.contact_id
  left join hand_customer c on c.contact_id = l.contact_id
  where not exists (select from hand_segment s where s.contact_id = l.contact_id)
) w cross join lateral (values
  (1, 'suspect', e1, m1, e2), (2, 'inquiry', e2, m2, e3), (3, 'mql', e3, m3, e4), (4, 'sal', e4, m4, e5),
  (5, 'sql', e5, m5, e6), (6, 'opportunity', e6, m6, m7), (7, 'customer', m7, m7, null)
) e (rank, stage, at, own, out)
where e.at is not null
order by contact_id, e.rank;

-- Contacts with an exit: a moment enters its own stage and every lower one, in the segment that contains the moment.
insert into :entry (contact_id, rank, stage, occurrence, entered_at, own_at, exited_at, exit_kind, is_implied)
with moment as (
  select contact_id, rank, at from (
    select contact_id, 1 as rank, at from hand_life
    union all select contact_id, 2, at from hand_inquiry
    union all select contact_id, 3, at from hand_mql
    union all select contact_id, 4, at from hand_sal
    union all select contact_id, 5, at from hand_sql
    union all select contact_id, 6, at from hand_opportunity
    union all select contact_id, 7, at from hand_customer
  ) m where exists (select from hand_segment s where s.contact_id = m.contact_id)
), rung (rank, stage, cut) as (
  values (1, 'suspect', null), (2, 'inquiry', null), (3, 'mql', 0), (4, 'sal', 0), (5, 'sql', 0), (6, 'opportunity', 1),
    (7, 'customer', null)
), reached as materialized (
  select m.contact_id, g.rank, g.stage, s.until, s.kind, min(m.at) as at, min(m.at) filter (where m.rank = g.rank) as own
  from moment m
  join rung g on g.rank <= m.rank
  left join hand_segment s on s.cut = g.cut and s.contact_id = m.contact_id and m.at > s.after and m.at <= s.until
  group by 1, 2, 3, 4, 5
), advanced as (
  select e.contact_id, e.rank, e.at, min(higher.at) as out
  from reached e join reached higher on higher.contact_id = e.contact_id and higher.rank > e.rank and higher.at >= e.at
    and (e.until is null or higher.at <= e.until)
  group by 1, 2, 3
)
select contact_id, rank, e.stage, row_number() over (partition by contact_id, rank order by at), at, e.own,
  coalesce(a.out, nullif(e.until, 'infinity')), case when a.out is not null then 'ADVANCED' else e.kind end,
  e.own is distinct from at
from reached e left join advanced a using (contact_id, rank, at)
order by contact_id, rank;

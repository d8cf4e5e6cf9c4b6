select d.id, d.outcome, d.closed_at, g.channel
from deal d
left join deal_version v on v.deal_id = d.id and coalesce(v.valid_from, v.recorded_at) <= d.closed_at
  and (v.valid_to is null or v.valid_to > d.closed_at)
left join campaign g on g.id = v.primary_campaign_id
where d.outcome in ('WON', 'LOST') and d.id not in (select id from hand_excluded_deal)

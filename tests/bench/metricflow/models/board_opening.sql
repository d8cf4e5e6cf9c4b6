select d.id, d.opened_at, g.channel
from deal d
left join deal_version v on v.deal_id = d.id and coalesce(v.valid_from, v.recorded_at) <= d.opened_at
  and (v.valid_to is null or v.valid_to > d.opened_at)
left join campaign g on g.id = v.primary_campaign_id
left join pipeline_stage s on s.id = v.pipeline_stage_id
left join pipeline p on p.id = s.pipeline_id
where d.id not in (select id from hand_excluded_deal) and p.is_new_business is not false

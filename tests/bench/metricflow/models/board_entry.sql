select e.contact_id as id, e.stage, e.entered_at, case when f.at <= e.entered_at then f.channel end as channel
from hand_entry e left join hand_touch f using (contact_id)
where e.occurrence = 1 and e.contact_id not in (select id from hand_excluded)

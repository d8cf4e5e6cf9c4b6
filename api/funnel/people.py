"""Who is evaluated, and since when: temp tables `funnel_merged` and `funnel_life`.

Facts of a merged contact are read under the contact that survived. A life begins with the person's first version row,
under whichever record; an undated one begins when it was recorded.
"""

from api.sql import Sql

# A chain that bites its own tail has no survivor: its contacts stay what they are.
MERGED = Sql("""create temp table funnel_merged on commit drop as
with recursive chain(contact_id, survivor_id) as (
  select id, merged_into_id from contact where merged_into_id is not null
  union
  select chain.contact_id, next.merged_into_id
  from chain join contact next on next.id = chain.survivor_id
  where next.merged_into_id is not null
)
select chain.contact_id, chain.survivor_id
from chain join contact survivor on survivor.id = chain.survivor_id
where survivor.merged_into_id is null""")

LIFE = Sql("""create temp table funnel_life on commit drop as
select coalesce(m.survivor_id, v.contact_id) as contact_id, min(coalesce(v.valid_from, v.recorded_at)) as starts_at
from contact_version v left join funnel_merged m on m.contact_id = v.contact_id
where coalesce(v.valid_from, v.recorded_at) < coalesce(v.valid_to, 'infinity')
group by 1""")

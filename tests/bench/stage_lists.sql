-- page_in_stage
select json_agg(p) from (
  select 'contact_' || c.id as id, c.first_name as "firstName", e.stage as key, e.rank
  from stage_entry e join contact c on c.id = e.contact_id
  where e.evaluation_id = :evaluation and e.exited_at is null and e.present_at is not null and e.stage = 'mql'
    and c.deleted_at is null and c.merged_into_id is null
  order by c.id limit 50
) p

-- count_in_stage
select json_build_array(json_build_object('n', count(*)))
from stage_entry e join contact c on c.id = e.contact_id
where e.evaluation_id = :evaluation and e.exited_at is null and e.present_at is not null and e.stage = 'mql'
  and c.deleted_at is null and c.merged_into_id is null

-- page_in_stage_newest
select json_agg(p) from (
  select 'contact_' || c.id as id, c.first_name as "firstName", e.stage as key, e.rank
  from stage_entry e join contact c on c.id = e.contact_id
  where e.evaluation_id = :evaluation and e.exited_at is null and e.present_at is not null and e.rank = 3
    and c.deleted_at is null and c.merged_into_id is null
  order by e.entered_at desc, c.id desc limit 50
) p

-- page_by_rank
select json_agg(p) from (
  select 'contact_' || c.id as id, c.first_name as "firstName", e.stage as key, e.rank
  from stage_entry e join contact c on c.id = e.contact_id
  where e.evaluation_id = :evaluation and e.exited_at is null and e.present_at is not null and c.deleted_at is null and c.merged_into_id is null
  order by e.rank desc, e.entered_at desc, c.id desc limit 50
) p

-- page_by_rank_ascending
select json_agg(p) from (
  select 'contact_' || c.id as id, c.first_name as "firstName", e.stage as key, e.rank
  from stage_entry e join contact c on c.id = e.contact_id
  where e.evaluation_id = :evaluation and e.exited_at is null and e.present_at is not null and c.deleted_at is null and c.merged_into_id is null
  order by e.rank, e.entered_at, c.id limit 50
) p

-- groups
select json_agg(p) from (
  select e.stage as key, count(*) as n
  from contact c left join stage_entry e on e.contact_id = c.id and e.evaluation_id = :evaluation
    and e.exited_at is null and e.present_at is not null
  where c.deleted_at is null and c.merged_into_id is null
  group by e.stage order by max(e.rank)
) p

-- groups_of_owner
select json_agg(p) from (
  select e.stage as key, count(*) as n
  from contact c left join stage_entry e on e.contact_id = c.id and e.evaluation_id = :evaluation
    and e.exited_at is null and e.present_at is not null
  where c.deleted_at is null and c.merged_into_id is null and c.owner_id = :owner
  group by e.stage order by max(e.rank)
) p

-- page_of_owner_in_stage
select json_agg(p) from (
  select 'contact_' || c.id as id, c.first_name as "firstName", e.stage as key, e.rank
  from contact c join stage_entry e on e.contact_id = c.id
  where e.evaluation_id = :evaluation and e.exited_at is null and e.present_at is not null and e.stage = 'mql'
    and c.deleted_at is null and c.merged_into_id is null and c.owner_id = :owner
  order by c.id limit 50
) p

-- count_of_country_in_stage
select json_build_array(json_build_object('n', count(*)))
from stage_entry e join contact c on c.id = e.contact_id
where e.evaluation_id = :evaluation and e.exited_at is null and e.present_at is not null and e.stage = 'mql'
  and c.deleted_at is null and c.merged_into_id is null and c.country = 'DE'

-- counted_in_stage
select json_build_array(json_build_object('n', count(*)))
from stage_entry e join contact c on c.id = e.contact_id
where e.evaluation_id = :evaluation and e.exited_at is null and e.present_at is not null and e.stage = 'mql'
  and c.deleted_at is null and c.merged_into_id is null and not c.is_test and not c.is_internal

-- count_in_stage_then
select json_build_array(json_build_object('n', count(*)))
from stage_entry e
join contact c on c.id = e.contact_id and c.deleted_at is null and c.merged_into_id is null
join contact_version v on v.contact_id = c.id and coalesce(v.valid_from, v.recorded_at) <= :then
  and (v.valid_to is null or v.valid_to > :then)
where e.evaluation_id = :evaluation and e.stage = 'mql' and e.entered_at <= :then
  and e.present_at <= :then and (e.exited_at is null or e.exited_at > :then)

-- page_by_rank_then
select json_agg(p) from (
  select 'contact_' || c.id as id, v.first_name as "firstName", e.stage as key, e.rank
  from stage_entry e
  join contact c on c.id = e.contact_id and c.deleted_at is null and c.merged_into_id is null
  join contact_version v on v.contact_id = c.id and coalesce(v.valid_from, v.recorded_at) <= :then
    and (v.valid_to is null or v.valid_to > :then)
  where e.evaluation_id = :evaluation and e.entered_at <= :then
    and e.present_at <= :then and (e.exited_at is null or e.exited_at > :then)
  order by e.rank desc, e.entered_at desc, c.id desc limit 50
) p

-- groups_then
select json_agg(p) from (
  select e.stage as key, count(*) as n
  from contact c
  join contact_version v on v.contact_id = c.id and coalesce(v.valid_from, v.recorded_at) <= :then
    and (v.valid_to is null or v.valid_to > :then)
  left join stage_entry e on e.contact_id = c.id and e.evaluation_id = :evaluation and e.entered_at <= :then
    and e.present_at <= :then and (e.exited_at is null or e.exited_at > :then)
  where c.deleted_at is null and c.merged_into_id is null
  group by e.stage order by max(e.rank)
) p

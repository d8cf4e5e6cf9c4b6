-- $1: id, $2: stage
update deal
set pipeline_stage_id = $2, row_version = row_version + 1, updated_at = clock_timestamp(),
  effective_at = clock_timestamp(), is_assumed = false
where id = $1 and outcome = 'OPEN' and deleted_at is null
returning convert_to(json_build_object('deal', json_build_object('id', 'deal_' || id, 'rowVersion', row_version),
  'userErrors', json_build_array())::text, 'UTF8')

-- $1: id, $2: version, $3: job title, $4: lead score
update contact
set job_title = $3, lead_score = $4, row_version = row_version + 1, updated_at = clock_timestamp(),
  effective_at = clock_timestamp(), is_assumed = false
where id = $1 and row_version = $2 and deleted_at is null
returning convert_to(json_build_object('contact', json_build_object('id', 'contact_' || id, 'jobTitle', job_title,
  'leadScore', lead_score, 'rowVersion', row_version), 'userErrors', json_build_array())::text, 'UTF8')

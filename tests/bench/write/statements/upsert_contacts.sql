-- $1: external ids, $2: job titles, $3: lead scores
with given as materialized (
  select g.*, k.record_id is null as is_new, coalesce(k.record_id, gen_random_uuid()) as id
  from unnest($1::text[], $2::text[], $3::int[]) as g (external_id, job_title, lead_score)
  left join external_key k on k.entity = 'contact' and k.source = 'bench' and k.external_id = g.external_id
), changed as (
  update contact c
  set job_title = g.job_title, lead_score = g.lead_score, row_version = c.row_version + 1,
    updated_at = clock_timestamp(), effective_at = clock_timestamp(), is_assumed = false
  from given g
  where c.id = g.id and not g.is_new
  returning c.id, c.row_version
), created as (
  insert into contact (id, job_title, lead_score)
  select id, job_title, lead_score from given where is_new
  returning id, row_version
), keyed as (
  insert into external_key (entity, source, external_id, record_id)
  select 'contact', 'bench', external_id, id from given where is_new
)
select convert_to(json_build_object('results', json_agg(json_build_object('contact',
  json_build_object('id', 'contact_' || w.id, 'rowVersion', w.row_version), 'status', w.status)),
  'userErrors', json_build_array())::text, 'UTF8')
from (select *, 'CHANGED' as status from changed union all select *, 'CREATED' from created) w

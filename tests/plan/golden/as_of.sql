select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select (select count(*)
from (select t2_now.id, t2_now.created_at, t2_now.updated_at, t2_now.row_version, t2_now.effective_at, t2_now.is_assumed, t2_now.deleted_at, t2_then.first_name, t2_then.last_name, t2_then.email, t2_then.email_kind, t2_then.phone, t2_then.job_title, t2_then.company_id, t2_then.owner_id, t2_then.lead_source, t2_then.source_detail, t2_then.lead_score, t2_then.country, t2_then.timezone, t2_then.email_opt_out, t2_then.do_not_call, t2_then.is_test, t2_then.is_internal, t2_then.merged_into_id
from contact t2_now join contact_version t2_then on t2_then.contact_id = t2_now.id
where (t2_now.deleted_at is null or t2_now.deleted_at > $1::timestamptz) and (coalesce(t2_then.valid_from, t2_then.recorded_at) <= $1::timestamptz and (t2_then.valid_to is null or t2_then.valid_to > $1::timestamptz))) t2
where (exists (select
from (select t3_now.id, t3_now.created_at, t3_now.updated_at, t3_now.row_version, t3_now.effective_at, t3_now.is_assumed, t3_now.deleted_at, t3_then.name, t3_then.domain, t3_then.industry, t3_then.employees, t3_then.annual_revenue, t3_then.currency, t3_then.country, t3_then.owner_id, t3_then.parent_id
from company t3_now join company_version t3_then on t3_then.company_id = t3_now.id
where (t3_now.deleted_at is null or t3_now.deleted_at > $1::timestamptz) and (coalesce(t3_then.valid_from, t3_then.recorded_at) <= $1::timestamptz and (t3_then.valid_to is null or t3_then.valid_to > $1::timestamptz))) t3
where (t3.id = t2.company_id) and (t3.name = $2)))) as "totalCount",
array(
select "$"
from (select t4.first_name as "firstName", t4.last_name as "lastName",
(
select "$"
from (select t5.name as "name"
from (select t5_now.id, t5_now.created_at, t5_now.updated_at, t5_now.row_version, t5_now.effective_at, t5_now.is_assumed, t5_now.deleted_at, t5_then.name, t5_then.domain, t5_then.industry, t5_then.employees, t5_then.annual_revenue, t5_then.currency, t5_then.country, t5_then.owner_id, t5_then.parent_id
from company t5_now join company_version t5_then on t5_then.company_id = t5_now.id
where (t5_now.deleted_at is null or t5_now.deleted_at > $1::timestamptz) and (coalesce(t5_then.valid_from, t5_then.recorded_at) <= $1::timestamptz and (t5_then.valid_to is null or t5_then.valid_to > $1::timestamptz))) t5
where (t5.id = t4.company_id)) "$") as "company",
(
select "$"
from (select t6.stage as "key"
from (select t6_now.contact_id, t6_now.evaluation_id, t6_now.stage, t6_now.occurrence, t6_now.rank, t6_now.entered_at, case when t6_now.own_at <= $1::timestamptz then t6_now.own_at end as own_at, case when t6_now.exited_at <= $1::timestamptz then t6_now.exited_at end as exited_at, case when t6_now.exited_at <= $1::timestamptz then t6_now.exit_kind end as exit_kind, t6_now.accord_version_id, t6_now.is_implied
from stage_entry t6_now
where (t6_now.evaluation_id = (select id
from evaluation
where is_current and reading = 'IN_FORCE')) and (t6_now.entered_at <= $1::timestamptz)) t6
where (t6.contact_id = t4.id) and (t6.exited_at is null)
order by t6.rank desc
limit 1) "$") as "stage",
(
select "$"
from (select array(
select "$"
from (select t8.stage as "stage", replace(to_json(t8.exited_at)::text, '+00:00"', 'Z"')::json as "exitedAt", t8.exit_kind as "exitKind"
from (select t8_now.contact_id, t8_now.evaluation_id, t8_now.stage, t8_now.occurrence, t8_now.rank, t8_now.entered_at, case when t8_now.own_at <= $1::timestamptz then t8_now.own_at end as own_at, case when t8_now.exited_at <= $1::timestamptz then t8_now.exited_at end as exited_at, case when t8_now.exited_at <= $1::timestamptz then t8_now.exit_kind end as exit_kind, t8_now.accord_version_id, t8_now.is_implied
from stage_entry t8_now
where (t8_now.evaluation_id = (select id
from evaluation
where is_current and reading = 'IN_FORCE')) and (t8_now.entered_at <= $1::timestamptz)) t8
where (t8.contact_id = t4.id)
order by t8.contact_id, t8.stage, t8.occurrence
limit 50) "$") as "nodes") "$") as "stageEntries"
from (select t4_now.id, t4_now.created_at, t4_now.updated_at, t4_now.row_version, t4_now.effective_at, t4_now.is_assumed, t4_now.deleted_at, t4_then.first_name, t4_then.last_name, t4_then.email, t4_then.email_kind, t4_then.phone, t4_then.job_title, t4_then.company_id, t4_then.owner_id, t4_then.lead_source, t4_then.source_detail, t4_then.lead_score, t4_then.country, t4_then.timezone, t4_then.email_opt_out, t4_then.do_not_call, t4_then.is_test, t4_then.is_internal, t4_then.merged_into_id
from contact t4_now join contact_version t4_then on t4_then.contact_id = t4_now.id
where (t4_now.deleted_at is null or t4_now.deleted_at > $1::timestamptz) and (coalesce(t4_then.valid_from, t4_then.recorded_at) <= $1::timestamptz and (t4_then.valid_to is null or t4_then.valid_to > $1::timestamptz))) t4
where (exists (select
from (select t9_now.id, t9_now.created_at, t9_now.updated_at, t9_now.row_version, t9_now.effective_at, t9_now.is_assumed, t9_now.deleted_at, t9_then.name, t9_then.domain, t9_then.industry, t9_then.employees, t9_then.annual_revenue, t9_then.currency, t9_then.country, t9_then.owner_id, t9_then.parent_id
from company t9_now join company_version t9_then on t9_then.company_id = t9_now.id
where (t9_now.deleted_at is null or t9_now.deleted_at > $1::timestamptz) and (coalesce(t9_then.valid_from, t9_then.recorded_at) <= $1::timestamptz and (t9_then.valid_to is null or t9_then.valid_to > $1::timestamptz))) t9
where (t9.id = t4.company_id) and (t9.name = $3)))
order by t4.id
limit 50) "$") as "nodes") "$") as "contacts") "$"
-- $1: datetime.datetime(2026, 1, 20, 0, 0, tzinfo=datetime.timezone.utc)
-- $2: 'Bolt'
-- $3: 'Bolt'

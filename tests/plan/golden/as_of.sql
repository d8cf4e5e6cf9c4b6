select case when (not exists (select
from unnest($1::text[]) given (value)
where not exists (select
from company_version x
where (x.name = given.value)))) then (select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select t2.first_name as "firstName", t2.last_name as "lastName",
(
select "$"
from (select t3.name as "name"
from (select t3_now.id, t3_now.created_at, t3_now.updated_at, t3_now.row_version, t3_now.deleted_at, t3_now.effective_at, t3_then.is_assumed and t3_then.recorded_at > $2::timestamptz as is_assumed, t3_then.name, t3_then.domain, t3_then.industry, t3_then.employees, t3_then.annual_revenue, t3_then.currency, t3_then.country, t3_then.owner_id, t3_then.parent_id, t3_then.merged_into_id
from company t3_now join company_version t3_then on t3_then.company_id = t3_now.id
where (t3_now.deleted_at is null) and (coalesce(t3_then.valid_from, t3_then.recorded_at) <= $2::timestamptz and (t3_then.valid_to is null or t3_then.valid_to > $2::timestamptz))) t3
where (t3.id = t2.company_id)) "$") as "company",
(
select "$"
from (select t4.stage as "key"
from (select t4_now.contact_id, t4_now.evaluation_id, t4_now.stage, t4_now.occurrence, t4_now.rank, t4_now.entered_at, case when t4_now.own_at <= $2::timestamptz then t4_now.own_at end as own_at, case when t4_now.exited_at <= $2::timestamptz then t4_now.exited_at end as exited_at, case when t4_now.exited_at <= $2::timestamptz then t4_now.exit_kind end as exit_kind, case when t4_now.present_at <= $2::timestamptz then t4_now.present_at end as present_at, t4_now.accord_version_id, t4_now.cause, t4_now.is_implied
from stage_entry t4_now
where (t4_now.evaluation_id = (select v.id
from evaluation v
where v.is_current and v.reading = 'IN_FORCE')) and (t4_now.present_at <= $2::timestamptz) and ((t4_now.exited_at is null or t4_now.exited_at > $2::timestamptz)) and (t4_now.entered_at <= $2::timestamptz)) t4
where (t4.contact_id = t2.id)) "$") as "stage",
(
select "$"
from (select array(
select "$"
from (select t6.stage as "stage", replace(to_json(t6.exited_at)::text, '+00:00"', 'Z"')::json as "exitedAt", t6.exit_kind as "exitKind"
from (select t6_now.contact_id, t6_now.evaluation_id, t6_now.stage, t6_now.occurrence, t6_now.rank, t6_now.entered_at, case when t6_now.own_at <= $2::timestamptz then t6_now.own_at end as own_at, case when t6_now.exited_at <= $2::timestamptz then t6_now.exited_at end as exited_at, case when t6_now.exited_at <= $2::timestamptz then t6_now.exit_kind end as exit_kind, case when t6_now.present_at <= $2::timestamptz then t6_now.present_at end as present_at, t6_now.accord_version_id, t6_now.cause, t6_now.is_implied
from stage_entry t6_now
where (t6_now.evaluation_id = (select v.id
from evaluation v
where v.is_current and v.reading = 'IN_FORCE')) and (t6_now.entered_at <= $2::timestamptz)) t6
where (t6.contact_id = t2.id)
order by t6.contact_id, t6.stage, t6.occurrence
limit 50) "$") as "nodes") "$") as "stageEntries"
from (select t2_now.id, t2_now.created_at, t2_now.updated_at, t2_now.row_version, t2_now.deleted_at, t2_now.effective_at, t2_then.is_assumed and t2_then.recorded_at > $2::timestamptz as is_assumed, t2_then.first_name, t2_then.last_name, t2_then.email, t2_then.email_kind, t2_then.phone, t2_then.job_title, t2_then.company_id, t2_then.owner_id, t2_then.lead_source, t2_then.source_detail, t2_then.lead_score, t2_then.country, t2_then.timezone, t2_then.email_opt_out, t2_then.do_not_call, t2_then.is_test, t2_then.is_internal, t2_then.merged_into_id, t2_then.erased_at, t2_then.erasure_reason, t2_then.erasure_reference
from contact t2_now join contact_version t2_then on t2_then.contact_id = t2_now.id
where (t2_now.deleted_at is null) and (t2_now.merged_into_id is null) and (coalesce(t2_then.valid_from, t2_then.recorded_at) <= $2::timestamptz and (t2_then.valid_to is null or t2_then.valid_to > $2::timestamptz))) t2
where (exists (select
from (select t7_now.id, t7_now.created_at, t7_now.updated_at, t7_now.row_version, t7_now.deleted_at, t7_now.effective_at, t7_then.is_assumed and t7_then.recorded_at > $2::timestamptz as is_assumed, t7_then.name, t7_then.domain, t7_then.industry, t7_then.employees, t7_then.annual_revenue, t7_then.currency, t7_then.country, t7_then.owner_id, t7_then.parent_id, t7_then.merged_into_id
from company t7_now join company_version t7_then on t7_then.company_id = t7_now.id
where (t7_now.deleted_at is null) and (coalesce(t7_then.valid_from, t7_then.recorded_at) <= $2::timestamptz and (t7_then.valid_to is null or t7_then.valid_to > $2::timestamptz))) t7
where (t7.id = t2.company_id) and (t7.name = $3)))
order by t2.id
limit 50) "$") as "nodes") "$") as "contacts") "$") end
-- $1: ['Bolt']
-- $2: datetime.datetime(2026, 1, 20, 0, 0, tzinfo=datetime.timezone.utc)
-- $3: 'Bolt'

select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select text 'Contact' as "__typename", 'contact_' || t1.id as "id", t1.first_name as "firstName", t1.email_kind as "emailKind", t1.lead_score as "leadScore", t1.email_opt_out as "emailOptOut", replace(to_json(t1.created_at)::text, '+00:00"', 'Z"')::json as "createdAt",
(
select "$"
from (select t2.name as "name", case when t2.annual_revenue is not null then (
select "$"
from (select t2.annual_revenue::text as "amount", t2.currency as "currency") "$") end as "annualRevenue",
(
select "$"
from (select t3.name as "name"
from member t3
where (t3.id = t2.owner_id)) "$") as "owner"
from company t2
where (t2.id = t1.company_id) and (t2.deleted_at is null)) "$") as "company",
(
select "$"
from (select t4.stage as "key",
(select step.value ->> 'title'
from accord_version agreed, jsonb_array_elements(agreed.body -> 'stages') step
where agreed.id = t4.accord_version_id and step.value ->> 'key' = t4.stage) as "title", replace(to_json(t4.entered_at)::text, '+00:00"', 'Z"')::json as "since", t4.occurrence as "occurrence"
from stage_entry t4
where (t4.contact_id = t1.id) and (t4.evaluation_id = (select v.id
from evaluation v
where v.is_current and v.reading = 'IN_FORCE')) and (t4.exited_at is null) and (t4.present_at is not null)) "$") as "stage",
(
select "$"
from (select 'contact_' || t5.id as "id"
from contact t5
where (t5.id = t1.merged_into_id) and (t5.deleted_at is null)) "$") as "deleted"
from contact t1
where (t1.id = $1) and (t1.deleted_at is null)) "$") as "contact") "$"
-- $1: UUID('00000000-0000-0000-0000-00000000001f')

select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select t1.outcome as "outcome", replace(to_json(t1.closed_at)::text, '+00:00"', 'Z"')::json as "closedAt",
(
select "$"
from (select t2.name as "name"
from (select t2_now.id, t2_now.created_at, t2_now.updated_at, t2_now.row_version, t2_now.deleted_at, t2_now.effective_at, t2_then.is_assumed and t2_then.recorded_at > $1::timestamptz as is_assumed, t2_then.name, t2_then.domain, t2_then.industry, t2_then.employees, t2_then.annual_revenue, t2_then.currency, t2_then.country, t2_then.owner_id, t2_then.parent_id, t2_then.merged_into_id
from company t2_now join company_version t2_then on t2_then.company_id = t2_now.id
where (t2_now.deleted_at is null) and (coalesce(t2_then.valid_from, t2_then.recorded_at) <= $1::timestamptz and (t2_then.valid_to is null or t2_then.valid_to > $1::timestamptz))) t2
where (t2.id = t1.company_id)) "$") as "company",
(
select "$"
from (select t3_figures.a0 as "totalCount"
from (select count(*) as a0
from (select t3_now.contact_id, t3_now.deal_id, t3_now.role, t3_now.since, t3_now.is_primary, t3_now.recorded_at, t3_now.voided_at
from deal_contact t3_now
where (t3_now.voided_at is null) and (t3_now.since <= $1::timestamptz or t3_now.since is null and (exists (select
from contact_version t3_now_contact
where t3_now_contact.contact_id = t3_now.contact_id and coalesce(t3_now_contact.valid_from, t3_now_contact.recorded_at) <= $1::timestamptz)) and (exists (select
from deal_version t3_now_deal
where t3_now_deal.deal_id = t3_now.deal_id and coalesce(t3_now_deal.valid_from, t3_now_deal.recorded_at) <= $1::timestamptz)))) t3
where (t3.deal_id = t1.id)) t3_figures) "$") as "contactRoles"
from (select t1_now.id, t1_now.created_at, t1_now.updated_at, t1_now.row_version, t1_now.deleted_at, t1_now.effective_at, t1_then.is_assumed and t1_then.recorded_at > $1::timestamptz as is_assumed, t1_then.name, t1_then.company_id, t1_then.type, t1_then.amount, t1_then.currency, t1_then.product_id, t1_then.probability, t1_then.opened_at, t1_then.close_date, t1_then.pipeline_stage_id, t1_then.owner_id, t1_then.sdr_id, t1_then.outcome, t1_then.closed_at, t1_then.lost_reason, t1_then.primary_campaign_id
from deal t1_now join deal_version t1_then on t1_then.deal_id = t1_now.id
where (t1_now.deleted_at is null) and (coalesce(t1_then.valid_from, t1_then.recorded_at) <= $1::timestamptz and (t1_then.valid_to is null or t1_then.valid_to > $1::timestamptz))) t1
where (t1.id = $2)) "$") as "then",
(
select "$"
from (select t4.outcome as "outcome", replace(to_json(t4.closed_at)::text, '+00:00"', 'Z"')::json as "closedAt",
(
select "$"
from (select t5.name as "name"
from company t5
where (t5.id = t4.company_id) and (t5.deleted_at is null)) "$") as "company"
from deal t4
where (t4.id = $3) and (t4.deleted_at is null)) "$") as "now") "$"
-- $1: datetime.datetime(2026, 1, 20, 0, 0, tzinfo=datetime.timezone.utc)
-- $2: UUID('00000000-0000-0000-0000-000000000034')
-- $3: UUID('00000000-0000-0000-0000-000000000034')

-- $1: id of the contact
select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
  select "$"
  from (
    select 'contact_' || c.id as "id", c.first_name as "firstName", c.last_name as "lastName", c.email, c.phone,
      c.job_title as "jobTitle", c.country, c.lead_source as "leadSource", c.lead_score as "leadScore",
      replace(to_json(c.created_at)::text, '+00:00"', 'Z"')::json as "createdAt"
    from contact c
    where c.id = $1 and c.deleted_at is null
  ) "$"
) as "contact") "$"

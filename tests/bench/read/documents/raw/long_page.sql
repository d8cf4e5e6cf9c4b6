-- $1: id of the contact before the page
select convert_to(row_to_json("$")::text, 'UTF8')
from (select (select "$" from (select array(
  select "$"
  from (
    select 'contact_' || c.id as "id", c.first_name as "firstName", c.last_name as "lastName", c.email,
      c.job_title as "jobTitle", c.country, c.lead_source as "leadSource", c.lead_score as "leadScore"
    from contact c
    where c.id > $1 and c.deleted_at is null
    order by c.id
    limit 500
  ) "$"
) as "nodes") "$") as "contacts") "$"

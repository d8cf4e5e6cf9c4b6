-- $1: id of the contact before the page
select convert_to(row_to_json("$")::text, 'UTF8')
from (select (select "$" from (select array(
  select "$"
  from (
    select 'contact_' || c.id as "id", c.first_name as "firstName", c.last_name as "lastName", c.email,
      (
        select "$"
        from (
          select 'company_' || f.id as "id", f.name, f.industry
          from company f
          where f.id = c.company_id and f.deleted_at is null
        ) "$"
      ) as "company",
      (select "$" from (select array(
        select "$"
        from (
          select r.role,
            (
              select "$"
              from (
                select 'deal_' || d.id as "id", d.name, d.outcome
                from deal d
                where d.id = r.deal_id and d.deleted_at is null
              ) "$"
            ) as "deal"
          from deal_contact r
          where r.contact_id = c.id
          order by r.deal_id
          limit 10
        ) "$"
      ) as "nodes") "$") as "dealRoles",
      (select "$" from (select array(
        select "$"
        from (
          select replace(to_json(t.occurred_at)::text, '+00:00"', 'Z"')::json as "occurredAt", t.kind, t.channel,
            (
              select "$"
              from (select 'campaign_' || g.id as "id", g.name from campaign g where g.id = t.campaign_id) "$"
            ) as "campaign"
          from touchpoint t
          where t.contact_id = c.id
          order by t.occurred_at desc, t.id desc
          limit 5
        ) "$"
      ) as "nodes") "$") as "touchpoints"
    from contact c
    where c.id > $1 and c.deleted_at is null
    order by c.id
    limit 50
  ) "$"
) as "nodes") "$") as "contacts") "$"

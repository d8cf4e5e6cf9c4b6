-- $1, $2: start (inclusive) and end (exclusive) of the closing instant
select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
  with page as materialized (
    select *, row_number() over () as n
    from (
      select d.id, d.name, d.outcome, d.closed_at, d.amount, d.currency, d.company_id
      from deal d
      where d.outcome = 'WON' and d.closed_at >= $1 and d.closed_at < $2 and d.deleted_at is null
      order by d.closed_at desc, d.id desc
      limit 51
    ) d
  )
  select "$"
  from (
    select
      t.deals as "totalCount",
      (
        select "$"
        from (
          select (select "$" from (select t.sums as "amount") "$") as "sum",
            (select "$" from (select t.maxima as "amount") "$") as "max"
        ) "$"
      ) as "aggregate",
      array(
        select "$"
        from (
          select 'deal_' || p.id as "id", p.name, p.outcome,
            replace(to_json(p.closed_at)::text, '+00:00"', 'Z"')::json as "closedAt",
            case when p.amount is not null then (
              select "$" from (select p.amount::text as "amount", p.currency) "$"
            ) end as "amount",
            (
              select "$"
              from (
                select 'company_' || f.id as "id", f.name
                from company f
                where f.id = p.company_id and f.deleted_at is null
              ) "$"
            ) as "company"
          from page p
          where p.n <= 50
          order by p.n
        ) "$"
      ) as "nodes",
      (
        select "$"
        from (
          select exists (select from page where n = 51) as "hasNextPage",
            (
              select translate(encode(convert_to(
                json_build_array(p.closed_at, p.id)::text, 'UTF8'), 'base64'), e'\n', '')
              from page p
              where p.n <= 50
              order by p.n desc
              limit 1
            ) as "endCursor"
        ) "$"
      ) as "pageInfo"
    from (
      select coalesce(sum(c.deals), 0) as deals,
        coalesce(
          json_agg((select "$" from (select c.sum as "amount", c.currency) "$")) filter (where c.sum is not null), '[]'
        ) as sums,
        coalesce(
          json_agg((select "$" from (select c.max as "amount", c.currency) "$")) filter (where c.max is not null), '[]'
        ) as maxima
      from (
        select d.currency, count(*) as deals, sum(d.amount)::text as sum, max(d.amount)::text as max
        from deal d
        where d.outcome = 'WON' and d.closed_at >= $1 and d.closed_at < $2 and d.deleted_at is null
        group by d.currency
        order by d.currency
      ) c
    ) t
  ) "$"
) as "deals") "$"

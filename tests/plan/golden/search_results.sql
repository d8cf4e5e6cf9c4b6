select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_rank0 as materialized ((select 0 as rank, 0 as kind, t5.id
from (select t6.id
from deal t6
where (to_tsvector('simple', translate(coalesce(t6.name, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $1)) and (t6.deleted_at is null) offset 0) t5
order by t5.id
limit 2) union all (select 0 as rank, 1 as kind, t7.id
from (select t8.id
from campaign t8
where (to_tsvector('simple', translate(coalesce(t8.name, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $1)) and (t8.deleted_at is null) offset 0) t7
order by t7.id
limit 2)), t1_rank1 as materialized ((select 1 as rank, 0 as kind, t9.id
from (select t10.id
from deal t10
where (to_tsvector('simple', translate(coalesce(t10.name, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $2)) and (t10.deleted_at is null) offset 0) t9
where ((select count(*)
from t1_rank0) < 2) and (t9.id not in (select t11.id
from deal t11
where (to_tsvector('simple', translate(coalesce(t11.name, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $1)) and (t11.deleted_at is null) offset 0))
order by t9.id
limit 2) union all (select 1 as rank, 1 as kind, t12.id
from (select t13.id
from campaign t13
where (to_tsvector('simple', translate(coalesce(t13.name, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $2)) and (t13.deleted_at is null) offset 0) t12
where ((select count(*)
from t1_rank0) < 2) and (t12.id not in (select t14.id
from campaign t14
where (to_tsvector('simple', translate(coalesce(t14.name, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $1)) and (t14.deleted_at is null) offset 0))
order by t12.id
limit 2)), t1_page as materialized (select *, row_number() over (order by rank, kind, id) as "#"
from (select *
from t1_rank0 union all select *
from t1_rank1) t1
order by 4
limit 2) select "$"
from (select array(select case t2.kind when 0 then to_json((
select "$"
from (select text 'Deal' as "__typename", t3.name as "name", 'deal_' || t3.id as "id"
from deal t3
where (t3.id = t2.id) and (t3.deleted_at is null)) "$")) when 1 then to_json((
select "$"
from (select text 'Campaign' as "__typename", 'campaign_' || t4.id as "id"
from campaign t4
where (t4.id = t2.id) and (t4.deleted_at is null)) "$")) end
from t1_page t2
where t2."#" <= 1
order by t2."#") as "nodes") "$") as "search") "$"
-- $1: "'fir'"
-- $2: "'fir':*"

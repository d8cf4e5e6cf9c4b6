select convert_to(row_to_json("$")::text, 'UTF8')
from (select (with t1_rank1 as materialized ((select 1 as rank, 0 as kind, t10.id
from (select t11.id
from member t11
where (to_tsvector('simple', translate(coalesce(t11.name, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $1)) offset 0) t10
where (t10.id not in (select t12.id
from member t12
where (to_tsvector('simple', translate(coalesce(t12.name, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $2)) offset 0)) and (t10.id > $3)
order by t10.id
limit 2)), t1_rank2 as materialized ((select 2 as rank, 0 as kind, t13.id
from (select t14.id
from member t14
where (to_tsvector('simple', translate((coalesce(t14.name, '') || ' ') || coalesce(t14.email, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $1)) offset 0) t13
where ((select count(*)
from t1_rank1) < 2) and (t13.id not in (select t15.id
from member t15
where (to_tsvector('simple', translate(coalesce(t15.name, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $1)) offset 0))
order by t13.id
limit 2)), t1_page as materialized (select *, row_number() over (order by rank, kind, id) as "#"
from (select *
from t1_rank1 union all select *
from t1_rank2) t1
order by 4
limit 2) select "$"
from (select (
select "$"
from (select exists (select
from t1_page t2
where t2."#" > 1) as "hasNextPage", (exists (select
from (select t4.id
from member t4
where (to_tsvector('simple', translate(coalesce(t4.name, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $2)) offset 0) t3) or exists (select
from (select t6.id
from member t6
where (to_tsvector('simple', translate(coalesce(t6.name, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $1)) offset 0) t5
where (t5.id not in (select t7.id
from member t7
where (to_tsvector('simple', translate(coalesce(t7.name, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $2)) offset 0)) and (t5.id <= $4))) as "hasPreviousPage",
(select translate(encode(convert_to(json_build_array('search member', $5::text, t2.rank, t2.kind, t2.id)::text, 'UTF8'), 'base64'), e'\n', '')
from t1_page t2
where t2."#" <= 1
order by t2."#" desc
limit 1) as "endCursor") "$") as "pageInfo",
(select count(*)
from member t8
where (to_tsvector('simple', translate((coalesce(t8.name, '') || ' ') || coalesce(t8.email, ''), '@._-/+&<>~’–—', '             ')) @@ to_tsquery('simple', $1))) as "totalCount",
array(
select "$"
from (select translate(encode(convert_to(json_build_array('search member', $5::text, t9.rank, t9.kind, t9.id)::text, 'UTF8'), 'base64'), e'\n', '') as "cursor"
from t1_page t9
where t9."#" <= 1
order by t9."#") "$") as "edges") "$") as "search") "$"
-- $1: "'a':*"
-- $2: "'a'"
-- $3: UUID('00000000-0000-0000-0000-00000000000b')
-- $4: UUID('00000000-0000-0000-0000-00000000000b')
-- $5: 'ca978112ca1bbdca'

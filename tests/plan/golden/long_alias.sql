select convert_to(row_to_json("$")::text, 'UTF8')
from (select (select (select json_object_agg("$".k, "$".v
order by "$".n)
from (values (0, 'an_alias_of_more_than_sixty_three_bytes_which_postgresql_would_otherwise_cut_a', to_json(t1.name)), (1, 'an_alias_of_more_than_sixty_three_bytes_which_postgresql_would_otherwise_cut_b', to_json(t1.kind)), (2, 'members', to_json((
select "$"
from (select array(
select "$"
from (select t3.name as "name",
(
select "$"
from (select array(
select "$"
from (select t5.name as "name"
from member t5
where (t5.manager_id = t3.id)
order by t5.id
limit 50) "$") as "nodes") "$") as "reports"
from member t3
where (t3.team_id = t1.id)
order by t3.id
limit 50) "$") as "nodes") "$")))) "$" (n, k, v))
from team t1
where (t1.id = $1)) as "team") "$"
-- $1: UUID('00000000-0000-0000-0000-000000000001')

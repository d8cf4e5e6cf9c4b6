select convert_to(row_to_json("$")::text, 'UTF8')
from (select (
select "$"
from (select array(
select "$"
from (select (
select "$"
from (select (
select "$"
from (select t2.name as "name"
from pipeline_stage t2
where (t2.id = t1_figures.k0)) "$") as "pipelineStage", t1_figures.k1 as "outcome") "$") as "key", t1_figures.a0 as "count"
from (select t1_figures.*, count(*) over () as groups
from (select t1.pipeline_stage_id as k0, t1.outcome as k1, count(*) as a0
from deal t1
where (t1.deleted_at is null) group by 1, 2) t1_figures) t1_figures
where case when t1_figures.groups > 1000 then (t1_figures.groups || ' groups')::integer > 0 else true end
order by (select row(t3.pipeline_id, t3.rank)
from pipeline_stage t3
where (t3.id = t1_figures.k0)) nulls last, t1_figures.k0 nulls last, array_position(array['OPEN', 'WON', 'LOST'], t1_figures.k1) nulls last, t1_figures.k1 nulls last) "$") as "groupBy") "$") as "deals",
(
select "$"
from (select array(
select "$"
from (select (
select "$"
from (select t4_figures.k0 as "stage") "$") as "key", t4_figures.a0 as "count"
from (select t4.stage as k0, count(*) as a0
from stage_entry t4
where (t4.evaluation_id = (select v.id
from evaluation v
where v.is_current and v.reading = 'IN_FORCE')) group by 1) t4_figures
order by array_position(array(select step.value ->> 'key'
from accord_version agreed, jsonb_array_elements(coalesce(agreed.body::jsonb -> 'stages', '[]'::jsonb)) with ordinality step (value, rank)
where agreed.status = 'ACTIVE'
order by step.rank), t4_figures.k0) desc nulls last, t4_figures.k0 desc nulls last
limit 5) "$") as "groupBy") "$") as "stageEntries") "$"

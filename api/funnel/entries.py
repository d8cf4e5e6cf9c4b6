"""From the moments at which rules came to hold to stage entries: implied rows, how entries end, occurrences.

`funnel_own` becomes `funnel_entry`, one row for each stage and segment that the contact entered.
"""

from api.funnel.ladder import Ladder
from api.sql import Sql

# Entering a stage enters every lower one that has no entry in its current segment. An entry ends when a higher stage is
# entered before the segment closes, else with the exit that closes it.
_ENTRIES = """create temp table funnel_entry on commit drop as
with reached as materialized (
  select o.contact_id, g.rank, g.stage, s.closed_at, s.exit_kind,
    min(o.moment) as entered_at, min(o.moment) filter (where o.rank = g.rank) as own_at
  from funnel_own o
  join funnel_rung g on g.rank <= o.rank
  left join funnel_segment s
    on s.cut = g.cut and s.contact_id = o.contact_id and o.moment >= s.starts_at and o.moment < s.ends_at
  group by o.contact_id, g.rank, g.stage, s.no, s.closed_at, s.exit_kind
), advanced as (
  select e.contact_id, e.rank, e.entered_at, min(higher.entered_at) as at
  from reached e join reached higher on higher.contact_id = e.contact_id
    and higher.rank > e.rank and higher.entered_at >= e.entered_at
    and (e.closed_at is null or higher.entered_at <= e.closed_at)
  group by 1, 2, 3
)
select e.contact_id, e.rank, e.stage,
  (row_number() over (partition by e.contact_id, e.rank order by e.entered_at))::int as occurrence,
  e.entered_at, e.own_at,
  coalesce(a.at, e.closed_at) as exited_at,
  case when a.at is not null then 'ADVANCED' else e.exit_kind end as exit_kind,
  e.own_at is distinct from e.entered_at as is_implied
from reached e
left join advanced a on a.contact_id = e.contact_id and a.rank = e.rank and a.entered_at = e.entered_at"""

RUNG_TABLE = Sql("create temp table funnel_rung (rank int not null, stage text not null, cut int) on commit drop")
ENTRY_TABLE = Sql(_ENTRIES)


def rung_statement(ladder: Ladder) -> Sql:
    """Write the ladder where the statements can join it."""
    return Sql(
        "insert into funnel_rung select * from unnest({}::int[], {}::text[], {}::int[])",
        [rung.rank for rung in ladder.rungs],
        [rung.stage.key for rung in ladder.rungs],
        [rung.cut for rung in ladder.rungs],
    )

"""From the moments at which rules came to hold to stage entries: implied rows, how entries end, occurrences.

Entering a stage enters every lower one that has no entry in its current segment. An entry ends when a higher stage is
entered before the segment closes, else with the exit that closes it. Most people have no exit, and one segment then: a
row of `funnel_own` for each stage is all there is to know, and no join is needed.
"""

from api.funnel.ladder import Ladder
from api.sql import Sql, join

RUNG_TABLE = Sql("create temp table funnel_rung (rank int not null, stage text not null, cut int) on commit drop")

# Each moment enters its own stage and every lower one, in the segment that it falls into.
_CUT = Sql("""select e.contact_id, e.rank, e.stage,
  (row_number() over (partition by e.contact_id, e.rank order by e.entered_at))::int as occurrence,
  e.entered_at, e.own_at,
  coalesce(a.at, e.closed_at) as exited_at,
  case when a.at is not null then 'ADVANCED' else e.exit_kind end as exit_kind,
  e.own_at is distinct from e.entered_at as is_implied
from reached e
left join (
  select e.contact_id, e.rank, e.entered_at, min(higher.entered_at) as at
  from reached e join reached higher on higher.contact_id = e.contact_id
    and higher.rank > e.rank and higher.entered_at >= e.entered_at
    and (e.closed_at is null or higher.entered_at <= e.closed_at)
  group by 1, 2, 3
) a on a.contact_id = e.contact_id and a.rank = e.rank and a.entered_at = e.entered_at""")
_REACHED = Sql("""with reached as materialized (
  select o.contact_id, g.rank, g.stage, s.closed_at, s.exit_kind,
    min(o.moment) as entered_at, min(o.moment) filter (where o.rank = g.rank) as own_at
  from funnel_own o
  join funnel_rung g on g.rank <= o.rank
  left join funnel_segment s
    on s.cut = g.cut and s.contact_id = o.contact_id and o.moment >= s.starts_at and o.moment < s.ends_at
  where exists (select from funnel_segment s where s.contact_id = o.contact_id)
  group by o.contact_id, g.rank, g.stage, s.no, s.closed_at, s.exit_kind
)""")


def entries(ladder: Ladder) -> Sql:
    """Select every stage entry, from `funnel_own` and the segments."""
    if not ladder.cuts:
        return _plain(ladder)
    return Sql("{}\n{}\nunion all\n{}", _REACHED, _plain(ladder), _CUT)


def _plain(ladder: Ladder) -> Sql:
    """Return the entries of people without an exit: each stage at the first moment of it or of a higher one."""
    ranks = [rung.rank for rung in ladder.rungs]
    top = ranks[-1]
    own = "".join(f",\n    min(moment) filter (where rank = {rank}) as own{rank}" for rank in ranks)
    entered = "".join(
        f",\n    least({', '.join(f'own{higher}' for higher in range(rank, top + 1))}) as entered{rank}"
        for rank in ranks
    )
    rows = join(
        ",\n  ",
        (
            Sql(
                f"({rung.rank}, {{}}::text, entered{rung.rank}, own{rung.rank}, "
                + (f"entered{rung.rank + 1})" if rung.rank < top else "null::timestamptz)"),
                rung.stage.key,
            )
            for rung in ladder.rungs
        ),
    )
    return Sql(
        f"""select p.contact_id, e.rank, e.stage, 1 as occurrence, e.entered_at, e.own_at, e.exited_at,
  case when e.exited_at is not null then 'ADVANCED' end as exit_kind,
  e.own_at is distinct from e.entered_at as is_implied
from (
  select contact_id, {", ".join(f"own{rank}" for rank in ranks)}{entered}
  from (
    select contact_id{own}
    from funnel_own o
    where not exists (select from funnel_segment s where s.contact_id = o.contact_id)
    group by contact_id
  ) first
) p cross join lateral (values
  {{}}
) e (rank, stage, entered_at, own_at, exited_at)
where e.entered_at is not null""",
        rows,
    )


def rung_statement(ladder: Ladder) -> Sql:
    """Write the ladder where the statements can join it."""
    return Sql(
        "insert into funnel_rung select * from unnest({}::int[], {}::text[], {}::int[])",
        [rung.rank for rung in ladder.rungs],
        [rung.stage.key for rung in ladder.rungs],
        [rung.cut for rung in ladder.rungs],
    )

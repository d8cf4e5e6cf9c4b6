"""From the moments at which rules came to hold to stage entries: implied rows, how entries end, occurrences.

Entering a stage also enters every lower stage that has no entry in its current segment. An entry ends when a higher
stage is entered before the segment closes, otherwise with the exit that closes the segment. Most contacts have no exit,
and therefore one segment: their entries follow from one row of `funnel_own_entry` for each stage, without a join.

The statements of this module are those of one version, where the number of a stage is its rank; `version_entries` has
those of several.
"""

from uuid import UUID

from api.funnel.ladder import Ladder
from api.funnel.version_entries import version_entries, version_stage_rows
from api.sql import Sql, join

# One row per stage and segment that was entered. A moment enters its own stage and every lower one, each in the
# segment of that stage which contains the moment. It is materialized because it is joined with itself below.
_REACHED = Sql("""with reached as materialized (
  select o.contact_id, g.rank, g.stage, s.closed_at, s.exit_kind,
    min(o.moment) as entered_at, min(o.moment) filter (where o.stage_no = g.rank) as own_at
  from funnel_own_entry o
  join funnel_stage g on g.rank <= o.stage_no
  left join funnel_segment s
    on s.exit_group = g.exit_group and s.contact_id = o.contact_id and o.moment >= s.starts_at and o.moment < s.ends_at
  where exists (select from funnel_segment s where s.contact_id = o.contact_id)
  group by o.contact_id, g.rank, g.stage, s.segment_no, s.closed_at, s.exit_kind
)""")

# `h`: until when a higher stage that was entered before is still open. It hides the entry: the person is in the higher
# stage. None is entered later without ending the entry, so the time in which an entry is the highest open one is a
# single interval, which ends with the entry.
_WITH_EXITS = Sql("""select e.contact_id, e.rank, e.stage, e.occurrence, e.entered_at, e.own_at, e.exited_at,
  e.exit_kind, e.is_implied, e.accord_version_id, 'FACTS' as cause,
  case when coalesce(h.until, e.entered_at) < coalesce(e.exited_at, 'infinity') then coalesce(h.until, e.entered_at) end
    as present_at
from ended e
left join (
  select e.contact_id, e.rank, e.occurrence, max(coalesce(higher.exited_at, 'infinity')) as until
  from ended e join ended higher on higher.contact_id = e.contact_id and higher.rank > e.rank
    and higher.entered_at <= e.entered_at and (higher.exited_at is null or higher.exited_at > e.entered_at)
  group by 1, 2, 3
) h on h.contact_id = e.contact_id and h.rank = e.rank and h.occurrence = e.occurrence""")


def entries(ladder: Ladder) -> Sql:
    """Select every stage entry, with the id of the version that judged it.

    Reads `funnel_own_entry`, `funnel_stage` and `funnel_segment`.
    """
    if len(ladder.periods) > 1:
        return version_entries(ladder)
    version_id = ladder.periods[0].version_id
    if not ladder.exit_groups:
        return _without_exits(ladder, version_id)
    ended = Sql("{},\nended as materialized (\n{}\n)", _REACHED, _ended(version_id))
    return Sql("{}\n{}\nunion all\n{}", ended, _without_exits(ladder, version_id), _WITH_EXITS)


def stage_rows(ladder: Ladder) -> Sql:
    """Select the rows of `funnel_stage`: the ladder, for the statements to join."""
    if len(ladder.periods) > 1:
        return version_stage_rows(ladder)
    return Sql(
        "select * from unnest({}::int[], {}::text[], {}::int[]) ladder (rank, stage, exit_group)",
        [rung.number for rung in ladder.rungs],
        [rung.key for rung in ladder.rungs],
        [rung.exit_group for rung in ladder.rungs],
    )


def _ended(version_id: UUID) -> Sql:
    """Return the entries of contacts that have an exit, without `present_at`."""
    # `a`: the earliest entry of a higher stage inside the segment, which is how the entry ends as ADVANCED. It may be
    # at the same instant, when one moment enters both stages. `is distinct from`: `own_at` is null if only implied.
    return Sql(
        """select e.contact_id, e.rank, e.stage,
  (row_number() over (partition by e.contact_id, e.rank order by e.entered_at))::int as occurrence,
  e.entered_at, e.own_at,
  coalesce(a.at, e.closed_at) as exited_at,
  case when a.at is not null then 'ADVANCED' else e.exit_kind end as exit_kind,
  e.own_at is distinct from e.entered_at as is_implied, {}::uuid as accord_version_id
from reached e
left join (
  select e.contact_id, e.rank, e.entered_at, min(higher.entered_at) as at
  from reached e join reached higher on higher.contact_id = e.contact_id
    and higher.rank > e.rank and higher.entered_at >= e.entered_at
    and (e.closed_at is null or higher.entered_at <= e.closed_at)
  group by 1, 2, 3
) a on a.contact_id = e.contact_id and a.rank = e.rank and a.entered_at = e.entered_at""",
        version_id,
    )


def _without_exits(ladder: Ladder, version_id: UUID) -> Sql:
    """Return the entries of contacts without an exit: they enter a stage when it, or a higher one, first holds.

    The stages become columns (`own1` …, `entered1` …), so that one aggregation by contact replaces the self-join that
    contacts with exits need.
    """
    ranks = [rung.number for rung in ladder.rungs]
    top = ranks[-1]
    own = "".join(f",\n    min(moment) filter (where stage_no = {rank}) as own{rank}" for rank in ranks)
    entered = "".join(
        f",\n    least({', '.join(f'own{higher}' for higher in range(rank, top + 1))}) as entered{rank}"
        for rank in ranks
    )
    # `least` ignores nulls, so `entered{n}` is the first moment of the stage n or of any higher one. An entry of the
    # stage n therefore ends at `entered{n+1}`: no need to look at the stages above that.
    rows = join(
        ",\n  ",
        (
            Sql(
                f"({rung.number}, {{}}::text, entered{rung.number}, own{rung.number}, "
                + (f"entered{rung.number + 1})" if rung.number < top else "null::timestamptz)"),
                rung.key,
            )
            for rung in ladder.rungs
        ),
    )
    return Sql(
        f"""select p.contact_id, e.rank, e.stage, 1 as occurrence, e.entered_at, e.own_at, e.exited_at,
  case when e.exited_at is not null then 'ADVANCED' end as exit_kind,
  e.own_at is distinct from e.entered_at as is_implied, {{}}::uuid as accord_version_id, 'FACTS' as cause,
  case when e.exited_at is distinct from e.entered_at then e.entered_at end as present_at
from (
  select contact_id, {", ".join(f"own{rank}" for rank in ranks)}{entered}
  from (
    select contact_id{own}
    from funnel_own_entry o
    where not exists (select from funnel_segment s where s.contact_id = o.contact_id)
    group by contact_id
  ) first
) p cross join lateral (values
  {{}}
) e (rank, stage, entered_at, own_at, exited_at)
where e.entered_at is not null""",
        version_id,
        rows,
    )

"""From own moments to stage entries, where several versions of the accord judge: the same tables as `entries` reads.

A moment enters the stages that the version in force at the moment ranks below its own. An entry ends when a stage is
entered that the version in force then ranks above it. Where versions agree on the order of two stages, nothing has to
be looked up at run time: the expressions below name versions only for the pairs of stages that they disagree on.
"""

from collections.abc import Sequence

from api.funnel.ladder import Ladder, Rung
from api.sql import Sql, join

_FACTS, _ACCORD = "'FACTS'", "'ACCORD'"

# As `_REACHED` of `entries`; `p` is the version in force at the moment. `facts_at`: the first moment that follows from
# facts alone, which wins over the accord at the same instant.
_REACHED = """with reached as materialized (
  select o.contact_id, g.number, g.stage, s.closed_at, s.exit_kind, min(o.moment) as entered_at,
    min(o.moment) filter (where o.stage_no = g.number) as own_at,
    min(o.moment) filter (where not o.by_accord) as facts_at
  from funnel_own_entry o
  join funnel_stage p on p.number = o.stage_no and o.moment >= p.starts_at and o.moment < p.ends_at
  join funnel_stage g on g.version = p.version and g.rank <= p.rank
  left join funnel_segment s
    on s.exit_group = g.exit_group and s.contact_id = o.contact_id and o.moment >= s.starts_at and o.moment < s.ends_at
  where exists (select from funnel_segment s where s.contact_id = o.contact_id)
  group by o.contact_id, g.number, g.stage, s.segment_no, s.closed_at, s.exit_kind
), placed as materialized (
  select r.*, g.version, g.rank, g.accord_version_id, g.places
  from reached r
  join funnel_stage g on g.number = r.number and r.entered_at >= g.starts_at and r.entered_at < g.ends_at
)"""
# `a`: the earliest entry of a stage above it, by the version in force at that entry. A stage that no version has had by
# then has no place, and a comparison with null holds for nobody.
_ENDED = f"""ended as materialized (
  select e.contact_id, e.rank, e.number, e.stage,
    (row_number() over (partition by e.contact_id, e.number order by e.entered_at))::int as occurrence,
    e.entered_at, e.own_at, coalesce(a.at, e.closed_at) as exited_at,
    case when a.at is not null then 'ADVANCED' else e.exit_kind end as exit_kind,
    e.own_at is distinct from e.entered_at as is_implied, e.accord_version_id,
    case when e.facts_at = e.entered_at then {_FACTS} else {_ACCORD} end as cause
  from placed e
  left join (
    select e.contact_id, e.number, e.entered_at, min(higher.entered_at) as at
    from placed e join placed higher on higher.contact_id = e.contact_id and higher.entered_at >= e.entered_at
      and higher.places[higher.version] > e.places[higher.version]
      and (e.closed_at is null or higher.entered_at <= e.closed_at)
    group by 1, 2, 3
  ) a on a.contact_id = e.contact_id and a.number = e.number and a.entered_at = e.entered_at
)"""
# `h`: until when an entry that began before is still open. Had its stage been below this one, this entry would have
# ended it; so it hides this entry. Nothing reverses that later, so that a present entry stays present until its exit.
_PRESENT = """select e.contact_id, e.rank, e.stage, e.occurrence, e.entered_at, e.own_at, e.exited_at, e.exit_kind,
  e.is_implied, e.accord_version_id, e.cause,
  case when coalesce(h.until, e.entered_at) < coalesce(e.exited_at, 'infinity') then coalesce(h.until, e.entered_at) end
    as present_at
from ended e
left join (
  select e.contact_id, e.number, e.occurrence, max(coalesce(higher.exited_at, 'infinity')) as until
  from ended e join ended higher on higher.contact_id = e.contact_id and higher.number <> e.number
    and higher.entered_at <= e.entered_at and (higher.exited_at is null or higher.exited_at > e.entered_at)
  group by 1, 2, 3
) h on h.contact_id = e.contact_id and h.number = e.number and h.occurrence = e.occurrence"""


def version_stage_rows(ladder: Ladder) -> Sql:
    """Select the rows of `funnel_stage`: a row for each stage and version that has it.

    `version` counts the versions from 1; `places` are those of the stage in all versions.
    """
    rows = [
        (rung, index, period)
        for rung in ladder.rungs
        for index, period in enumerate(ladder.periods)
        if rung.ranks[index] is not None
    ]
    ends = [period.in_force_from for period in ladder.periods[1:]]
    return Sql(
        """select number, stage, exit_group, version, rank, coalesce(starts_at, '-infinity') as starts_at,
  coalesce(ends_at, 'infinity') as ends_at, accord_version_id, places::int[] as places
from unnest({}::int[], {}::text[], {}::int[], {}::int[], {}::int[], {}::timestamptz[], {}::timestamptz[], {}::uuid[],
  {}::text[]) ladder (number, stage, exit_group, version, rank, starts_at, ends_at, accord_version_id, places)""",
        [rung.number for rung, _, _ in rows],
        [rung.key for rung, _, _ in rows],
        [rung.exit_group for rung, _, _ in rows],
        [index + 1 for _, index, _ in rows],
        [rung.ranks[index] for rung, index, _ in rows],
        [period.in_force_from for _, _, period in rows],
        [ends[index] if index < len(ends) else None for _, index, _ in rows],
        [period.version_id for _, _, period in rows],
        ["{" + ",".join("NULL" if place is None else str(place) for place in rung.places) + "}" for rung, _, _ in rows],
    )


def version_entries(ladder: Ladder) -> Sql:
    """Select every stage entry, with the id of the version that judged it, and its cause."""
    without_exits = _WithoutExits(ladder).entries()
    if not ladder.exit_groups:
        return without_exits
    return Sql("{},\n{}\n{}\nunion all\n{}", Sql(_REACHED), Sql(_ENDED), without_exits, Sql(_PRESENT))


class _WithoutExits:
    """The entries of contacts without an exit, from one row of columns for each contact.

    The columns of the stage with number 1 are `own1`, `fact1` (its moment if it follows from facts alone; only for a
    stage that a version can bring somebody into), `entered1`, `exited1`, and `hidden1` and `facts1` where they can
    differ from `entered1`.
    """

    def __init__(self, ladder: Ladder) -> None:
        self.rungs = ladder.rungs
        self.periods = ladder.periods
        # Bound once for all the places that compare with them.
        self.starts = [Sql("{}::timestamptz", at) for at in ladder.activations]
        self.renewed = {ranked.number for ranked in ladder.stages if any(span.is_fresh for span in ranked.spans)}

    def entries(self) -> Sql:
        """Select the entries."""
        ranks = [f"rank{number}" for number in range(1, len(self.periods) + 1)]
        # PostgreSQL prepares the expressions of a lateral `values` anew for each contact, so they are columns only.
        return Sql(
            f"""select p.contact_id, {{}} as rank, e.stage, 1 as occurrence, e.entered_at, e.own_at, e.exited_at,
  case when e.exited_at is not null then 'ADVANCED' end as exit_kind,
  e.own_at is distinct from e.entered_at as is_implied, {{}} as accord_version_id,
  case when e.facts_at = e.entered_at then {_FACTS} else {_ACCORD} end as cause,
  case when e.hidden_until < coalesce(e.exited_at, 'infinity') then e.hidden_until end as present_at
from ({{}}) p cross join lateral (values
  {{}}
) e (stage, entered_at, own_at, exited_at, hidden_until, facts_at, {", ".join(ranks)})
where e.entered_at is not null""",
            self._by_version("e.entered_at", [Sql(f"e.{rank}") for rank in ranks]),
            self._by_version("e.entered_at", [Sql("{}::uuid", period.version_id) for period in self.periods]),
            self._hidden(self._exited(self._entered(self._own()))),
            join(",\n  ", map(self._values, self.rungs)),
        )

    def _own(self) -> Sql:
        # Without exits there is one segment, hence one row for each stage.
        own = "".join(
            f",\n    min(moment) filter (where stage_no = {rung.number}) as own{rung.number}" for rung in self.rungs
        )
        facts = "".join(
            f",\n    min(moment) filter (where stage_no = {number} and not by_accord) as fact{number}"
            for number in sorted(self.renewed)
        )
        return Sql(
            f"""select contact_id{own}{facts}
  from funnel_own_entry o
  where not exists (select from funnel_segment s where s.contact_id = o.contact_id)
  group by contact_id"""
        )

    def _entered(self, rows: Sql) -> Sql:
        """Add when each stage was entered: by its own moment, or by that of a stage above it."""
        # `offset 0` keeps PostgreSQL from repeating these expressions wherever their columns are read.
        entered = (Sql(f",\n    {{}} as entered{rung.number}", _least(self._entering(rung))) for rung in self.rungs)
        return Sql("select *{} from ({}) own offset 0", join("", entered), rows)

    def _exited(self, rows: Sql) -> Sql:
        """Add when each entry ended: when a stage above it was entered, at the same time or later."""
        exited = (Sql(f",\n    {{}} as exited{rung.number}", _least(self._advancing(rung))) for rung in self.rungs)
        return Sql("select *{} from ({}) entered offset 0", join("", exited), rows)

    def _hidden(self, rows: Sql) -> Sql:
        """Add until when an entry is hidden by one that began before, and the first moment that follows from facts."""
        hidden = [
            f",\n    greatest(entered{rung.number}, {', '.join(hiding)}) as hidden{rung.number}"
            for rung in self.rungs
            if (hiding := self._hiding(rung))
        ]
        facts = [
            Sql(f",\n    {{}} as facts{rung.number}", _least(self._by_facts(rung)))
            for rung in self.rungs
            if self._is_renewed(rung)
        ]
        return Sql("select *{}{} from ({}) exited offset 0", Sql("".join(hidden)), join("", facts), rows)

    def _values(self, rung: Rung) -> Sql:
        """Return the row of a stage."""
        number = rung.number
        hidden = f"hidden{number}" if self._hiding(rung) else f"entered{number}"
        facts = f"facts{number}" if self._is_renewed(rung) else f"entered{number}"
        ranks = ", ".join("null::int" if rank is None else str(rank) for rank in rung.ranks)
        return Sql(f"({{}}::text, entered{number}, own{number}, exited{number}, {hidden}, {facts}, {ranks})", rung.key)

    def _hiding(self, rung: Rung) -> list[str]:
        return [
            f"case when entered{other.number} < entered{rung.number}"
            f" and (exited{other.number} is null or exited{other.number} > entered{rung.number})"
            f" then coalesce(exited{other.number}, 'infinity') end"
            for other in self.rungs
            if other is not rung and not _is_implied(rung, other) and not _is_ended(other, rung)
        ]

    def _is_renewed(self, rung: Rung) -> bool:
        """Whether a version can bring somebody into a stage, by its own rule or by that of a stage above it."""
        return any(other.number in self.renewed for other, _ in self._entering_stages(rung))

    def _by_facts(self, rung: Rung) -> list[Sql]:
        return [
            self._during(f"{'fact' if other.number in self.renewed else 'own'}{other.number}", other, versions)
            for other, versions in self._entering_stages(rung)
        ]

    def _entering_stages(self, rung: Rung) -> list[tuple[Rung, frozenset[int]]]:
        """Return the stages whose moments enter a stage, itself included, with the versions in which they do."""
        above = [(other, _versions_above(rung, other)) for other in self.rungs if other is not rung]
        return [(rung, _having(rung)), *((other, versions) for other, versions in above if versions)]

    def _entering(self, rung: Rung) -> list[Sql]:
        return [self._during(f"own{other.number}", other, versions) for other, versions in self._entering_stages(rung)]

    def _advancing(self, rung: Rung) -> list[Sql]:
        found = []
        for other in self.rungs:
            versions = frozenset(index for index in _having(other) if _is_above(other, rung, index))
            if other is rung or not versions:
                continue
            at = self._during(f"entered{other.number}", other, versions)
            if not _is_implied(rung, other):
                at = Sql(f"case when entered{other.number} >= entered{rung.number} then {{}} end", at)
            found.append(at)
        return found

    def _during(self, moment: str, rung: Rung, versions: frozenset[int]) -> Sql:
        """Return the moment of a stage if one of the versions is in force at it, otherwise null."""
        if versions == _having(rung):
            return Sql(moment)
        return self._by_version(
            moment, [Sql(moment if index in versions else "null") for index in range(len(self.periods))]
        )

    def _by_version(self, moment: str, values: Sequence[Sql]) -> Sql:
        """Choose one of the values by the version in force at a moment."""
        later = reversed(list(zip(self.starts, values[1:], strict=True)))
        cases = (Sql(f"when {moment} >= {{}} then {{}}", at, value) for at, value in later)
        return Sql("case {} else {} end", join(" ", cases), values[0])


def _least(values: Sequence[Sql]) -> Sql:
    return Sql("least({})", join(", ", values)) if values else Sql("null::timestamptz")


def _having(rung: Rung) -> frozenset[int]:
    """Return the versions that have a stage."""
    return frozenset(index for index, rank in enumerate(rung.ranks) if rank is not None)


def _versions_above(lower: Rung, higher: Rung) -> frozenset[int]:
    """Return the versions that have both stages and rank one above the other."""
    return frozenset(index for index in _having(lower) & _having(higher) if _is_above(higher, lower, index))


def _is_above(higher: Rung, lower: Rung, version: int) -> bool:
    """Whether a version places a stage above another one."""
    high, low = higher.places[version], lower.places[version]
    return high is not None and low is not None and high > low


def _is_implied(lower: Rung, higher: Rung) -> bool:
    """Whether whoever enters one stage always enters the other one with it, unless they did before."""
    return _versions_above(lower, higher) == _having(higher)


def _is_ended(lower: Rung, higher: Rung) -> bool:
    """Whether an open entry of one stage always ends when the other one is entered."""
    return all(lower.places[index] is None or _is_above(higher, lower, index) for index in _having(higher))

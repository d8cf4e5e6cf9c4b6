"""Flat rules as joins: everything that a stage asks for stands side by side, none of it under `not`.

Then the first moment in a segment is the latest beginning among stretches that overlap, the earliest of these: no need
to sort all facts into one stream. It is the same moment that the sweep finds. A stretch of a fact leaf begins with a
fresh fact and lies in one segment, so whatever overlaps with it there begins to hold with it, or later, with a fact of
its own; a piece of a field's time that is not fresh continues one that held before, whose moment is earlier.
"""

from api.funnel.fact_leaves import fact_intervals
from api.funnel.field_leaf import field_intervals
from api.funnel.ladder import Ladder, RankedStage
from api.funnel.lifetimes import VisibleFacts
from api.funnel.normal_form import Conjunction, FieldConditions, LeafHolds, NormalForm
from api.sql import Sql, join
from schema.accord import Touches


def is_flat(form: NormalForm) -> bool:
    """Whether a rule can be a join: all of several leaves, at least one of facts, touches once (pairs would multiply).

    A rule that asks for nothing is one too: everybody fulfils it when life begins.
    """
    parts = form.tree.parts if isinstance(form.tree, Conjunction) else (form.tree,)
    facts = [leaf.what for leaf in form.leaves if not isinstance(leaf.what, FieldConditions)]
    return (
        all(isinstance(part, LeafHolds) for part in parts)
        and not any(leaf.is_negated for leaf in form.leaves)
        and sum(isinstance(what, Touches) for what in facts) <= 1
        and (bool(facts) or not form.leaves)
    )


def flat_statement(form: NormalForm, ladder: Ladder, rung: RankedStage, seen: VisibleFacts) -> Sql:
    """Compile a flat rule into one insert."""
    facts = [number for number, leaf in enumerate(form.leaves) if not isinstance(leaf.what, FieldConditions)]
    starts = ", ".join(["l.starts_at", *(f"x{number}.starts_at" for number in range(len(form.leaves)))])
    ends = ", ".join(["'infinity'::timestamptz", *(f"x{number}.until" for number in range(len(form.leaves)))])
    is_cut = bool(facts) and rung.cut is not None
    return Sql(
        f"""insert into funnel_own (contact_id, rank, moment)
select contact_id, {{}}::int, min(moment)
from (
  select l.contact_id, {f"x{facts[0]}.no" if is_cut else "null"} as no,
    greatest({starts}) as moment, least({ends}) as until
  from funnel_life l{{}}
) f
where moment < until and moment <= {{}}
group by contact_id{", no" if is_cut else ""}""",
        rung.rank,
        join("", (_joined(form, number, ladder, rung, seen) for number in range(len(form.leaves)))),
        seen.as_of,
    )


def _joined(form: NormalForm, number: int, ladder: Ladder, rung: RankedStage, seen: VisibleFacts) -> Sql:
    """Join the stretches of one leaf, where they overlap with the one before it."""
    leaf, row = form.leaves[number], f"x{number}"
    if isinstance(leaf.what, FieldConditions):
        stretches = field_intervals(leaf.what, seen)
    else:
        found = fact_intervals(leaf.what, ladder, rung, seen, is_negated=False, only_holding=True)
        stretches = Sql("select contact_id, no, starts_at, until from ({}) s where holds", found)
    overlap = (
        "" if number == 0 else f" and {row}.starts_at < x{number - 1}.until and {row}.until > x{number - 1}.starts_at"
    )
    return Sql(f"\n  join ({{}}) {row} on {row}.contact_id = l.contact_id{overlap}", stretches)

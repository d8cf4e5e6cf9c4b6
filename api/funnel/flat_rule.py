"""Flat rules as joins: rules whose conditions all stand side by side, none of them under `not`.

The first moment in a segment is then the latest start among intervals that overlap, one of each leaf; the earliest such
moment counts. Unlike the sweep of `stage_statement`, this needs no sort of all facts of a contact. It finds the same
moments:

- An interval of a fact leaf begins with a fresh fact and lies in one segment. Whatever overlaps it there begins to hold
  together with it, or later with a fact of its own.
- An interval of a silence or report lies in no segment, but begins with a fresh moment, too.
- A piece of a field's time that is not fresh continues a piece that held before it, and that one's moment is earlier.
"""

from api.funnel.ladder import Ladder, RankedStage
from api.funnel.leaves.fact_intervals import OF_TOUCHES, WITHOUT_SEGMENT, fact_intervals
from api.funnel.leaves.field_leaf import field_intervals
from api.funnel.lifetimes import VisibleFacts
from api.funnel.normal_form import Conjunction, FieldConditions, LeafHolds, NormalForm
from api.sql import Sql, join


def is_flat(form: NormalForm) -> bool:
    """Whether a rule can be compiled to a join.

    It can if it needs all of its leaves, at least one of them a leaf of facts in a segment, and at most one of them
    with an interval for every touch: two such leaves would multiply their rows. A rule without any leaf can be as well:
    every contact fulfils it when its lifetime begins.
    """
    parts = form.tree.parts if isinstance(form.tree, Conjunction) else (form.tree,)
    fact_leaves = [leaf.test for leaf in form.leaves if not isinstance(leaf.test, FieldConditions)]
    return (
        all(isinstance(part, LeafHolds) for part in parts)
        and not any(leaf.is_negated for leaf in form.leaves)
        and sum(isinstance(leaf, OF_TOUCHES) for leaf in fact_leaves) <= 1
        and (any(not isinstance(leaf, WITHOUT_SEGMENT) for leaf in fact_leaves) or not form.leaves)
    )


def flat_statement(form: NormalForm, ladder: Ladder, ranked: RankedStage, facts: VisibleFacts) -> Sql:
    """Compile a flat rule to one select of rows of `funnel_own_entry`.

    Shapes: one row per contact and segment, with the earliest moment at which all leaves hold.
    Source: api/README.md, "The evaluator".
    """
    of_segments = [
        number
        for number, leaf in enumerate(form.leaves)
        if not isinstance(leaf.test, FieldConditions | WITHOUT_SEGMENT)
    ]
    starts = ", ".join(["l.starts_at", *(f"x{number}.starts_at" for number in range(len(form.leaves)))])
    ends = ", ".join(["'infinity'::timestamptz", *(f"x{number}.until" for number in range(len(form.leaves)))])
    has_segments = bool(of_segments) and ranked.exit_group is not None
    # Any of these leaves gives the segment: intervals of two segments never overlap.
    return Sql(
        f"""select contact_id, {{}}::int as rank, min(moment) as moment
from (
  select l.contact_id, {f"x{of_segments[0]}.segment_no" if has_segments else "null"} as segment_no,
    greatest({starts}) as moment, least({ends}) as until
  from funnel_lifetime l{{}}
) f
where moment < until and moment <= {{}}
group by contact_id{", segment_no" if has_segments else ""}""",
        ranked.rank,
        join("", (_joined(form, number, ladder, ranked, facts) for number in range(len(form.leaves)))),
        facts.as_of,
    )


def _joined(form: NormalForm, number: int, ladder: Ladder, ranked: RankedStage, facts: VisibleFacts) -> Sql:
    """Join the intervals of one leaf where they overlap those of the leaf before it.

    Overlap in pairs is necessary only; `moment < until` in the statement checks all of them together.
    """
    leaf, alias = form.leaves[number], f"x{number}"
    if isinstance(leaf.test, FieldConditions):
        intervals = field_intervals(leaf.test, facts)
    else:
        found = fact_intervals(leaf.test, ladder, ranked, facts, is_negated=False, only_holding=True)
        intervals = Sql("select contact_id, segment_no, starts_at, until from ({}) s where holds", found)
    before = f"x{number - 1}"
    overlap = f" and {alias}.starts_at < {before}.until and {alias}.until > {before}.starts_at" if number else ""
    return Sql(f"\n  join ({{}}) {alias} on {alias}.contact_id = l.contact_id{overlap}", intervals)

"""Flat rules as joins: rules whose conditions all stand side by side, none of them under `not`.

The first moment in a segment is then the latest start among intervals that overlap, one of each leaf; the earliest such
moment counts. Unlike the sweep of `stage_statement`, this needs no sort of all facts of a contact. It finds the same
moments:

- An interval of a fact leaf begins with a fresh fact and lies in one segment. Whatever overlaps it there begins to hold
  together with it, or later with a fact of its own.
- An interval of a silence or report lies in no segment, but begins with a fresh moment, too.
- A piece of a field's time that is not fresh continues a piece that held before it, and that one's moment is earlier.
- A span of a rule begins with a fresh moment, so that what holds then and began before is a moment of the span.
"""

from api.funnel.ladder import Ladder, RankedStage
from api.funnel.leaves.fact_intervals import OF_TOUCHES, WITHOUT_SEGMENT, fact_intervals
from api.funnel.leaves.field_leaf import field_intervals
from api.funnel.lifetimes import VisibleFacts
from api.funnel.normal_form import FieldConditions, LeafConjunction, LeafHolds, NormalForm
from api.funnel.own_moments import span_rows
from api.sql import Sql, join


def is_flat(form: NormalForm, *, has_segments: bool = True) -> bool:
    """Whether a rule can be compiled to a join, for a stage that exits close or (without segments) for one they do not.

    It can if it needs all of its leaves, at least one of them a leaf of facts in a segment, and at most one of them
    with an interval for every touch: two such leaves would multiply their rows. A stage without segments needs any leaf
    of facts: all time is one segment. A rule without any leaf can be as well: every contact fulfils it when its
    lifetime begins.
    """
    parts = form.tree.parts if isinstance(form.tree, LeafConjunction) else (form.tree,)
    fact_leaves = [leaf.test for leaf in form.leaves if not isinstance(leaf.test, FieldConditions)]
    return (
        all(isinstance(part, LeafHolds) for part in parts)
        and not any(leaf.is_negated for leaf in form.leaves)
        and sum(isinstance(leaf, OF_TOUCHES) for leaf in fact_leaves) <= 1
        and (any(not (has_segments and isinstance(leaf, WITHOUT_SEGMENT)) for leaf in fact_leaves) or not form.leaves)
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
    rows = Sql(
        f"""select l.contact_id, {f"x{of_segments[0]}.segment_no" if has_segments else "null"} as segment_no,
    greatest({starts}) as moment, least({ends}) as until
  from funnel_lifetime l{{}}""",
        join("", (_joined(form, number, ladder, ranked, facts) for number in range(len(form.leaves)))),
    )
    grouped = f"group by contact_id{', segment_no' if has_segments else ''}"
    if not ranked.has_all_time:
        return _inside_spans(rows, grouped, ranked, facts)
    return Sql(
        f"""select contact_id, {{}}::int as stage_no, false as by_accord, min(moment) as moment
from (
  {{}}
) f
where moment < until and moment <= {{}}
{grouped}""",
        ranked.number,
        rows,
        facts.as_of,
    )


def _inside_spans(rows: Sql, grouped: str, ranked: RankedStage, facts: VisibleFacts) -> Sql:
    """Select the earliest moment inside the spans. Each begins fresh, so that what holds then is a moment.

    `held` are the beginnings of spans just before which the rule held.
    """
    return Sql(
        f"""select contact_id, {{}}::int as stage_no, coalesce(moment = any(held), false) as by_accord, moment
from (
  select contact_id, min(moment) filter (where moment < until and moment <= {{}}) as moment,
    array_agg(starts_at) filter (where held_before) as held
  from (
    select f.contact_id, f.segment_no, greatest(f.moment, p.starts_at) as moment, least(f.until, p.ends_at) as until,
      p.starts_at, f.moment < p.starts_at as held_before
    from (
  {{}}
    ) f join ({{}}) p on f.moment < p.ends_at and f.until >= p.starts_at
    where f.moment < f.until
  ) f
  {grouped}
) f
where moment is not null""",
        ranked.number,
        facts.as_of,
        rows,
        span_rows(ranked.spans),
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

"""One stage, one statement: the leaves' intervals as one stream, running sums, and the first fresh moment per segment.

The result is a row of `funnel_own` for each contact and segment in which the stage's own rule came to hold.
"""

from api.funnel.exits import segment_of, union_all
from api.funnel.fact_leaves import fact_intervals
from api.funnel.field_leaf import field_rows
from api.funnel.flat_rule import flat_statement, is_flat
from api.funnel.ladder import Ladder, RankedStage
from api.funnel.lifetimes import VisibleFacts
from api.funnel.normal_form import Conjunction, FieldConditions, Leaf, LeafHolds, Node, NormalForm, normal_form
from api.sql import Sql, join
from schema.accord import DealIs, HandoffIs, StageReached, Touches

OWN_TABLE = Sql(
    "create temp table funnel_own (contact_id uuid not null, rank int not null, moment timestamptz not null)"
    " on commit drop"
)


def stage_statement(ladder: Ladder, rung: RankedStage, seen: VisibleFacts) -> Sql:
    """Compile the entry rule of a stage into one insert, a flat rule as a join."""
    form = normal_form(rung.stage.rule)
    return flat_statement(form, ladder, rung, seen) if is_flat(form) else sweep_statement(form, ladder, rung, seen)


def sweep_statement(form: NormalForm, ladder: Ladder, rung: RankedStage, seen: VisibleFacts) -> Sql:
    """Compile any rule.

    `clipped` moves what happened before a life to its beginning; `running` knows after each moment how many intervals
    of each leaf hold (RANGE: facts of one instant count together); a moment counts when it is fresh.
    """
    sums = join("", (_running_sum(number) for number in range(len(form.leaves))))
    segment = segment_of(rung.cut, "r.contact_id", "r.moment")
    return Sql(
        f"""insert into funnel_own (contact_id, rank, moment)
with stream (contact_id, moment, leaf, d, fresh, runs_out) as (
{{}}
), clipped as (
  select x.contact_id, greatest(x.moment, l.starts_at) as moment, x.leaf, x.d, x.fresh, x.runs_out
  from stream x join funnel_life l on l.contact_id = x.contact_id
  where l.starts_at <= {{}}
), running as (
  select contact_id, moment, leaf, fresh, runs_out{{}}
  from clipped window w as (partition by contact_id order by moment range unbounded preceding)
)
select contact_id, {{}}::int, min(moment)
from (
  select r.contact_id, r.moment, {segment.number} as no
  from running r {{}}
  where {{}} and ({{}})
) r
group by contact_id, no""",
        _stream(form, ladder, rung, seen),
        seen.as_of,
        sums,
        rung.rank,
        segment.join,
        _is_fresh(form),
        _holds(form.tree, form),
    )


def _stream(form: NormalForm, ladder: Ladder, rung: RankedStage, seen: VisibleFacts) -> Sql:
    branches = [_rows(form, number, ladder, rung, seen) for number in range(len(form.leaves))]
    if form.holds_without_facts:
        branches.append(Sql("select contact_id, starts_at, -1, 0, true, false from funnel_life"))
    if not branches:
        branches.append(Sql("select contact_id, starts_at, -1, 0, true, false from funnel_life where false"))
    return union_all(branches)


def _rows(form: NormalForm, number: int, ladder: Ladder, rung: RankedStage, seen: VisibleFacts) -> Sql:
    """Return the stream's rows of one leaf.

    A row `(contact_id, moment, leaf, d, fresh, runs_out)` adds `d` to how many intervals of the leaf hold from that
    moment on. `fresh` marks a change of a fact that the leaf reads, `runs_out` an end by time alone.
    """
    leaf = form.leaves[number]
    if isinstance(leaf.what, FieldConditions):
        return field_rows(number, leaf.what, seen)
    # Touches that do not hold are no use where nothing holds without them; of the others there are few.
    only_holding = isinstance(leaf.what, Touches) and form.is_needed(number) and not leaf.is_negated
    ends = ", (ends_at, 0, true, false)" if isinstance(leaf.what, HandoffIs | DealIs) else ""
    return Sql(
        f"""select x.contact_id, e.moment, {{}}::int as leaf, e.d, e.fresh, e.runs_out
from ({{}}) x cross join lateral (
  values (starts_at, holds::int, true, false), (until, -holds::int, false, {{}}::boolean){ends}
) e (moment, d, fresh, runs_out)
where e.moment <= {{}} and ({"x.holds" if only_holding else "x.holds or e.fresh"})""",
        number,
        fact_intervals(leaf.what, ladder, rung, seen, is_negated=leaf.is_negated, only_holding=only_holding),
        _is_timed(leaf),
        seen.as_of,
    )


def _running_sum(number: int) -> Sql:
    return Sql(f",\n    coalesce(sum(d) filter (where leaf = {number}) over w, 0) as n{number}")


def _holds(node: Node, form: NormalForm) -> Sql:
    """Return the rule's tree over the running sums."""
    if isinstance(node, LeafHolds):
        return Sql(f"n{node.leaf} {'=' if form.leaves[node.leaf].is_negated else '>'} 0")
    word, nothing = (" and ", "true") if isinstance(node, Conjunction) else (" or ", "false")
    return join(word, (Sql("({})", _holds(part, form)) for part in node.parts)) if node.parts else Sql(nothing)


def _is_fresh(form: NormalForm) -> Sql:
    """Return what makes a moment count: a changed fact, or a leaf under `not` whose last interval ran out by time."""
    ending = [
        Sql(f"(r.runs_out and r.leaf = {number} and r.n{number} = 0)")
        for number, leaf in enumerate(form.leaves)
        if _is_timed(leaf)
    ]
    return Sql("({})", join(" or ", [Sql("r.fresh"), *ending]))


def _is_timed(leaf: Leaf) -> bool:
    match leaf.what:
        case Touches(touches=what):
            return leaf.is_negated and what.within is not None
        case StageReached(within=within):
            return leaf.is_negated and within is not None
        case _:
            return False

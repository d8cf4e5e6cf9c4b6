"""One stage, one statement: the leaves' intervals as one stream, running sums, and the first fresh moment per segment.

The result is a row of `funnel_own` for each contact and segment in which the stage's own rule came to hold.
"""

from datetime import datetime

from api.funnel.exits import segment_join, union_all
from api.funnel.fact_leaves import deal_rows, handoff_rows, stage_rows, touch_rows
from api.funnel.field_leaf import field_rows
from api.funnel.ladder import Ladder, Rung
from api.funnel.normal_form import Every, Fields, Holds, Leaf, Node, NormalForm, normal_form
from api.sql import Sql, join
from schema.accord import DealIs, HandoffIs, StageReached, Touches

OWN_TABLE = Sql(
    "create temp table funnel_own (contact_id uuid not null, rank int not null, moment timestamptz not null)"
    " on commit drop"
)


def stage_statement(ladder: Ladder, rung: Rung, as_of: datetime) -> Sql:
    """Compile the entry rule of a stage into one insert.

    `clipped` moves what happened before a life to its beginning; `running` knows after each moment how many intervals
    of each leaf hold (RANGE: facts of one instant count together); a moment counts when it is fresh.
    """
    form = normal_form(rung.stage.rule)
    sums = join("", (_running_sum(number) for number in range(len(form.leaves))))
    return Sql(
        """insert into funnel_own (contact_id, rank, moment)
with stream (contact_id, moment, leaf, d, fresh, runs_out) as (
{}
), clipped as (
  select x.contact_id, greatest(x.moment, l.starts_at) as moment, x.leaf, x.d, x.fresh, x.runs_out
  from stream x join funnel_life l on l.contact_id = x.contact_id
  where l.starts_at <= {}
), running as (
  select contact_id, moment, leaf, fresh, runs_out{}
  from clipped window w as (partition by contact_id order by moment range unbounded preceding)
)
select r.contact_id, {}::int, min(r.moment)
from running r {}
where {} and ({})
group by r.contact_id, s.no""",
        _stream(form, ladder, rung, as_of),
        as_of,
        sums,
        rung.rank,
        segment_join(rung.cut, "r.contact_id", "r.moment"),
        _is_fresh(form),
        _holds(form.tree, form),
    )


def _stream(form: NormalForm, ladder: Ladder, rung: Rung, as_of: datetime) -> Sql:
    branches = [_rows(form, number, ladder, rung, as_of) for number in range(len(form.leaves))]
    if form.holds_without_facts:
        branches.append(Sql("select contact_id, starts_at, -1, 0, true, false from funnel_life"))
    if not branches:
        branches.append(Sql("select contact_id, starts_at, -1, 0, true, false from funnel_life where false"))
    return union_all(branches)


def _rows(form: NormalForm, number: int, ladder: Ladder, rung: Rung, as_of: datetime) -> Sql:
    """Return the stream's rows of one leaf."""
    leaf = form.leaves[number]
    negated = leaf.is_negated
    match leaf.what:
        case Fields() as fields:
            return field_rows(number, fields, as_of)
        case Touches(touches=what):
            needed = form.is_needed(number)
            return touch_rows(number, what, rung.cut, as_of, is_negated=negated, is_needed=needed)
        case HandoffIs(handoff=status):
            return handoff_rows(number, status, rung.cut, as_of, is_negated=negated)
        case DealIs(deal=deal):
            return deal_rows(number, deal, rung.cut, as_of, is_negated=negated)
        case StageReached() as stage:
            return stage_rows(number, stage, ladder, rung, as_of, is_negated=negated)


def _running_sum(number: int) -> Sql:
    return Sql(f",\n    coalesce(sum(d) filter (where leaf = {number}) over w, 0) as n{number}")


def _holds(node: Node, form: NormalForm) -> Sql:
    """Return the rule's tree over the running sums."""
    if isinstance(node, Holds):
        return Sql(f"n{node.leaf} {'=' if form.leaves[node.leaf].is_negated else '>'} 0")
    word, nothing = (" and ", "true") if isinstance(node, Every) else (" or ", "false")
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

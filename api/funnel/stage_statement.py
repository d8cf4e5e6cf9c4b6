"""One statement per stage: an event sweep that finds the first moment in each segment at which the stage's rule holds.

Each leaf contributes events: +1 where one of its intervals begins, -1 where it ends. Running sums over a contact's
events count the intervals of each leaf that hold at each moment, and the rule becomes a boolean over these sums. The
result is one row of `funnel_own_entry` for each contact and segment in which the stage's own rule came to hold.
"""

from collections.abc import Sequence

from api.funnel.exits import segment_of, union_all
from api.funnel.flat_rule import flat_statement, is_flat
from api.funnel.ladder import Ladder, RankedStage
from api.funnel.leaves.fact_intervals import HAS_END, fact_intervals, runs_out, turns_true_by_time
from api.funnel.leaves.field_leaf import field_events
from api.funnel.lifetimes import VisibleFacts
from api.funnel.normal_form import FieldConditions, LeafConjunction, LeafHolds, Node, NormalForm, normal_form
from api.funnel.own_moments import TICK, facts_of_spans, first_of, in_spans, without_entered
from api.sql import Sql, join
from schema.clauses.rules import Score, Silence, Touches

ACTIVATION, EVE = -2, -3  # the numbers of events that are of no leaf; -1 is the beginning of a lifetime


def step_statement(ladder: Ladder, step: Sequence[RankedStage], facts: VisibleFacts) -> Sql:
    """Compile a stage, by all of its rules, to a select of rows of `funnel_own_entry`.

    Shapes: one row per contact and segment, with the first fresh moment at which the rule in force holds.
    """
    rows = first_of([stage_statement(ladder, ranked, facts) for ranked in step], step[0])
    return without_entered(rows, step[0]) if step[0].continues else rows


def stage_statement(ladder: Ladder, ranked: RankedStage, facts: VisibleFacts) -> Sql:
    """Compile one rule of a stage to a select of rows of `funnel_own_entry`: a flat rule to a join, others to a sweep.

    Shapes: one row per contact and segment, with the first fresh moment at which the rule holds in one of its spans.
    Source: api/README.md, "The evaluator".
    """
    form = normal_form(ranked.stage.rule)
    facts = facts_of_spans(ranked.spans, facts)
    # A rule without leaves has a single moment, the beginning of the lifetime, unless a span makes others fresh.
    has_segments = bool(form.leaves) or ranked.has_all_time or ranked.exit_group is None
    if is_flat(form, has_segments=ranked.exit_group is not None) and ranked.begins_fresh and has_segments:
        return flat_statement(form, ladder, ranked, facts)
    return sweep_statement(form, ladder, ranked, facts)


def sweep_statement(form: NormalForm, ladder: Ladder, ranked: RankedStage, facts: VisibleFacts) -> Sql:
    """Compile any rule to an event sweep; the same result as `flat_statement` for a flat rule, at a higher cost.

    `clipped` moves the events before a lifetime to its beginning: a person enters nothing earlier, but what held then
    still holds. `running` has the sums after each event. Its frame is RANGE, not ROWS, because events of one instant
    count together, in whichever order they are read. Only a fresh moment can be an entry.
    """
    sums = join("", (_running_sum(number) for number in range(len(form.leaves))))
    segment = segment_of(ranked.exit_group, "r.contact_id", "r.moment")
    is_moment = _is_fresh(form)
    if not ranked.has_all_time:
        inside = in_spans("r.moment", ranked.spans)
        is_moment = Sql(f"(r.leaf = {EVE} or {{}} and (r.leaf = {ACTIVATION} or {{}}))", inside, is_moment)
    moments = Sql(
        f"""with event (contact_id, moment, leaf, d, fresh, runs_out) as (
{{}}
), clipped as (
  select x.contact_id, greatest(x.moment, l.starts_at) as moment, x.leaf, x.d, x.fresh, x.runs_out
  from event x join funnel_lifetime l on l.contact_id = x.contact_id
  where l.starts_at <= {{}}
), running as (
  select contact_id, moment, leaf, fresh, runs_out{{}}
  from clipped window w as (partition by contact_id order by moment range unbounded preceding)
)
select r.contact_id, r.moment, {segment.number} as segment_no, r.leaf
from running r {{}}
where {{}} and ({{}})""",
        _events(form, ladder, ranked, facts),
        facts.as_of,
        sums,
        segment.join,
        is_moment,
        _holds(form.tree, form),
    )
    return _earliest(moments, ranked)


def _earliest(moments: Sql, ranked: RankedStage) -> Sql:
    """Select the earliest moment in each segment. `held`: the instants before activations at which the rule held."""
    if not any(span.is_fresh for span in ranked.spans):
        return Sql(
            """select contact_id, {}::int as stage_no, false as by_accord, min(moment) as moment
from (
{}
) r
group by contact_id, segment_no""",
            ranked.number,
            moments,
        )
    return Sql(
        f"""select contact_id, {{}}::int as stage_no, coalesce(moment - {TICK} = any(held), false) as by_accord, moment
from (
  select contact_id, min(moment) filter (where leaf <> {EVE}) as moment,
    array_agg(moment) filter (where leaf = {EVE}) as held
  from (
{{}}
  ) r
  group by contact_id, segment_no
) r
where moment is not null""",
        ranked.number,
        moments,
    )


def _events(form: NormalForm, ladder: Ladder, ranked: RankedStage, facts: VisibleFacts) -> Sql:
    """Select the events of all leaves."""
    branches = [_leaf_events(form, number, ladder, ranked, facts) for number in range(len(form.leaves))]
    if form.holds_without_facts:
        # Without a fact there is no event, so the beginning of the lifetime is one, of no leaf (-1).
        branches.append(Sql("select contact_id, starts_at, -1, 0, true, false from funnel_lifetime"))
    for span in ranked.spans:
        if span.is_fresh:
            # The instant at which the rule comes into force, and the one before it.
            at = Sql("{}::timestamptz", span.starts_at)
            branches += [
                Sql(
                    f"select contact_id, {{}}, {ACTIVATION}, 0, false, false from funnel_lifetime"
                    " where starts_at <= {} and {} <= {}",
                    *(at, at, at, facts.as_of),
                ),
                Sql(
                    f"select contact_id, {{}} - {TICK}, {EVE}, 0, false, false from funnel_lifetime"
                    " where starts_at < {} and {} <= {}",
                    *(at, at, at, facts.as_of),
                ),
            ]
    if not branches:  # a rule that never holds; the statement still needs a source
        branches.append(Sql("select contact_id, starts_at, -1, 0, true, false from funnel_lifetime where false"))
    return union_all(branches)


def _leaf_events(form: NormalForm, number: int, ladder: Ladder, ranked: RankedStage, facts: VisibleFacts) -> Sql:
    """Select the events of one leaf.

    An event `(contact_id, moment, leaf, d, fresh, runs_out)` adds `d` to the number of intervals of the leaf that hold
    from that moment on. `fresh` marks a change of a fact that the leaf reads, `runs_out` an end by time alone.
    """
    leaf = form.leaves[number]
    if isinstance(leaf.test, FieldConditions):
        return field_events(number, leaf.test, facts)
    # Where the rule needs this leaf, touches that do not hold cannot make an entry. They are most of all touches, and
    # leaving them out saves most of the sort. The other fact leaves have few rows.
    only_holding = isinstance(leaf.test, Touches | Score) and form.is_required(number) and not leaf.is_negated
    # Where a handoff or deal itself ends is a fresh moment even if the segment has ended before: it changes no sum.
    ends = ", (ends_at, 0, true, false)" if isinstance(leaf.test, HAS_END) else ""
    # Every interval begins with a fact, but that of a silence: under `not`, its beginning makes nothing true.
    is_fresh = "false" if isinstance(leaf.test, Silence) and leaf.is_negated else "true"
    return Sql(
        f"""select x.contact_id, e.moment, {{}}::int as leaf, e.d, e.fresh, e.runs_out
from ({{}}) x cross join lateral (
  values (starts_at, holds::int, {is_fresh}, false), (until, -holds::int, false, {{}}){ends}
) e (moment, d, fresh, runs_out)
where e.moment <= {{}} and ({"x.holds" if only_holding else "x.holds or e.fresh"})""",
        number,
        fact_intervals(leaf.test, ladder, ranked, facts, is_negated=leaf.is_negated, only_holding=only_holding),
        runs_out(leaf.test, is_negated=leaf.is_negated),
        facts.as_of,
    )


def _running_sum(number: int) -> Sql:
    # One window for the sums of all leaves, so that the events are sorted once.
    return Sql(f",\n    coalesce(sum(d) filter (where leaf = {number}) over w, 0) as n{number}")


def _holds(node: Node, form: NormalForm) -> Sql:
    """Return the tree of the rule as a boolean over the running sums."""
    if isinstance(node, LeafHolds):
        return Sql(f"n{node.leaf} {'=' if form.leaves[node.leaf].is_negated else '>'} 0")
    word, empty = (" and ", "true") if isinstance(node, LeafConjunction) else (" or ", "false")
    return join(word, (Sql("({})", _holds(part, form)) for part in node.parts)) if node.parts else Sql(empty)


def _is_fresh(form: NormalForm) -> Sql:
    """Return the condition of a fresh moment: a fact changed, or the last interval of a leaf under `not` ran out."""
    ran_out = [
        Sql(f"(r.runs_out and r.leaf = {number} and r.n{number} = 0)")
        for number, leaf in enumerate(form.leaves)
        if leaf.is_negated
        and not isinstance(leaf.test, FieldConditions)
        and turns_true_by_time(leaf.test, is_negated=True)
    ]
    return Sql("({})", join(" or ", [Sql("r.fresh"), *ran_out]))

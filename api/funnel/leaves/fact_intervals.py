"""The leaves that read facts: touches, score, silence, handoff, reported, deal, stage, compiled to intervals.

An interval `(contact_id, segment_no, starts_at, until, holds)` begins with a fact. A leaf that does not stand under
`not` counts facts from inside the segment only, so its intervals end with the segment they began in. A leaf under `not`
counts facts of all time, and `segment_no` is null. With `after` it is the same in both places: facts of the present
segment that are later than the entry of a lower stage in it.

Silence and reported count as they stand, as a field does: their intervals have no segment. That of a silence begins by
time alone, a certain time after a touch.

The intervals of some leaves (`HAS_END`) have one more column, `ends_at`: when a fact ends them, wherever the segment
does. That instant is fresh too; infinity if there is none. Touches with `after` have `ran_out`: whether the interval
ends by time alone, and not with its segment.
"""

from api.funnel.ladder import Ladder, RankedStage
from api.funnel.leaves.deal_leaf import deal_intervals
from api.funnel.leaves.handoff_leaf import handoff_intervals
from api.funnel.leaves.reported_leaf import reported_intervals
from api.funnel.leaves.score_leaf import score_intervals
from api.funnel.leaves.silence_leaf import silence_intervals
from api.funnel.leaves.stage_leaf import stage_intervals
from api.funnel.leaves.touch_leaf import touch_intervals
from api.funnel.lifetimes import VisibleFacts
from api.sql import Sql
from schema.clauses.rules import (
    DealIs,
    FactLeaf,
    HandoffIs,
    Reported,
    Score,
    Silence,
    StageReached,
    TouchCount,
    Touches,
)

HAS_END = HandoffIs | DealIs | Silence
WITHOUT_SEGMENT = Silence | Reported
# Leaves with an interval for every touch: two of them in one join would multiply their rows.
OF_TOUCHES = Touches | Score | Silence


def fact_intervals(
    leaf: FactLeaf, ladder: Ladder, ranked: RankedStage, facts: VisibleFacts, *, is_negated: bool, only_holding: bool
) -> Sql:
    """Select the intervals of a leaf in the rule of a stage.

    With `only_holding` the caller uses only intervals with `holds`; a leaf may then leave out the others.
    """
    exit_group = None if is_negated else ranked.exit_group
    match leaf:
        case Touches(touches=wanted):
            return touch_intervals(wanted, exit_group, ladder, ranked, facts, only_holding=only_holding)
        case Score(score=wanted):
            return score_intervals(wanted, exit_group, facts, only_holding=only_holding)
        case Silence(silence=length):
            return silence_intervals(length, facts)
        case HandoffIs():
            return handoff_intervals(leaf, exit_group, ladder, ranked, facts)
        case Reported(reported=wanted):
            return reported_intervals(wanted, facts)
        case DealIs(deal=wanted):
            return deal_intervals(wanted, exit_group, facts)
        case StageReached():
            return stage_intervals(leaf, exit_group, ladder, ranked)


def turns_true_by_time(leaf: FactLeaf, *, is_negated: bool) -> bool:
    """Whether a leaf turns true by time alone: silence after the last touch, others under `not` when they run out."""
    match leaf:
        case Touches(touches=TouchCount(within=length)) | StageReached(within=length):
            return is_negated and length is not None
        case Score(score=wanted):
            return is_negated and wanted.half_life is not None
        case Silence():
            return not is_negated
        case _:
            return False


def runs_out(leaf: FactLeaf, *, is_negated: bool) -> Sql:
    """Return the condition that a leaf under `not` turns true by time alone where an interval `x` of it ends."""
    if isinstance(leaf, Silence) or not turns_true_by_time(leaf, is_negated=is_negated):
        return Sql("false")
    has_segments = isinstance(leaf, Touches) and leaf.touches.after is not None
    return Sql("x.ran_out" if has_segments else "true")

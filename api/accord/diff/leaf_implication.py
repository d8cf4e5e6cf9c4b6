"""Which leaf of a rule is true whenever another one is, by their structure.

Both leaves count the same facts: those of a segment, or under `not` those of all time. What is not certain is False.
"""

from collections.abc import Sequence
from datetime import timedelta

from api.accord.diff.field_values import FieldValues
from api.accord.diff.normal_rules import Literal
from schema.clauses.rules import (
    DealFilter,
    DealIs,
    FieldIs,
    HandoffIs,
    Reported,
    RuleLeaf,
    Score,
    ScoreSum,
    ScoreTerm,
    Silence,
    StageReached,
    TouchCount,
    Touches,
    TouchFilter,
)


def literal_implies(narrow: Literal, wide: Literal) -> bool:
    """Return whether the wide literal is true whenever the narrow one is."""
    if isinstance(narrow.leaf, FieldIs) and isinstance(wide.leaf, FieldIs):
        return narrow.leaf.field == wide.leaf.field and FieldValues.of(
            narrow.leaf, is_negated=narrow.is_negated
        ).is_within(FieldValues.of(wide.leaf, is_negated=wide.is_negated))
    if narrow.is_negated is not wide.is_negated:
        return False
    if narrow.is_negated:
        return leaf_implies(wide.leaf, narrow.leaf, of_segment=False)
    return leaf_implies(narrow.leaf, wide.leaf, of_segment=True)


def leaf_implies(narrow: RuleLeaf, wide: RuleLeaf, *, of_segment: bool) -> bool:
    """Return whether the wide leaf is true whenever the narrow one is, where both count the same facts.

    `of_segment`: these are the facts of a segment, not of all time.
    """
    match narrow, wide:
        case Touches(touches=fewer), Touches(touches=more):
            return _is_count_within(fewer, more)
        case Score(score=lower), Score(score=higher):
            return higher.at_least <= lower.at_least and _is_score_at_most(lower, higher)
        case Silence(silence=longer), Silence(silence=shorter):
            return shorter <= longer
        case HandoffIs(), HandoffIs():
            return narrow.handoff is wide.handoff and wide.after in (None, narrow.after)
        case Reported(reported=fewer_stages), Reported(reported=more_stages):
            return fewer_stages.source == more_stages.source and {*fewer_stages.stage} <= {*more_stages.stage}
        case DealIs(deal=fewer_deals), DealIs(deal=more_deals):
            return _is_deal_within(fewer_deals, more_deals, of_segment=of_segment)
        case StageReached(), StageReached():
            return narrow.stage == wide.stage and is_at_most(narrow.within, wide.within)
        case _:
            return narrow == wide


def is_at_most(shorter: timedelta | None, longer: timedelta | None) -> bool:
    """Return whether a duration is at most another one; None is longer than any."""
    return longer is None or (shorter is not None and shorter <= longer)


def _is_count_within(fewer: TouchCount, more: TouchCount) -> bool:
    return (
        _is_filter_within(fewer, more)
        and more.at_least <= fewer.at_least
        and is_at_most(fewer.within, more.within)
        and more.after in (None, fewer.after)
    )


def _is_filter_within(fewer: TouchFilter, more: TouchFilter) -> bool:
    """Return whether every touchpoint of a filter is one of the other's. An empty list and null are no condition."""
    return all(_is_condition_within(getattr(fewer, name), getattr(more, name)) for name in TouchFilter.model_fields)


def _is_condition_within(given: object, wanted: object) -> bool:
    if wanted in (None, ()):
        return True
    if isinstance(given, tuple) and isinstance(wanted, tuple):
        return bool(given) and {*given} <= {*wanted}
    return given == wanted


def _is_score_at_most(lower: ScoreSum, higher: ScoreSum) -> bool:
    """Return whether the one score is never above the other one.

    With a half-life, the score falls at whole seconds after the last touchpoint that a term matches. So other terms may
    shift these seconds, and only equal terms are compared.
    """
    if lower.half_life == higher.half_life and lower.half_life is None:
        return _are_terms_at_most(lower.terms, higher.terms)
    if lower.terms != higher.terms:
        return False
    adds_only = all(term.points > 0 for term in lower.terms)
    return lower.half_life == higher.half_life or (adds_only and is_at_most(lower.half_life, higher.half_life))


def _are_terms_at_most(lower: Sequence[ScoreTerm], higher: Sequence[ScoreTerm]) -> bool:
    """Return whether the higher terms add no less, and subtract no more, than the lower ones for any touchpoints."""
    adding = ([term for term in terms if term.points > 0] for terms in (lower, higher))
    subtracting = ([term for term in terms if term.points < 0] for terms in (higher, lower))
    return _all_within(*adding) and _all_within(*subtracting)


def _all_within(smaller: Sequence[ScoreTerm], larger: Sequence[ScoreTerm]) -> bool:
    """Return whether every smaller term is within a larger one of its own: for fewer touchpoints, with no more points.

    All terms have the same sign.
    """
    left = list(larger)
    for term in smaller:
        partner = term if term in left else next((other for other in left if _is_term_within(term, other)), None)
        if partner is None:
            return False
        left.remove(partner)
    return True


def _is_term_within(smaller: ScoreTerm, larger: ScoreTerm) -> bool:
    return _is_filter_within(smaller, larger) and abs(smaller.points) <= abs(larger.points)


def _is_deal_within(fewer: DealFilter, more: DealFilter, *, of_segment: bool) -> bool:
    if fewer.state is not more.state or more.pipeline not in (None, fewer.pipeline):
        return False
    if more.amount_at_least is not None and (
        fewer.amount_at_least is None or fewer.amount_at_least < more.amount_at_least
    ):
        return False
    # A deal counts from the last change of a value that the leaf reads. In a segment, a leaf that reads fewer values
    # may find that change before the segment, where it does not count.
    reads_the_same = (fewer.pipeline is None) is (more.pipeline is None) and (fewer.amount_at_least is None) is (
        more.amount_at_least is None
    )
    return reads_the_same or not of_segment

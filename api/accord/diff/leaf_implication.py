"""Which leaf of a rule is true whenever another one is, by their structure.

Both leaves count the same facts: those of a segment, or under `not` those of all time. What is not certain is False.
"""

from collections.abc import Iterable

from api.accord.diff.field_values import FieldValues
from api.accord.diff.normal_rules import Literal
from schema.clauses.rules import DealFilter, DealIs, FieldIs, RuleLeaf, StageReached, Touches, TouchFilter
from schema.durations import Duration


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
            return (
                _is_filter_within(fewer, more)
                and fewer.at_least >= more.at_least
                and is_at_most(fewer.within, more.within)
            )
        case DealIs(deal=fewer), DealIs(deal=more):
            return _is_deal_within(fewer, more, of_segment=of_segment)
        case StageReached(stage=key, within=shorter), StageReached(stage=other, within=longer):
            return key == other and is_at_most(shorter, longer)
        case _:
            return narrow == wide


def is_at_most(shorter: Duration | None, longer: Duration | None) -> bool:
    """Return whether a duration is at most another one; None is longer than any."""
    return longer is None or (shorter is not None and shorter <= longer)


def _is_filter_within(fewer: TouchFilter, more: TouchFilter) -> bool:
    """Return whether every touchpoint of a filter is one of the other's. An empty list and null are no condition."""
    lists: Iterable[tuple[tuple[object, ...], tuple[object, ...]]] = (
        (fewer.channel, more.channel),
        (fewer.kind, more.kind),
        (fewer.campaign, more.campaign),
        (fewer.outcome, more.outcome),
    )
    values = ((fewer.direction, more.direction), (fewer.team, more.team))
    return all(not wanted or (given and {*given} <= {*wanted}) for given, wanted in lists) and all(
        wanted is None or given is wanted for given, wanted in values
    )


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

"""Filters over merges in lists that leave out merged records: they would find nobody, whatever they say."""

from api.access.scope import MERGED_INTO
from api.errors import AccordError, ErrorCode
from api.plan.list_arguments import Comparison, Condition, Conjunction, Disjunction, Negation, ToOneCondition


def require_listed(where: Condition, *, with_merged: bool) -> Condition:
    """Return the filter of the rows of a list. Errors: BAD_INPUT if it is over what no row of the list has."""
    if not with_merged and _tests_merge(where):
        message = "The filter names `mergedInto`, and no row of the list has one: merged records are left out."
        remedy = "Give the list `includeMerged: true`, or read `mergedContacts` of the surviving record."
        raise AccordError(ErrorCode.BAD_INPUT, message, remedy)
    return where


def _tests_merge(where: Condition) -> bool:
    match where:
        case Conjunction(parts) | Disjunction(parts):
            return any(map(_tests_merge, parts))
        case Negation(part):
            return _tests_merge(part)
        case Comparison(column=column) | ToOneCondition(column=column):
            return column == MERGED_INTO
        case _:
            return False

"""Errors for values of filters that would change what they mean: a null, and `isNull` where it tests nothing."""

import re

from graphql import GraphQLError

from api.errors import AccordError, ErrorCode

_NULL_IN_LIST = re.compile(r"type '\w+ListFilter' not to include unknown field 'isNull'")
_OF_A_LIST = "Write `none: {}` for the records without such rows, or `some: {}` for those with at least one."


def null_filter(key: str, remedy: str | None = None) -> AccordError:
    """Return the error for a null in place of a filter, or of a part of one.

    A variable that is null is one, too: it would otherwise turn a filter into none at all.
    """
    message = f"`{key}: null` is no condition: it neither matches all nor finds what is null."
    way = remedy or f"Leave `{key}` out (and the variable, if it is one) to match all."
    return AccordError(ErrorCode.BAD_INPUT, message, way)


def null_value(key: str) -> AccordError:
    """Return the error for a null in place of the conditions on a value or on a linked record."""
    way = f"Write `{key}: {{isNull: true}}` to find nulls, or leave `{key}` out to match all."
    return null_filter(key, way)


def null_list(key: str) -> AccordError:
    """Return the error for a null in place of the conditions on the rows that refer to a record."""
    way = f"Write `{key}: {{none: {{}}}}` for the records without such rows, or leave `{key}` out to match all."
    return null_filter(key, way)


def null_operand(key: str, operator: str) -> AccordError:
    """Return the error for an operator whose operand is null."""
    message = f"`{key}: {{{operator}: null}}` has no value to compare with."
    return AccordError(ErrorCode.BAD_INPUT, message, "Leave the operator out, or find nulls with `isNull: true`.")


def null_test_of_rows() -> AccordError:
    """Return the error for `isNull` among the conditions on the rows of a list, which are never null."""
    message = "`isNull` belongs into the filter of a link, such as `owner: {isNull: true}`. Here it stands for rows."
    return AccordError(ErrorCode.BAD_INPUT, message, "Move it into the link or field that may be null.")


def with_way(error: GraphQLError) -> GraphQLError:
    """Return GraphQL's own error about a filter with what to write instead, if it is one that Accord knows."""
    if _NULL_IN_LIST.search(error.message) is None:
        return error
    return GraphQLError(
        f"{error.message} {_OF_A_LIST}",
        error.nodes,
        error.source,
        error.positions,
        error.path,
        error.original_error,
        error.extensions,
    )

"""Reading the arguments of `groupBy`: keys, filter, order and number of groups."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from api.errors import AccordError, ErrorCode
from api.graph.derived.aggregate_types import extreme_columns, number_columns
from api.graph.derived.group_types import GROUPS, MAX_GROUPS, is_grained, key_columns
from api.graph.derived.stage_types import STAGE, has_stage
from api.graph.reading.filter_value import read_tests
from api.plan.list_arguments import (
    PRESENT_STAGE_KEY,
    AggregateCall,
    AggregateFunction,
    GroupComparison,
    GroupingKey,
    GroupOrderTerm,
    Having,
)
from schema.base import TableShape
from schema.vocab import Grain


def read_group_limit(first: int | None) -> int:
    """Return the maximum number of groups. Errors: BAD_INPUT, TOO_LARGE."""
    if first is None:
        return GROUPS
    if first < 0:
        message = f"`groupBy(first: {first})` asks for a negative number of groups."
        raise AccordError(ErrorCode.BAD_INPUT, message, f"Ask for 0 to {MAX_GROUPS}.")
    if first > MAX_GROUPS:
        message = f"`groupBy(first: {first})` asks for more than {MAX_GROUPS} groups."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Ask for fewer with `having`, `where` or a coarser key.")
    return first


def read_keys(shape: TableShape, given: Iterable[Mapping[str, Any]]) -> tuple[GroupingKey, ...]:
    """Return the keys to group by. Errors: BAD_INPUT for no key, and for a field that is named twice."""
    columns = key_columns(shape)
    found: dict[str, GroupingKey] = {}
    for key, value in (pair for item in given for pair in item.items()):
        if key in found:
            message = f"`groupBy(keys: …)` names `{key}` twice, but a group has one value of it."
            raise AccordError(ErrorCode.BAD_INPUT, message, "Name it once, with its finest bucket.")
        if key == STAGE and has_stage(shape):
            found[key] = GroupingKey(PRESENT_STAGE_KEY)
        else:
            found[key] = GroupingKey(columns[key].name, Grain[value] if is_grained(columns[key]) else None)
    if not found:
        remedy = "Name at least one key, or use `aggregate` for figures of all rows together."
        raise AccordError(ErrorCode.BAD_INPUT, "`groupBy(keys: [])` names no key.", remedy)
    return tuple(found.values())


def read_having(shape: TableShape, given: Mapping[str, Any]) -> Having:
    """Return the filter over the groups. Errors: BAD_INPUT for a null operand."""
    numbers = number_columns(shape)
    tests: list[GroupComparison] = []
    for function, value in given.items():
        if value is None or function in ("and", "or", "not"):
            continue
        if function == "count":
            tests += _tests(function, AggregateCall("count"), value)
            continue
        for key, conditions in value.items():
            if conditions is not None:
                tests += _tests(key, AggregateCall(cast("AggregateFunction", function), numbers[key].name), conditions)
    every, some, without = given.get("and"), given.get("or"), given.get("not")
    return Having(
        tuple(tests),
        tuple(read_having(shape, part) for part in every or ()),
        None if some is None else tuple(read_having(shape, part) for part in some),
        None if without is None else read_having(shape, without),
    )


def _tests(key: str, figure: AggregateCall, tests: Mapping[str, Any]) -> Iterator[GroupComparison]:
    for operator, value in read_tests(key, tests, lambda given: given):
        yield GroupComparison(figure, operator, value)


def read_group_order(
    shape: TableShape, keys: tuple[GroupingKey, ...], given: Iterable[Mapping[str, Any]]
) -> tuple[GroupOrderTerm, ...]:
    """Return the sort terms of the groups. Errors: BAD_INPUT for a field that is not a key."""
    by_column = {key.column: key for key in keys}
    found: list[GroupOrderTerm] = []
    for function, value in (pair for item in given for pair in item.items()):
        if function == "count":
            found.append(GroupOrderTerm(AggregateCall("count"), value))
            continue
        ((key, direction),) = value.items()
        if function != "key":
            column = extreme_columns(shape)[key].name
            found.append(GroupOrderTerm(AggregateCall(cast("AggregateFunction", function), column), direction))
            continue
        column = PRESENT_STAGE_KEY if key == STAGE and has_stage(shape) else key_columns(shape)[key].name
        if column not in by_column:
            message = f"`groupBy(orderBy: …)` sorts by `{key}`, which is not one of its keys."
            raise AccordError(ErrorCode.BAD_INPUT, message, "Add it to `keys`, or sort by another field.")
        found.append(GroupOrderTerm(by_column[column], direction))
    return tuple(found)

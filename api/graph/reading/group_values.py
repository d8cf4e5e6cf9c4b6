"""Reading the arguments of `groupBy`: keys, filter, order and number of groups."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from api.errors import AccordError, ErrorCode
from api.graph.derived.aggregate_types import extreme_columns, number_columns
from api.graph.derived.group_types import is_grained, key_columns
from api.graph.derived.money_types import converted_columns
from api.graph.derived.stage_types import STAGE, has_stage
from api.graph.reading.filter_value import read_tests
from api.graph.reading.refused_values import null_filter, null_value
from api.plan.grouping import MAX_GROUPS
from api.plan.list_arguments import (
    PRESENT_STAGE_KEY,
    AggregateCall,
    AggregateFunction,
    GroupComparison,
    GroupingKey,
    GroupOrderTerm,
    Having,
)
from schema.base import ColumnShape, TableShape
from schema.vocab import Grain


def read_group_limit(first: int | None) -> int | None:
    """Return the maximum number of groups; None for all of them. Errors: BAD_INPUT, TOO_LARGE."""
    if first is None:
        return None
    if first < 0:
        message = f"`groupBy(first: {first})` asks for a negative number of groups."
        raise AccordError(ErrorCode.BAD_INPUT, message, f"Ask for 0 to {MAX_GROUPS:,}.")
    if first > MAX_GROUPS:
        message = f"`groupBy(first: {first})` asks for more than {MAX_GROUPS:,} groups."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Ask for fewer with `having`, `where` or a coarser key.")
    return first


def read_keys(field: str, shape: TableShape, given: Iterable[Mapping[str, Any]]) -> tuple[GroupingKey, ...]:
    """Return the keys to group by. Errors: BAD_INPUT for no key, and for a field that is named twice."""
    columns = key_columns(shape)
    found: dict[str, GroupingKey] = {}
    for key, value in (pair for item in given for pair in item.items()):
        if key in found:
            message = f"`{field}(keys: …)` names `{key}` twice, but a group has one value of it."
            raise AccordError(ErrorCode.BAD_INPUT, message, "Name it once, with its finest bucket.")
        if key == STAGE and has_stage(shape):
            found[key] = GroupingKey(PRESENT_STAGE_KEY)
        else:
            found[key] = GroupingKey(columns[key].name, Grain[value] if is_grained(columns[key]) else None)
    if not found:
        remedy = "Name at least one key, or use `aggregate` for figures of all rows together."
        raise AccordError(ErrorCode.BAD_INPUT, f"`{field}(keys: [])` names no key.", remedy)
    return tuple(found.values())


def read_having(shape: TableShape, given: Mapping[str, Any]) -> Having:
    """Return the filter over the groups. Errors: BAD_INPUT for a null."""
    calls = _calls(shape, number_columns(shape))
    tests: list[GroupComparison] = []
    for function, value in given.items():
        if value is None:
            raise null_filter(function)
        if function in ("and", "or", "not"):
            continue
        if function == "count":
            tests += _tests(function, AggregateCall("count"), value)
            continue
        for key, conditions in value.items():
            if conditions is None:
                raise null_value(key)
            column, is_converted = calls[key]
            call = AggregateCall(cast("AggregateFunction", function), column, is_converted)
            tests += _tests(key, call, conditions)
    every, some, without = given.get("and"), given.get("or"), given.get("not")
    return Having(
        tuple(tests),
        tuple(read_having(shape, part) for part in every or ()),
        None if some is None else tuple(read_having(shape, part) for part in some),
        None if without is None else read_having(shape, without),
    )


def _calls(shape: TableShape, columns: Mapping[str, ColumnShape]) -> dict[str, tuple[str, bool]]:
    """Return the columns to aggregate, by GraphQL name, and whether they are converted."""
    plain = {key: (column.name, False) for key, column in columns.items()}
    return plain | {key: (column.name, True) for key, column in converted_columns(shape).items()}


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
            column, is_converted = _calls(shape, extreme_columns(shape))[key]
            call = AggregateCall(cast("AggregateFunction", function), column, is_converted)
            found.append(GroupOrderTerm(call, direction))
            continue
        column = PRESENT_STAGE_KEY if key == STAGE and has_stage(shape) else key_columns(shape)[key].name
        if column not in by_column:
            message = f"`groupBy(orderBy: …)` sorts by `{key}`, which is not one of its keys."
            raise AccordError(ErrorCode.BAD_INPUT, message, "Add it to `keys`, or sort by another field.")
        found.append(GroupOrderTerm(by_column[column], direction))
    return tuple(found)

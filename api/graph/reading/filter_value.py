"""Reading the argument `where`: its value becomes the planner's condition.

A null within it is rejected, be it the value of a field, an operator, a link, a list or a combination: a variable that
was never set would otherwise change the meaning of the filter silently. Only the argument itself may be null, which is
the same as leaving it out. A variable that has no value at all leaves its part of the filter out, as in GraphQL.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from enum import Enum
from functools import partial
from typing import Any, cast, get_args

from api.access.scope import MERGED_INTO
from api.errors import AccordError, ErrorCode
from api.graph.derived.counted_types import IS_COUNTED, is_counted_table
from api.graph.derived.filter_types import IS_NULL, filtered_columns
from api.graph.derived.links import link_of, links_of, lists_of
from api.graph.derived.list_aggregate_types import aggregated_columns
from api.graph.derived.money_types import converted_columns
from api.graph.derived.naming import camel
from api.graph.derived.stage_types import STAGE, has_stage, stage_columns
from api.graph.reading.linked_record import is_true_without_record, of_linked_record, tests_presence
from api.graph.reading.merged_filter import require_listed
from api.graph.reading.refused_values import null_filter, null_list, null_operand, null_test_of_rows, null_value
from api.identity.ids import parse_id
from api.plan.list_arguments import (
    STAGE_GROUP,
    AggregateCall,
    AggregateFunction,
    Comparison,
    Condition,
    Conjunction,
    ConvertedComparison,
    Disjunction,
    IsCountedCondition,
    ListAggregate,
    ListAggregateCondition,
    Negation,
    Operand,
    Operator,
    PresentStageCondition,
    Quantifier,
    Scalar,
    ToManyCondition,
    ToOneCondition,
)
from api.plan.value_checks.known_values import CLOSED_COLUMNS, COUNTRIES, country_values
from api.plan.value_checks.storable_text import require_comparable
from api.sql import converted
from schema.base import ColumnShape, TableShape
from schema.declarations import Link
from schema.tables import SHAPES

_ANY_ROW = Conjunction(())


def read_where(shape: TableShape, given: Mapping[str, Any]) -> Condition:
    """Return the condition of a filter over a table. Errors: BAD_INPUT for a null or an invalid value."""
    columns, links, lists = filtered_columns(shape), links_of(shape), lists_of(shape)
    converted_amounts = converted_columns(shape)
    parts: list[Condition] = []
    for key, value in given.items():
        if value is None:
            raise _null_part(key, lists)
        if key == IS_NULL:
            raise null_test_of_rows()
        if key in ("and", "or"):
            nested = tuple(read_where(shape, part) for part in value)
            parts.append(Conjunction(nested) if key == "and" else Disjunction(nested))
        elif key == "not":
            parts.append(Negation(read_where(shape, value)))
        elif key in links:
            parts.append(_of_link(link_of(links[key]), value))
        elif key == STAGE and has_stage(shape):
            parts.append(_stage(value))
        elif key == IS_COUNTED and is_counted_table(shape):
            parts.extend(IsCountedCondition(*test) for test in read_tests(key, value, bool))
        elif key in converted_amounts:
            column = converted_amounts[key].name
            tests = read_tests(key, value, lambda given: cast("Scalar", given))
            parts.extend(ConvertedComparison(column, operator, operand) for operator, operand in tests)
        elif key in lists:
            parts.extend(_of_list(key, *lists[key], value))
        else:
            parts.extend(_comparisons(shape, key, columns[key], value))
    return parts[0] if len(parts) == 1 else Conjunction(tuple(parts))


def read_tests(
    key: str, tests: Mapping[str, Any], read: Callable[[Any], Scalar]
) -> Iterator[tuple[Operator, Scalar | tuple[Scalar, ...]]]:
    """Yield the operators of a filter with their operands, as `read` returns them. Errors: BAD_INPUT for a null one."""
    for operator, value in tests.items():
        if value is None:
            raise null_operand(key, operator)
        yield cast("Operator", operator), converted(value, partial(_operand, operator, read))


def _null_part(key: str, lists: Collection[str]) -> AccordError:
    """Return the error for a part of a filter over a table that is null."""
    if key in ("and", "or", "not", IS_NULL):
        return null_filter(key)
    return null_list(key) if key in lists else null_value(key)


def _of_link(link: Link, given: Mapping[str, Any]) -> Condition:
    """Return the condition of a filter over the record that a link names. Errors: those of `read_where`."""
    linked = ToOneCondition(link.column, read_where(SHAPES[link.target], of_linked_record(given)))
    if not tests_presence(given) or not is_true_without_record(given):
        return linked
    is_absent = Comparison(link.column, IS_NULL, True)
    is_all = given in ({IS_NULL: True}, {"id": {IS_NULL: True}})
    return is_absent if is_all else Disjunction((is_absent, linked))


def _stage(tests: Mapping[str, Any]) -> Condition:
    """Return the condition of a filter over the present stage. Errors: BAD_INPUT for a null."""
    entry, columns = SHAPES["stage_entry"], stage_columns()
    parts: list[Comparison] = []
    for key, value in tests.items():
        if value is None:
            raise null_operand(STAGE, key)
        if key == STAGE_GROUP:
            # Read like the key, which is a text as well.
            found = _comparisons(entry, key, columns["key"], value)
            parts.extend(Comparison(STAGE_GROUP, comparison.operator, comparison.value) for comparison in found)
        elif key != IS_NULL:
            parts.extend(_comparisons(entry, key, columns[key], value))
    in_stage = PresentStageCondition(tuple(parts))
    if tests.get(IS_NULL) is not True:
        return in_stage
    # With other conditions nobody matches: they all need a stage.
    return Conjunction((Negation(PresentStageCondition()), *([in_stage] if parts else ())))


def read_list_where(other: TableShape, column: ColumnShape, tests: Mapping[str, Any]) -> Condition | None:
    """Return the filter of the rows of a list that count; None if all of them do. Errors: those of `read_where`."""
    where = tests.get("where", {})
    if where is None:
        raise null_filter("where")
    condition = _read_rows(other, column, where)
    return None if condition == _ANY_ROW else condition


def _of_list(key: str, other: TableShape, column: ColumnShape, tests: Mapping[str, Any]) -> Iterator[Condition]:
    """Yield the conditions on the rows of a list. Errors: BAD_INPUT for a filter without a condition."""
    counted = read_list_where(other, column, tests)
    conditions = {name: value for name, value in tests.items() if name != "where"}
    if "where" in tests and not conditions:
        message = f"`{key}: {{where: …}}` says which rows count, and has no condition on them."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Write `some: {…}`, or add a condition such as `count`.")
    for name, value in conditions.items():
        if value is None:
            raise null_filter(name)
        if name in get_args(Quantifier):
            yield _quantified(other, column, cast("Quantifier", name), counted, _read_rows(other, column, value))
        else:
            aggregates = _aggregates(other, cast("AggregateFunction", name), value)
            for call, comparisons in aggregates:
                if comparisons:
                    yield ListAggregateCondition(ListAggregate(other.name, column.name, call, counted), comparisons)


def _read_rows(other: TableShape, column: ColumnShape, where: Mapping[str, Any]) -> Condition:
    """Return the filter of the rows that refer to a record by a foreign key. Errors: those of `read_where`."""
    return require_listed(read_where(other, where), with_merged=column.name == MERGED_INTO)


def _quantified(
    other: TableShape, column: ColumnShape, quantifier: Quantifier, counted: Condition | None, part: Condition
) -> Condition:
    if counted is None:
        return ToManyCondition(other.name, column.name, quantifier, part)
    if quantifier == "every":  # none of the rows that count fails
        return ToManyCondition(other.name, column.name, "none", Conjunction((counted, Negation(part))))
    return ToManyCondition(other.name, column.name, quantifier, Conjunction((counted, part)))


def _aggregates(
    other: TableShape, function: AggregateFunction, value: Mapping[str, Any]
) -> Iterator[tuple[AggregateCall, tuple[tuple[Operator, Operand], ...]]]:
    """Yield the aggregates of a function that a filter compares, with their comparisons."""
    if function == "count":
        yield AggregateCall(function), tuple(read_tests(function, value, _as_given))
        return
    columns = aggregated_columns(other, function)
    for key, tests in value.items():
        if tests is None:
            raise null_value(key)
        call = AggregateCall(function, columns[key].name, key in converted_columns(other))
        yield call, tuple(read_tests(key, tests, _as_given))


def _as_given(value: Any) -> Scalar:  # noqa: ANN401 - a number, an instant or a day
    return cast("Scalar", value)


def _comparisons(shape: TableShape, key: str, column: ColumnShape, tests: Mapping[str, Any]) -> Iterable[Comparison]:
    is_country = CLOSED_COLUMNS.get((shape.name, column.name)) is COUNTRIES
    for operator, operand in read_tests(key, tests, partial(_value, shape, column)):
        if is_country and operator in ("eq", "in"):
            yield Comparison(column.name, "in", converted(operand, _stored_countries))
        else:
            yield Comparison(column.name, operator, operand)


def _stored_countries(given: str | tuple[str, ...]) -> tuple[str, ...]:
    """Return the values that the countries may be stored as: Germany may be DE."""
    countries = (given,) if isinstance(given, str) else given
    return tuple(value for country in countries for value in country_values(country))


def _operand(operator: str, read: Callable[[Any], Scalar], given: Any) -> Scalar | tuple[Scalar, ...]:  # noqa: ANN401 - any coerced input
    if operator == IS_NULL:
        return bool(given)
    return tuple(read(value) for value in given) if operator == "in" else read(given)


def _value(shape: TableShape, column: ColumnShape, value: Any) -> Scalar:  # noqa: ANN401 - any coerced input
    """Return a value to compare a column with. Errors: BAD_INPUT for a value that no row can have."""
    if column.link is not None or column.name == "id":
        return parse_id(shape.name if column.link is None else column.link.target, value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        require_comparable(value, f"for `{camel(column.name)}`")
    return cast("Scalar", value)

"""Reading the argument `orderBy`: its value becomes the planner's sort terms."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from api.errors import AccordError, ErrorCode
from api.graph.derived.links import link_of, links_of, lists_of
from api.graph.derived.list_aggregate_types import aggregated_columns
from api.graph.derived.money_types import converted_columns
from api.graph.derived.order_types import ordered_columns
from api.graph.derived.stage_types import STAGE, has_stage, stage_columns
from api.graph.reading.filter_value import read_list_where
from api.plan.list_arguments import (
    AggregateCall,
    AggregateFunction,
    ConvertedAmount,
    ListAggregate,
    OrderTerm,
    PresentStageColumn,
    SortDirection,
    VocabularyPosition,
)
from api.plan.ranks import ranked_words
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES

MAX_TERMS = 10
MAX_LINKS_IN_ORDER = 4  # every link joins another table
MAX_LIST_AGGREGATES = 3  # every aggregate of a list reads the rows of every record, also of those on later pages


def read_order(shape: TableShape, given: Sequence[Mapping[str, Any]]) -> tuple[OrderTerm, ...]:
    """Return the sort terms of a list.

    Errors: TOO_LARGE for too many terms, links or aggregates; BAD_INPUT for a list without exactly one aggregate, and
    those of filters.
    """
    if len(given) > MAX_TERMS:
        message = f"`orderBy` names {len(given):,} fields. It may name {MAX_TERMS}."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Leave out the last ones: they rarely change the order.")
    terms = tuple(_term(shape, key, value) for term in given for key, value in term.items())
    aggregates = sum(isinstance(term.by, ListAggregate) for term in terms)
    if aggregates > MAX_LIST_AGGREGATES:
        message = f"`orderBy` sorts by {aggregates:,} aggregates of lists. It may sort by {MAX_LIST_AGGREGATES}."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Leave out the last ones: they rarely change the order.")
    return terms


def _term(shape: TableShape, key: str, value: Any) -> OrderTerm:  # noqa: ANN401 - a direction, or a term of a link
    links: list[str] = []
    while (column := links_of(shape).get(key)) is not None:
        links.append(column.name)
        shape = SHAPES[link_of(column).target]
        ((key, value),) = value.items()
    if len(links) > MAX_LINKS_IN_ORDER:
        message = f"`orderBy` goes through {len(links):,} links to a field. It may go through {MAX_LINKS_IN_ORDER}."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Sort by a field that is fewer links away.")
    if key == STAGE and has_stage(shape):
        ((part, direction),) = value.items()
        return OrderTerm(PresentStageColumn(stage_columns()[part].name), direction, tuple(links))
    if key in lists_of(shape):
        return OrderTerm(*_list_aggregate(key, *lists_of(shape)[key], value), tuple(links))
    if (column := converted_columns(shape).get(key)) is not None:
        return OrderTerm(ConvertedAmount(shape.name, column.name), value, tuple(links))
    column = ordered_columns(shape)[key]
    if ranked_words(column) is not None:
        return OrderTerm(VocabularyPosition(shape.name, column.name), value, tuple(links))
    return OrderTerm(column.name, value, tuple(links))


def _list_aggregate(
    key: str, other: TableShape, column: ColumnShape, given: Mapping[str, Any]
) -> tuple[ListAggregate, SortDirection]:
    """Return the aggregate of a list to sort by. Errors: BAD_INPUT if there is not exactly one."""
    named = [(name, value) for name, value in given.items() if name != "where" and value is not None]
    if len(named) != 1:
        message = f"`orderBy: [{{{key}: …}}]` names {len(named)} aggregates. It needs exactly one."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Write every aggregate in a term of its own.")
    ((name, value),) = named
    function = cast("AggregateFunction", name)
    counted = read_list_where(other, column, given)
    if function == "count":
        return ListAggregate(other.name, column.name, AggregateCall("count"), counted), value
    ((field, direction),) = value.items()
    is_converted = field in converted_columns(other)
    call = AggregateCall(function, aggregated_columns(other, function)[field].name, is_converted)
    return ListAggregate(other.name, column.name, call, counted), direction

"""Reading the argument `orderBy`: its value becomes the planner's sort terms."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.errors import AccordError, ErrorCode
from api.graph.derived.links import link_of, links_of
from api.graph.derived.money_types import converted_columns
from api.graph.derived.order_types import ordered_columns
from api.graph.derived.stage_types import STAGE, has_stage, stage_columns
from api.plan.list_arguments import ConvertedAmount, OrderTerm, PresentStageColumn, VocabularyPosition
from api.plan.ranks import ranked_words
from schema.base import TableShape
from schema.tables import SHAPES

MAX_TERMS = 10
MAX_LINKS_IN_ORDER = 4  # every link joins another table


def read_order(shape: TableShape, given: Sequence[Mapping[str, Any]]) -> tuple[OrderTerm, ...]:
    """Return the sort terms of a list. Errors: TOO_LARGE for too many terms or links."""
    if len(given) > MAX_TERMS:
        message = f"`orderBy` names {len(given):,} fields. It may name {MAX_TERMS}."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Leave out the last ones: they rarely change the order.")
    return tuple(_term(shape, key, value) for term in given for key, value in term.items())


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
    if (column := converted_columns(shape).get(key)) is not None:
        return OrderTerm(ConvertedAmount(shape.name, column.name), value, tuple(links))
    column = ordered_columns(shape)[key]
    if ranked_words(column) is not None:
        return OrderTerm(VocabularyPosition(shape.name, column.name), value, tuple(links))
    return OrderTerm(column.name, value, tuple(links))

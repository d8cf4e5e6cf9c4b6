"""Orders: input types derived from columns and links, and their values read into the planner's terms."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.errors import AccordError, ErrorCode
from api.graph.declared import Input, InputType, TypeRef
from api.graph.derived.links import link_of, links_of
from api.graph.derived.naming import camel
from api.plan.selection import OrderTerm
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES

MAX_TERMS = 10
MAX_LINKS_IN_ORDER = 4  # each is a table to be joined


def order_type(shape: TableShape) -> InputType:
    """One value to sort the rows of a table by."""
    doc = (
        f"One field to sort rows of {shape.type_name} by, its own or one of a linked record."
        " Rows that are equal in all given fields are sorted by key."
    )
    columns = tuple(
        Input(key, column.doc, TypeRef("SortDirection"), deprecated=column.note.deprecated)
        for key, column in ordered_columns(shape).items()
    )
    links = tuple(
        Input(key, _link_doc(column), _order_ref(column), deprecated=column.note.deprecated)
        for key, column in links_of(shape).items()
    )
    return InputType(f"{shape.type_name}Order", doc, columns + links, is_one_of=True)


def ordered_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """The columns that `orderBy` knows, by GraphQL name."""
    return {camel(column.name): column for column in shape.visible if column.link is None}


def read_order(shape: TableShape, given: Sequence[Mapping[str, Any]]) -> tuple[OrderTerm, ...]:
    """The terms that an order's value means. Errors: TOO_LARGE for too many, or through too many links."""
    if len(given) > MAX_TERMS:
        message = f"`orderBy` names {len(given):,} fields, and may name {MAX_TERMS}."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Leave out the last ones: they hardly ever decide.")
    return tuple(_term(shape, key, value) for term in given for key, value in term.items())


def _term(shape: TableShape, key: str, value: Any) -> OrderTerm:  # noqa: ANN401 - a direction, or a field of a link
    way: list[str] = []
    while (column := links_of(shape).get(key)) is not None:
        way.append(column.name)
        shape = SHAPES[link_of(column).target]
        ((key, value),) = value.items()
    if len(way) > MAX_LINKS_IN_ORDER:
        message = f"`orderBy` goes through {len(way):,} links to a field, and may go through {MAX_LINKS_IN_ORDER}."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Sort by a field that is nearer.")
    return OrderTerm(ordered_columns(shape)[key].name, value, tuple(way))


def _link_doc(column: ColumnShape) -> str:
    return f"{column.doc} By one of its fields; where there is none that may be seen, the value is empty."


def _order_ref(column: ColumnShape) -> TypeRef:
    return TypeRef(f"{SHAPES[link_of(column).target].type_name}Order")

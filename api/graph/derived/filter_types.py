"""Filters: input types derived from columns and links, and their values read into the planner's conditions.

What an explicit null means is decided once: in place of a whole filter it is the same as leaving the filter out; as the
value of an operator it is refused, because a variable that was never filled would else quietly change the question.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from functools import partial
from typing import Any, cast

from api.errors import AccordError, ErrorCode
from api.graph.declared import Input, InputType, TypeRef
from api.graph.derived.links import link_of, links_of, lists_of, visible_shapes
from api.graph.derived.naming import camel
from api.graph.derived.scalars import NAMES
from api.identity.ids import read_id
from api.plan.selection import (
    Comparison,
    Condition,
    Every,
    Linked,
    Listed,
    Operator,
    Quantifier,
    Scalar,
    Some,
    Without,
)
from api.sql import through
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES

_DOCS: dict[Operator, str] = {
    "eq": "Equal to this.",
    "in": "Equal to one of these; an empty list matches nothing.",
    "lt": "Less than, or before, this.",
    "lte": "At most, or not after, this.",
    "gt": "Greater than, or after, this.",
    "gte": "At least, or not before, this.",
    "startsWith": "Begins with this text, in capitals or not. `%` and `_` mean themselves.",
    "contains": "Has this text somewhere in it, in capitals or not. `%` and `_` mean themselves.",
    "isNull": "True: has no value. False: has one.",
}
MAX_FILTER_LEVELS = 40  # of objects within objects: a test through one list and one link takes five
_QUANTIFIERS: dict[Quantifier, str] = {
    "some": "At least one of them matches this; an empty filter: there is one.",
    "none": "None of them matches this; an empty filter: there is none.",
    "every": "There is none that does not match this, missing values included.",
}
_ORDERED: tuple[Operator, ...] = ("eq", "in", "lt", "lte", "gt", "gte", "isNull")
_OPERATORS: dict[str, tuple[Operator, ...]] = {
    "ID": ("eq", "in", "isNull"),
    "Boolean": ("eq", "isNull"),
    "String": ("eq", "in", "lt", "lte", "gt", "gte", "startsWith", "contains", "isNull"),
    "Int": _ORDERED,
    "Decimal": _ORDERED,
    "DateTime": _ORDERED,
    "Date": _ORDERED,
}


def type_of(column: ColumnShape) -> TypeRef:
    """The GraphQL type of a column's values."""
    if column.link is not None or column.name == "id":
        return TypeRef("ID")
    return TypeRef(column.note.vocab.__name__) if column.note.vocab else NAMES[column.python]


def filter_type(values: TypeRef) -> InputType:
    """The filter over columns of one type."""
    operators = _OPERATORS.get(values.name, ("eq", "in", "isNull"))
    doc = (
        f"Tests of a value of type {values.name}; all that are given must hold. A missing value passes none but isNull."
    )
    return InputType(f"{values.name}Filter", doc, tuple(_operator(each, values) for each in operators))


def where_type(shape: TableShape) -> InputType:
    """The filter over the rows of a table."""
    name = f"{shape.type_name}Where"
    combined = (
        Input("and", "All of these must hold; an empty list changes nothing.", TypeRef(name).listed),
        Input("or", "At least one of these must hold; an empty list matches nothing.", TypeRef(name).listed),
        Input("not", "This must not hold: what it does not match, missing values included.", TypeRef(name)),
    )
    columns = tuple(
        Input(key, column.doc, _filter_ref(column), deprecated=column.note.deprecated)
        for key, column in filtered_columns(shape).items()
    )
    doc = f"Which rows of {shape.type_name}: every part that is given must hold; an empty filter matches all."
    return InputType(name, doc, combined + columns + _through_links(shape))


def list_filter_type(shape: TableShape) -> InputType:
    """The filter by the rows of a table that name a record."""
    doc = (
        f"Tests of a record by the rows of {shape.type_name} that belong to it, those that may be seen;"
        " all that are given must hold."
    )
    where = TypeRef(f"{shape.type_name}Where")
    tests = tuple(Input(quantifier, meaning, where) for quantifier, meaning in _QUANTIFIERS.items())
    return InputType(f"{shape.type_name}ListFilter", doc, tests)


def filtered_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """The columns that `where` knows, by GraphQL name."""
    return {camel(column.name): column for column in shape.visible}


def read_where(shape: TableShape, given: Mapping[str, Any]) -> Condition:
    """The condition that a filter's value means; BAD_INPUT for an operator without a value."""
    columns, links, lists = filtered_columns(shape), links_of(shape), lists_of(shape)
    parts: list[Condition] = []
    for key, value in given.items():
        if value is None:
            continue
        if key in ("and", "or"):
            nested = tuple(read_where(shape, each) for each in value)
            parts.append(Every(nested) if key == "and" else Some(nested))
        elif key == "not":
            parts.append(Without(read_where(shape, value)))
        elif key in links:
            link = link_of(links[key])
            parts.append(Linked(link.column, read_where(SHAPES[link.target], value)))
        elif key in lists:
            parts.extend(_quantified(*lists[key], value))
        else:
            parts.extend(_comparisons(shape, key, columns[key], value))
    return parts[0] if len(parts) == 1 else Every(tuple(parts))


def size_of(argument: str, given: Mapping[str, Any]) -> int:
    """How many objects a filter holds, itself among them. Errors: TOO_LARGE where they lie too deep in each other."""
    size = 0
    level = [given]
    for _ in range(MAX_FILTER_LEVELS):
        size += len(level)
        level = [inner for each in level for inner in _within(each)]
        if not level:
            return size
    message = f"`{argument}` has objects within objects on more than {MAX_FILTER_LEVELS} levels."
    raise AccordError(ErrorCode.TOO_LARGE, message, "Write side by side, in `and` and `or`, what need not be nested.")


def _within(given: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    for value in given.values():
        for each in value if isinstance(value, list) else (value,):
            if isinstance(each, Mapping):
                yield each


def _through_links(shape: TableShape) -> tuple[Input, ...]:
    links = (
        Input(
            key,
            f"{column.doc} Must be there and match this; an empty filter: must be there.",
            TypeRef(f"{SHAPES[link_of(column).target].type_name}Where"),
            deprecated=column.note.deprecated,
        )
        for key, column in links_of(shape).items()
    )
    lists = (
        Input(
            key,
            link_of(column).back_doc,
            TypeRef(f"{other.type_name}ListFilter"),
            deprecated=column.note.deprecated or other.deprecated,
        )
        for key, (other, column) in lists_of(shape).items()
    )
    return (*links, *lists)


def _operator(operator: Operator, values: TypeRef) -> Input:
    if operator == "isNull":
        return Input(operator, _DOCS[operator], TypeRef("Boolean"))
    return Input(operator, _DOCS[operator], values.listed if operator == "in" else values, is_bound=True)


def _filter_ref(column: ColumnShape) -> TypeRef:
    return TypeRef(f"{type_of(column).name}Filter")


def _quantified(other: TableShape, column: ColumnShape, tests: Mapping[str, Any]) -> Iterable[Listed]:
    for quantifier, where in tests.items():
        if where is not None:
            yield Listed(other.name, column.name, cast("Quantifier", quantifier), read_where(other, where))


def read_tests(
    key: str, tests: Mapping[str, Any], read: Callable[[Any], Scalar]
) -> Iterator[tuple[Operator, Scalar | tuple[Scalar, ...]]]:
    """The operators of a filter with their operands, each value read by `read`; BAD_INPUT for one without a value."""
    for operator, value in tests.items():
        if value is None:
            message = f"`{key}: {{{operator}: null}}` compares with nothing."
            remedy = "Leave the operator out, or ask for missing values with `isNull: true`."
            raise AccordError(ErrorCode.BAD_INPUT, message, remedy)
        yield cast("Operator", operator), through(value, partial(_operand, operator, read))


def value_reader(shape: TableShape, column: ColumnShape) -> Callable[[Any], Scalar]:
    """How a value to compare a column with is read; the reading raises BAD_INPUT for what no row can have."""
    return partial(_value, shape, column)


def _comparisons(shape: TableShape, key: str, column: ColumnShape, tests: Mapping[str, Any]) -> Iterable[Comparison]:
    for operator, operand in read_tests(key, tests, value_reader(shape, column)):
        yield Comparison(column.name, operator, operand)


def _operand(operator: str, read: Callable[[Any], Scalar], given: Any) -> Scalar | tuple[Scalar, ...]:  # noqa: ANN401 - any coerced input
    if operator == "isNull":
        return bool(given)
    return tuple(read(each) for each in given) if operator == "in" else read(given)


def _value(shape: TableShape, column: ColumnShape, value: Any) -> Scalar:  # noqa: ANN401 - any coerced input
    if column.link is not None or column.name == "id":
        return read_id(shape.name if column.link is None else column.link.target, value)
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, str):
        _check_text(column, value)
    return cast("Scalar", value)


def _check_text(column: ColumnShape, value: str) -> None:
    """PostgreSQL stores neither U+0000 nor half a character: nothing could match."""
    if "\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value):
        message = f"The text for `{camel(column.name)}` has a character that no stored text can have."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Leave out U+0000 and unpaired surrogates.")


def targets() -> frozenset[str]:
    """The names of the types that some visible column has values of."""
    return frozenset(type_of(column).name for shape in visible_shapes() for column in shape.visible)

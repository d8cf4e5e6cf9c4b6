"""Input types of `where`, derived from columns and links."""

from typing import Literal

from api.graph.declared import Input, InputType, TypeRef
from api.graph.derived.counted_types import counted_filter, is_counted_table
from api.graph.derived.links import link_of, links_of, lists_of, visible_shapes
from api.graph.derived.list_aggregate_types import aggregate_conditions
from api.graph.derived.money_types import CONVERTED_DOC, converted_columns
from api.graph.derived.naming import camel
from api.graph.derived.scalars import column_type
from api.graph.derived.stage_types import STAGE, STAGE_FILTER, has_stage
from api.plan.list_arguments import Operator, Quantifier
from api.plan.value_checks.storable_text import MAX_COMPARED
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES

IS_NULL: Literal["isNull"] = "isNull"
_IS_NULL_DOC = (
    "In the filter of a link. True: there is no linked record that is visible to you. False: there is one. Elsewhere it"
    " is refused (BAD_INPUT): the rows of a list are never null."
)
_PATTERN = f"`%` and `_` are ordinary characters. At most {MAX_COMPARED:,} characters."
_OPERATOR_DOCS: dict[Operator, str] = {
    "eq": "Equal to this value.",
    "in": "Equal to one of these values. An empty list matches nothing.",
    "lt": "Less than, or before, this value.",
    "lte": "Less than or equal to this value, or not after it.",
    "gt": "Greater than, or after, this value.",
    "gte": "Greater than or equal to this value, or not before it.",
    "startsWith": f"Starts with this text, ignoring case. {_PATTERN}",
    "contains": f"Contains this text, ignoring case. {_PATTERN}",
    "isNull": "True: the value is null. False: it is not null.",
}
_QUANTIFIER_DOCS: dict[Quantifier, str] = {
    "some": "At least one of the rows matches this filter. With an empty filter: there is at least one row.",
    "none": "None of the rows matches this filter. With an empty filter: there is no row.",
    "every": "All rows match this filter; true if there are none. A comparison with null does not match.",
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


def filter_type(values: TypeRef) -> InputType:
    """Return the filter type for columns of one type."""
    operators = _OPERATORS.get(values.name, ("eq", "in", "isNull"))
    doc = (
        f"Conditions on a value of type {values.name}. All given conditions must hold. Null matches only"
        " `isNull: true`."
    )
    return InputType(f"{values.name}Filter", doc, tuple(_operator(operator, values) for operator in operators))


def where_type(shape: TableShape) -> InputType:
    """Return the filter type for the rows of a table."""
    name = f"{shape.type_name}Where"
    combined = (
        Input("and", "All of these must hold. An empty list changes nothing.", TypeRef(name).listed),
        Input("or", "At least one of these must hold. An empty list matches nothing.", TypeRef(name).listed),
        Input("not", "This must not hold. Rows for which it compares with null match.", TypeRef(name)),
        Input(IS_NULL, _IS_NULL_DOC, TypeRef("Boolean")),
    )
    columns = tuple(
        Input(key, column.doc, TypeRef(f"{column_type(column).name}Filter"), deprecated=column.note.deprecated)
        for key, column in filtered_columns(shape).items()
    )
    doc = (
        f"A filter over {shape.type_name} rows. All given parts must hold. An empty filter matches every row. A part"
        " that is null is refused (BAD_INPUT): leave it out, or find nulls with `isNull: true`."
    )
    counted = (counted_filter(),) if is_counted_table(shape) else ()
    own = columns + _converted(shape) + _present_stage(shape) + counted
    return InputType(name, doc, combined + own + _through_links(shape))


def list_filter_type(shape: TableShape) -> InputType:
    """Return the filter type for a record by the rows of a table that refer to it."""
    doc = (
        f"Conditions on the {shape.type_name} rows that belong to a record and are visible to you."
        " All given conditions must hold."
    )
    where = TypeRef(f"{shape.type_name}Where")
    tests = tuple(Input(quantifier, meaning, where) for quantifier, meaning in _QUANTIFIER_DOCS.items())
    return InputType(f"{shape.type_name}ListFilter", doc, tests + aggregate_conditions(shape))


def filtered_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """Return the columns that a filter can test, by GraphQL name."""
    return {camel(column.name): column for column in shape.visible}


def filtered_types() -> frozenset[str]:
    """Return the names of the types that a visible column has values of."""
    return frozenset(column_type(column).name for shape in visible_shapes() for column in shape.visible)


def _converted(shape: TableShape) -> tuple[Input, ...]:
    return tuple(
        Input(key, f"{column.doc} {CONVERTED_DOC}", TypeRef("DecimalFilter"), deprecated=column.note.deprecated)
        for key, column in converted_columns(shape).items()
    )


def _present_stage(shape: TableShape) -> tuple[Input, ...]:
    return (Input(STAGE, "The current stage of the person.", TypeRef(STAGE_FILTER)),) if has_stage(shape) else ()


def _through_links(shape: TableShape) -> tuple[Input, ...]:
    links = (
        Input(
            key,
            f"{column.doc} The record must exist and match this filter. With an empty filter: it must exist. With"
            " `{isNull: true}`: there must be none.",
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
        return Input(operator, _OPERATOR_DOCS[operator], TypeRef("Boolean"))
    return Input(operator, _OPERATOR_DOCS[operator], values.listed if operator == "in" else values, is_bound=True)

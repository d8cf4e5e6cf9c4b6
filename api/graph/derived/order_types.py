"""Input types of `orderBy`, derived from columns and links."""

from api.graph.declared import Input, InputType, TypeRef
from api.graph.derived.links import link_of, links_of, lists_of
from api.graph.derived.money_types import CONVERTED_DOC, converted_columns
from api.graph.derived.naming import camel
from api.graph.derived.stage_types import STAGE, STAGE_ORDER, has_stage
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES


def order_type(shape: TableShape) -> InputType:
    """Return the input type of one sort term of a table."""
    doc = (
        f"One value to sort {shape.type_name} rows by: a field of their own or of a linked record, or an aggregate of"
        " the rows that belong to them."
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
    lists = tuple(
        Input(key, link_of(column).back_doc, TypeRef(f"{other.type_name}ListOrder"), deprecated=other.deprecated)
        for key, (other, column) in lists_of(shape).items()
    )
    converted = tuple(
        Input(key, f"{column.doc} {CONVERTED_DOC}", TypeRef("SortDirection"), deprecated=column.note.deprecated)
        for key, column in converted_columns(shape).items()
    )
    stage = (Input(STAGE, "The current stage of the person.", TypeRef(STAGE_ORDER)),) if has_stage(shape) else ()
    return InputType(f"{shape.type_name}Order", doc, columns + converted + stage + links + lists, is_one_of=True)


def ordered_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """Return the columns that a list can be sorted by, by GraphQL name."""
    return {camel(column.name): column for column in shape.visible if column.link is None}


def _link_doc(column: ColumnShape) -> str:
    return (
        f"{column.doc} Sorts by one field of that record. Without a record that is visible to you, the value is null."
    )


def _order_ref(column: ColumnShape) -> TypeRef:
    return TypeRef(f"{SHAPES[link_of(column).target].type_name}Order")

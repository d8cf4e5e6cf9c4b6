"""Object types derived from the tables: a type, its connection, its edge, its filter and its order for each."""

from collections.abc import Iterator
from typing import Any

from api.graph.declared import Declared, Input, InterfaceType, ObjectType, Output, TypeRef
from api.graph.derived.aggregate_types import aggregate_field, aggregate_types
from api.graph.derived.enums import SORT_DIRECTION, enum_of
from api.graph.derived.filter_types import filter_type, list_filter_type, targets, type_of, where_type
from api.graph.derived.group_types import EACH, group_by_field, group_types
from api.graph.derived.links import link_of, lists_of, visible_shapes
from api.graph.derived.naming import camel
from api.graph.derived.order_types import order_type
from api.graph.reading.search_values import search_argument
from api.graph.sources import FromBack, FromColumn, FromLink, FromMoney, FromStage, from_row
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES
from schema.vocab import Unit, vocabularies

PAGE_SIZE, MAX_PAGE_SIZE = 50, 500
_INT = TypeRef("Int")
TYPE_KEY = "$type"  # where a value of the interface Node says its type; no GraphQL name


def page_arguments() -> tuple[Input, ...]:
    """Which rows of a list are shown, by number and cursor."""
    return (
        Input("first", f"The first so many, {MAX_PAGE_SIZE} at the most; {PAGE_SIZE} where no number is given.", _INT),
        Input("after", "Only what comes behind this cursor, from `pageInfo.endCursor` or an edge.", TypeRef("String")),
        Input("last", f"The last so many instead, {MAX_PAGE_SIZE} at the most, in the same order.", _INT),
        Input(
            "before", "Only what comes before this cursor, from `pageInfo.startCursor` or an edge.", TypeRef("String")
        ),
    )


def list_arguments(shape: TableShape) -> tuple[Input, ...]:
    """What every list of a table takes."""
    search = (search_argument(shape),) if shape.searched else ()
    return (
        *page_arguments(),
        Input("where", "Which rows; left out or null: all.", TypeRef(f"{shape.type_name}Where")),
        Input(
            "orderBy",
            "How they are sorted, the most important first; left out: by key, the oldest record first.",
            TypeRef(f"{shape.type_name}Order").listed,
        ),
        *search,
    )


def record_types() -> Iterator[Declared]:
    """Every type that the tables imply."""
    yield _NODE
    yield _PAGE_INFO
    yield _MONEY
    yield _STAGE
    yield SORT_DIRECTION
    yield EACH
    for vocabulary in vocabularies():
        yield enum_of(vocabulary)
    for name in sorted(targets()):
        yield filter_type(TypeRef(name))
    for shape in visible_shapes():
        yield _record(shape)
        yield from _list_types(shape)
        yield from aggregate_types(shape)
        yield from group_types(shape)
        yield where_type(shape)
        yield list_filter_type(shape)
        yield order_type(shape)


def _record(shape: TableShape) -> ObjectType:
    currencies = {column.note.currency for column in shape.columns}
    fields = [_column(column) for column in shape.visible if column.name not in currencies]
    if shape.name == "contact":
        doc = "The stage the person is in now: the highest that is open; null if none is."
        fields.append(Output("stage", doc, TypeRef("PresentStage"), from_row, source=FromStage()))
    fields += [_back(other, column) for other, column in lists_of(shape).values()]
    return ObjectType(shape.type_name, shape.doc, tuple(fields), ("Node",) if shape.has_id else ())


def _column(column: ColumnShape) -> Output:
    if column.link is not None:
        # Null also where the record may not be seen, so a link is never required.
        link = column.link
        return Output(
            camel(link.name),
            link.doc,
            TypeRef(SHAPES[link.target].type_name),
            from_row,
            source=FromLink(link),
            deprecated=column.note.deprecated,
        )
    is_money = column.note.unit is Unit.MONEY and column.note.currency is not None
    shown = TypeRef("Money") if is_money else type_of(column)
    source = FromMoney(column.name) if is_money else FromColumn(column.name)
    return Output(
        camel(column.name),
        _doc(column),
        shown if column.is_nullable else shown.required,
        from_row,
        source=source,
        deprecated=column.note.deprecated,
    )


def _doc(column: ColumnShape) -> str:
    """A column's meaning, with its unit where the meaning alone does not tell it."""
    unit = column.note.unit
    return column.doc if unit is None or unit is Unit.MONEY else f"{column.doc} {unit.doc}"


def _back(other: TableShape, column: ColumnShape) -> Output:
    link = link_of(column)
    connection = TypeRef(f"{other.type_name}Connection").required
    source = FromBack(other.name, link)
    deprecated = column.note.deprecated or other.deprecated
    return Output(link.back, link.back_doc, connection, from_row, list_arguments(other), source, deprecated)


def _list_types(shape: TableShape) -> tuple[ObjectType, ObjectType]:
    name = shape.type_name
    edges = TypeRef(f"{name}Edge").required.listed.required
    return (
        ObjectType(
            f"{name}Connection",
            f"A page of a list of {name}.",
            (
                Output("nodes", "The rows of the page.", TypeRef(name).listed.required, from_row),
                Output("edges", "The rows of the page, each with its cursor.", edges, from_row),
                Output("pageInfo", "Where the page lies in the list.", TypeRef("PageInfo").required, from_row),
                Output("totalCount", "How many rows match, on all pages together.", TypeRef("Int").required, from_row),
                aggregate_field(shape),
                group_by_field(shape),
            ),
        ),
        ObjectType(
            f"{name}Edge",
            f"A row of a list of {name}, with its place.",
            (
                Output(
                    "cursor",
                    "The row's place in the list, for `after` and `before`.",
                    TypeRef("String").required,
                    from_row,
                ),
                Output("node", "The row.", TypeRef(name).required, from_row),
            ),
        ),
    )


def _type_name(value: dict[str, Any], *_: object) -> str:
    return str(value[TYPE_KEY])


_NODE = InterfaceType(
    "Node",
    "A record with an id of its own.",
    (Output("id", "The record's identity, unique over all types.", TypeRef("ID").required, from_row),),
    _type_name,
)
_PAGE_INFO = ObjectType(
    "PageInfo",
    "Where a page lies in its list.",
    (
        Output("hasNextPage", "Whether there are rows behind the page.", TypeRef("Boolean").required, from_row),
        Output("hasPreviousPage", "Whether there are rows before the page.", TypeRef("Boolean").required, from_row),
        Output("startCursor", "The first row's cursor; null on an empty page.", TypeRef("String"), from_row),
        Output("endCursor", "The last row's cursor; null on an empty page.", TypeRef("String"), from_row),
    ),
)
_MONEY = ObjectType(
    "Money",
    "An amount of money.",
    (
        Output("amount", "The amount, as a decimal string.", TypeRef("Decimal").required, from_row),
        Output(
            "currency", "Its currency (ISO 4217); null where the source does not tell.", TypeRef("Currency"), from_row
        ),
    ),
)
_STAGE = ObjectType(
    "PresentStage",
    "The stage of the funnel a person is in.",
    (
        Output("key", "The key of the stage in the accord.", TypeRef("String").required, from_row),
        Output(
            "title", "The stage's title, in the accord's version that judged the entry.", TypeRef("String"), from_row
        ),
        Output("since", "When the person entered it.", TypeRef("DateTime").required, from_row),
        Output("occurrence", "The how many-th entry of the person into it, from 1.", TypeRef("Int").required, from_row),
    ),
)

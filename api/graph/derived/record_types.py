"""The types that every table implies: its object type, connection, edge, figures, groups, filters and orders."""

from collections.abc import Iterator

from api.access.scope import MERGED_INTO, can_be_merged
from api.graph.declared import Declared, Input, InterfaceType, ObjectType, Output, TypeRef
from api.graph.derived.aggregate_types import aggregate_field, aggregate_types, is_money
from api.graph.derived.audited_types import audited_fields
from api.graph.derived.counted_types import counted_fields, is_counted_table
from api.graph.derived.enums import EACH, SORT_DIRECTION, enum_of
from api.graph.derived.filter_types import filter_type, filtered_types, list_filter_type, where_type
from api.graph.derived.group_types import group_by_field, group_count_field, group_types
from api.graph.derived.links import link_of, lists_of, visible_shapes
from api.graph.derived.list_aggregate_types import list_aggregate_types
from api.graph.derived.money_types import converted_columns, converted_money_type, rate_day_doc
from api.graph.derived.naming import camel
from api.graph.derived.order_types import order_type
from api.graph.derived.scalars import column_type
from api.graph.derived.stage_types import (
    PRESENT_STAGE,
    PRESENT_STAGE_DOC,
    STAGE,
    has_stage,
    reading_arguments,
    stage_types,
    version_number_fields,
)
from api.graph.sources import (
    FromBack,
    FromColumn,
    FromConverted,
    FromLink,
    FromMoney,
    FromRecordId,
    FromStage,
)
from schema.access.rights import Right
from schema.base import ColumnShape, TableShape
from schema.kpis.dimension_vocab import Dimension
from schema.tables import SHAPES
from schema.vocab import Unit, vocabularies

PAGE_SIZE, MAX_PAGE_SIZE = 50, 500
INCLUDE_MERGED = "includeMerged"
TYPE_KEY = "$type"  # the key of a row's type name, where a value may be any Node; never a GraphQL name
NODE, PAGE_INFO, MONEY = "Node", "PageInfo", "Money"

_NEEDS_PERSONAL_DATA = f"Needs the right {Right.PERSONAL_DATA}."
_NULL_WITHOUT_PERSONAL_DATA = f"Personal data: null without the right {Right.PERSONAL_DATA}, see `extensions.redacted`."
_ID = (
    "The id, unique over all types. The record as of an instant (`asOf`) has an id of its own, which carries the"
    " instant, so that a cache keeps it apart from the current record. Both are arguments for `node`."
)
_RECORD_ID = "The id of the record without an instant: the same now and at every `asOf`. Filters take this one."
_INT, _STRING, _BOOLEAN = TypeRef("Int"), TypeRef("String"), TypeRef("Boolean")
_INCLUDE_MERGED = Input(
    INCLUDE_MERGED,
    "True: with the records that were merged into another one (`mergedInto`), which stands in their place. By default"
    " they are left out, like deleted ones, as they are in filters through lists and in `search`. By its id, or through"
    " a link that names it, a merged record can always be read.",
    _BOOLEAN,
)


_ASSUMED_COUNT = Output(
    "assumedCount",
    "How many of `totalCount` stand on an assumed history at the instant `asOf`: their source has no values of that"
    " time, so those of a later import are used. Without `asOf` it is 0.",
    _INT.required,
)


def page_arguments() -> tuple[Input, ...]:
    """Return the arguments that choose the page of a list."""
    return (
        Input("first", f"The number of rows from the start: {PAGE_SIZE} by default, {MAX_PAGE_SIZE} at most.", _INT),
        Input("after", "Only rows after this cursor, taken from `pageInfo.endCursor` or an edge.", _STRING),
        Input("last", f"The number of rows from the end, {MAX_PAGE_SIZE} at most. The order stays the same.", _INT),
        Input("before", "Only rows before this cursor, taken from `pageInfo.startCursor` or an edge.", _STRING),
    )


def list_arguments(shape: TableShape) -> tuple[Input, ...]:
    """Return the arguments of every list of a table."""
    merged = (_INCLUDE_MERGED,) if can_be_merged(shape.name) else ()
    search = (_search_argument(shape),) if shape.searched else ()
    return (
        *page_arguments(),
        Input("where", "A filter over the rows. If left out or null, all rows.", TypeRef(f"{shape.type_name}Where")),
        Input(
            "orderBy",
            "The sort terms, most significant first. If left out, rows are sorted by key, oldest first.",
            TypeRef(f"{shape.type_name}Order").listed,
        ),
        *search,
        *merged,
        *(reading_arguments() if shape.name == "stage_entry" else ()),
    )


def record_types() -> Iterator[Declared]:
    """Yield every type that the tables imply."""
    yield from _SHARED_TYPES
    yield from stage_types()
    yield converted_money_type()
    yield from (enum_of(vocabulary) for vocabulary in vocabularies() if vocabulary is not Dimension)
    for name in sorted(filtered_types()):
        yield filter_type(TypeRef(name))
    for shape in visible_shapes():
        yield _record(shape)
        yield from _list_types(shape)
        yield from aggregate_types(shape)
        yield from group_types(shape)
        yield where_type(shape)
        yield list_filter_type(shape)
        yield from list_aggregate_types(shape)
        yield order_type(shape)


def _search_argument(shape: TableShape) -> Input:
    columns = ", ".join(f"`{camel(column)}`" for column in shape.searched)
    doc = (
        f"Only rows in which every word of this text is the start of a word in {columns}, ignoring case:"
        ' "ada acme" finds ada.berg@acme.example. Characters that are neither letters nor digits separate words.'
    )
    if any(shape.column(column).note.personal for column in shape.searched):
        doc += f" {_NEEDS_PERSONAL_DATA}"
    return Input("search", doc, _STRING, is_bound=True)


def _record(shape: TableShape) -> ObjectType:
    currencies = {column.note.currency for column in shape.columns}
    fields = [*(_ids() if shape.has_id else ())]
    fields += [_column(column) for column in shape.visible if column.name not in {*currencies, "id"}]
    fields += [_converted(shape, key, column) for key, column in converted_columns(shape).items()]
    if has_stage(shape):
        fields.append(Output(STAGE, PRESENT_STAGE_DOC, TypeRef(PRESENT_STAGE), source=FromStage()))
    if is_counted_table(shape):
        fields += counted_fields()
    fields += version_number_fields(shape)
    fields += audited_fields(shape.name)
    fields += [_back(other, column) for other, column in lists_of(shape).values()]
    return ObjectType(shape.type_name, shape.doc, tuple(fields), (NODE,) if shape.has_id else ())


def _ids() -> tuple[Output, ...]:
    id_ = TypeRef("ID").required
    return (
        Output("id", _ID, id_, source=FromRecordId()),
        Output("recordId", _RECORD_ID, id_, source=FromRecordId(is_plain=True)),
    )


def _column(column: ColumnShape) -> Output:
    if column.link is not None:
        # Null also if the record is not visible to the caller, so a link is never required.
        return Output(
            camel(column.link.name),
            column.link.doc,
            TypeRef(SHAPES[column.link.target].type_name),
            source=FromLink(column.link),
            deprecated=column.note.deprecated,
        )
    has_money = column.note.unit is Unit.MONEY and is_money(column)
    shown = TypeRef(MONEY) if has_money else column_type(column)
    return Output(
        camel(column.name),
        _doc(column),
        shown if column.is_nullable else shown.required,
        source=FromMoney(column.name) if has_money else FromColumn(column.name),
        deprecated=column.note.deprecated,
    )


def _converted(shape: TableShape, key: str, column: ColumnShape) -> Output:
    doc, deprecated = rate_day_doc(shape, column), column.note.deprecated
    return Output(key, doc, TypeRef(MONEY), source=FromConverted(column.name), deprecated=deprecated)


def _doc(column: ColumnShape) -> str:
    """A column's description, with its unit and the right that it needs. The unit of money is part of the value."""
    unit = column.note.unit
    doc = column.doc if unit is None or unit is Unit.MONEY else f"{column.doc} {unit.doc}"
    return f"{doc} {_NULL_WITHOUT_PERSONAL_DATA}" if column.note.personal else doc


def _back(other: TableShape, column: ColumnShape) -> Output:
    link = link_of(column)
    # Whoever was merged into a record is all that its list of them holds.
    without = INCLUDE_MERGED if column.name == MERGED_INTO else ""
    arguments = tuple(argument for argument in list_arguments(other) if argument.name != without)
    return Output(
        link.back,
        link.back_doc,
        TypeRef(f"{other.type_name}Connection").required,
        arguments=arguments,
        source=FromBack(other.name, link),
        deprecated=column.note.deprecated or other.deprecated,
    )


def _list_types(shape: TableShape) -> tuple[ObjectType, ObjectType]:
    name = shape.type_name
    edges = TypeRef(f"{name}Edge").required.listed.required
    return (
        ObjectType(
            f"{name}Connection",
            f"One page of a list of {name} rows.",
            (
                Output("nodes", "The rows of the page.", TypeRef(name).listed.required),
                Output("edges", "The rows of the page with their cursors.", edges),
                Output("pageInfo", "The position of the page in the list.", TypeRef(PAGE_INFO).required),
                Output("totalCount", "The number of rows that match, over all pages.", _INT.required),
                *((_ASSUMED_COUNT,) if shape.has_history else ()),
                aggregate_field(shape),
                group_by_field(shape),
                group_count_field(shape),
            ),
        ),
        ObjectType(
            f"{name}Edge",
            f"One row of a list of {name} rows, with its cursor.",
            (
                Output("cursor", "The row's position in the list, for `after` and `before`.", _STRING.required),
                Output("node", "The row.", TypeRef(name).required),
            ),
        ),
    )


def type_of_value(value: object, *_: object) -> str:
    """Return the name of the type of a row, or of another value, that may have one of several."""
    return str(value[TYPE_KEY]) if isinstance(value, dict) else type(value).__name__


_SHARED_TYPES: tuple[Declared, ...] = (
    InterfaceType(
        NODE,
        "What has an id of its own: a record, or the answer to a KPI request.",
        (Output("id", _ID, TypeRef("ID").required),),
        type_of_value,
    ),
    ObjectType(
        PAGE_INFO,
        "The position of a page in its list.",
        (
            Output("hasNextPage", "Whether there are rows after the page.", _BOOLEAN.required),
            Output("hasPreviousPage", "Whether there are rows before the page.", _BOOLEAN.required),
            Output("startCursor", "The cursor of the first row; null if the page is empty.", _STRING),
            Output("endCursor", "The cursor of the last row; null if the page is empty.", _STRING),
        ),
    ),
    ObjectType(
        MONEY,
        "An amount of money.",
        (
            Output("amount", "The amount, as a decimal string.", TypeRef("Decimal").required),
            Output("currency", "The currency (ISO 4217); null if the source does not say.", TypeRef("Currency")),
        ),
    ),
    SORT_DIRECTION,
    EACH,
)

"""Figures of all rows of a list, as types derived from the columns: what can be counted, added up and compared."""

from collections.abc import Iterable, Iterator

from api.graph.declared import ObjectType, Output, TypeRef
from api.graph.derived.filter_types import type_of
from api.graph.derived.naming import camel
from api.graph.sources import FromColumn, FromMoney, from_row
from api.plan.figures import LEAST_PLACES
from schema.base import ColumnShape, TableShape

_NUMBERS = ("Int", "Decimal")
_ORDERED = (*_NUMBERS, "DateTime", "Date", "String")
_IN_MONEY = "One amount for each currency, sorted by currency, the unknown one last: money is not added across them."


def aggregate_field(shape: TableShape) -> Output:
    """The field of a list that tells the figures of all its rows."""
    doc = "Figures of all rows that match, on all pages together."
    return Output("aggregate", doc, TypeRef(f"{shape.type_name}Aggregate").required, from_row)


def aggregate_types(shape: TableShape) -> Iterator[ObjectType]:
    """The types of the figures of a table's rows; one without a column is left out."""
    name = shape.type_name
    fields = [Output("count", "How many rows there are.", TypeRef("Int").required, from_row)]
    for column_type, figures in (
        (_distinct(shape), (("countDistinct", "How many different values there are; missing ones are none."),)),
        (_numbers(shape), (("sum", "What the values add up to; null where none is known."), ("avg", _AVERAGE))),
        (
            _extremes(shape),
            (
                ("min", "The smallest, earliest or alphabetically first values; null where none is known."),
                ("max", "The greatest, latest or alphabetically last values; null where none is known."),
            ),
        ),
    ):
        if column_type.fields:
            yield column_type
            fields += [Output(each, doc, TypeRef(column_type.name).required, from_row) for each, doc in figures]
    yield ObjectType(f"{name}Aggregate", f"Figures of rows of {name}: each reads all of them.", tuple(fields))


def distinct_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """The columns whose different values can be told, by GraphQL name; a link has the name of what it leads to."""
    return _named(column for column in shape.visible if column.name != "id")


def number_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """The columns that add up, by GraphQL name."""
    return _named(column for column in shape.visible if type_of(column).name in _NUMBERS)


def extreme_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """The columns that have a smallest and a greatest value, by GraphQL name."""
    return _named(column for column in shape.visible if type_of(column).name in _ORDERED)


def is_money(column: ColumnShape) -> bool:
    """Whether a column's amounts have a currency beside them."""
    return column.note.currency is not None


_AVERAGE = (
    "The mean of the known values, null where none is: rounded half away from zero, amounts of money to the places they"
    f" are kept in, other numbers to {LEAST_PLACES} or to their own, if these are more."
)


def _named(columns: Iterable[ColumnShape]) -> dict[str, ColumnShape]:
    return {camel(column.link.name if column.link else column.name): column for column in columns}


def _distinct(shape: TableShape) -> ObjectType:
    doc = f"How many different values rows of {shape.type_name} have."
    fields = (
        Output(
            key,
            _doc(column, "The same amount in another currency is another value." if is_money(column) else ""),
            TypeRef("Int").required,
            from_row,
            source=FromColumn(column.name),
            deprecated=column.note.deprecated,
        )
        for key, column in distinct_columns(shape).items()
    )
    return ObjectType(f"{shape.type_name}DistinctCounts", doc, tuple(fields))


def _numbers(shape: TableShape) -> ObjectType:
    doc = f"Sums or means of rows of {shape.type_name}."
    fields = (_figure(key, column, TypeRef("Decimal")) for key, column in number_columns(shape).items())
    return ObjectType(f"{shape.type_name}Numbers", doc, tuple(fields))


def _extremes(shape: TableShape) -> ObjectType:
    doc = f"The smallest or the greatest values of rows of {shape.type_name}."
    fields = (_figure(key, column, type_of(column)) for key, column in extreme_columns(shape).items())
    return ObjectType(f"{shape.type_name}Extremes", doc, tuple(fields))


def _figure(key: str, column: ColumnShape, plain: TypeRef) -> Output:
    return Output(
        key,
        _doc(column, _IN_MONEY if is_money(column) else ""),
        TypeRef("Money").required.listed.required if is_money(column) else plain,
        from_row,
        source=FromMoney(column.name) if is_money(column) else FromColumn(column.name),
        deprecated=column.note.deprecated,
    )


def _doc(column: ColumnShape, more: str) -> str:
    return f"{column.doc} {more}".strip()

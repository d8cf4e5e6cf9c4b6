"""Types of the figures of all rows of a list, derived from the columns: counts, sums, means, minima and maxima."""

from collections.abc import Iterable, Iterator

from api.graph.declared import ObjectType, Output, TypeRef
from api.graph.derived.money_types import CONVERTED_MONEY, converted_columns
from api.graph.derived.naming import camel
from api.graph.derived.scalars import column_type
from api.graph.sources import FromColumn, FromConverted, FromMoney
from api.plan.aggregate_functions import MIN_AVERAGE_PLACES
from schema.base import ColumnShape, TableShape

_NUMBERS = ("Int", "Decimal")
_ORDERED = (*_NUMBERS, "DateTime", "Date", "String")
_BY_CURRENCY = (
    "One amount for each currency, sorted by currency, the unknown currency last: amounts are never added across"
    " currencies."
)
_AVERAGE = (
    "The mean of the known values; null if none is known. Rounded half away from zero: money to the decimal places that"
    f" it is stored with, other numbers to {MIN_AVERAGE_PLACES} decimal places or to their own, whichever is more."
)


def aggregate_field(shape: TableShape) -> Output:
    """Return the field of a list that has the figures of all its rows."""
    doc = "Figures of all rows that match, over all pages."
    return Output("aggregate", doc, TypeRef(f"{shape.type_name}Aggregate").required)


def aggregate_types(shape: TableShape) -> Iterator[ObjectType]:
    """Yield the types of the figures of a table's rows. A type that would have no column is left out."""
    name = shape.type_name
    fields = [Output("count", "The number of rows.", TypeRef("Int").required)]
    for column_figures, functions in (
        (_distinct(shape), (("countDistinct", "The number of different values. Nulls do not count."),)),
        (_numbers(shape), (("sum", "The sum of the known values; null if none is known."), ("avg", _AVERAGE))),
        (
            _extremes(shape),
            (
                ("min", "The smallest, earliest or alphabetically first value; null if none is known."),
                ("max", "The greatest, latest or alphabetically last value; null if none is known."),
            ),
        ),
    ):
        if column_figures.fields:
            yield column_figures
            fields += [Output(function, doc, TypeRef(column_figures.name).required) for function, doc in functions]
    yield ObjectType(f"{name}Aggregate", f"Figures of many {name} rows. Every figure reads all of them.", tuple(fields))


def distinct_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """Return the columns with a distinct count, by GraphQL name. A foreign key has the name of its link."""
    return _named(column for column in shape.visible if column.name != "id")


def number_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """Return the columns that can be summed, by GraphQL name."""
    return _named(column for column in shape.visible if column_type(column).name in _NUMBERS)


def extreme_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """Return the columns with a minimum and a maximum, by GraphQL name."""
    return _named(column for column in shape.visible if column_type(column).name in _ORDERED)


def is_money(column: ColumnShape) -> bool:
    """Return whether the column holds amounts whose currency is in a column beside it."""
    return column.note.currency is not None


def _named(columns: Iterable[ColumnShape]) -> dict[str, ColumnShape]:
    return {camel(column.link.name if column.link else column.name): column for column in columns}


def _distinct(shape: TableShape) -> ObjectType:
    doc = f"Numbers of different values of {shape.type_name} rows, by field."
    fields = (
        Output(
            key,
            _doc(column, "The same amount in two currencies counts as two values." if is_money(column) else ""),
            TypeRef("Int").required,
            source=FromColumn(column.name),
            deprecated=column.note.deprecated,
        )
        for key, column in distinct_columns(shape).items()
    )
    return ObjectType(f"{shape.type_name}DistinctCounts", doc, tuple(fields))


def _numbers(shape: TableShape) -> ObjectType:
    doc = f"Sums or means of {shape.type_name} rows, by field."
    fields = (_figure(key, column, TypeRef("Decimal")) for key, column in number_columns(shape).items())
    return ObjectType(f"{shape.type_name}Numbers", doc, (*fields, *_converted(shape)))


def _extremes(shape: TableShape) -> ObjectType:
    doc = f"Minima or maxima of {shape.type_name} rows, by field."
    fields = (_figure(key, column, column_type(column)) for key, column in extreme_columns(shape).items())
    return ObjectType(f"{shape.type_name}Extremes", doc, (*fields, *_converted(shape)))


def _converted(shape: TableShape) -> Iterator[Output]:
    for key, column in converted_columns(shape).items():
        yield Output(
            key,
            f"{column.doc} Every amount is converted to the reporting currency at the rate of its day.",
            TypeRef(CONVERTED_MONEY).required,
            source=FromConverted(column.name),
            deprecated=column.note.deprecated,
        )


def _figure(key: str, column: ColumnShape, plain: TypeRef) -> Output:
    return Output(
        key,
        _doc(column, _BY_CURRENCY if is_money(column) else ""),
        TypeRef("Money").required.listed.required if is_money(column) else plain,
        source=FromMoney(column.name) if is_money(column) else FromColumn(column.name),
        deprecated=column.note.deprecated,
    )


def _doc(column: ColumnShape, addition: str) -> str:
    return f"{column.doc} {addition}".strip()

"""Input types for the aggregates of the rows that refer to a record, derived from their columns.

`contacts(orderBy: [{ touchpoints: { max: { occurredAt: ASC } } }])` sorts people by their last touchpoint.
"""

from collections.abc import Iterator, Mapping

from api.graph.declared import Input, InputType, TypeRef
from api.graph.derived.aggregate_types import extreme_columns, is_money, number_columns
from api.graph.derived.money_types import CONVERTED_DOC, converted_columns
from api.graph.derived.scalars import column_type
from api.plan.list_arguments import AggregateFunction
from schema.base import ColumnShape, TableShape

_NUMBERS, _EXTREMES = "Numbers", "Extremes"
_NUMERIC: tuple[AggregateFunction, ...] = ("sum", "avg")
_AGGREGATE_DOCS: dict[AggregateFunction, str] = {
    "sum": "The sum of the known values; null if none is known.",
    "avg": "The mean of the known values, rounded as in `aggregate`; null if none is known.",
    "min": "The smallest or earliest value; null if none is known, or if there are no rows.",
    "max": "The greatest or latest value; null if none is known, or if there are no rows.",
}
_COUNT = "The number of rows; 0 if there are none."


def aggregate_conditions(shape: TableShape) -> tuple[Input, ...]:
    """Return the conditions on the aggregates of rows of a table that refer to a record."""
    where = Input(
        "where",
        "Only rows that match this filter count, in every condition beside it. At least one condition is required.",
        TypeRef(f"{shape.type_name}Where"),
    )
    columns = (
        Input(function, _AGGREGATE_DOCS[function], _type(shape, function, "Filter"))
        for function in _AGGREGATE_DOCS
        if aggregated_columns(shape, function)
    )
    return (where, Input("count", _COUNT, TypeRef("IntFilter")), *columns)


def list_aggregate_types(shape: TableShape) -> Iterator[InputType]:
    """Yield the types of the aggregates of rows of a table that refer to a record, to filter and to sort by."""
    direction, name = TypeRef("SortDirection"), shape.type_name
    functions = [function for function in _AGGREGATE_DOCS if aggregated_columns(shape, function)]
    for group, function in ((_NUMBERS, _NUMERIC[0]), (_EXTREMES, "max")):
        columns = aggregated_columns(shape, function)
        if columns:
            tests = {key: TypeRef(f"{_value_type(column, group)}Filter") for key, column in columns.items()}
            doc = f"Conditions on one aggregate of {name} rows, by field. All given conditions must hold."
            yield _by_column(_type(shape, function, "Filter").name, doc, columns, tests, is_one_of=False)
            doc = "The field whose aggregate the records are sorted by."
            terms = dict.fromkeys(columns, direction)
            yield _by_column(_type(shape, function, "Order").name, doc, columns, terms, is_one_of=True)
    doc = (
        f"One aggregate of the {name} rows that belong to a record and are visible to you, to sort records by. Exactly"
        " one is required; `where` says which rows count."
    )
    where = Input("where", "Only rows that match this filter count.", TypeRef(f"{name}Where"))
    by_column = (Input(function, _AGGREGATE_DOCS[function], _type(shape, function, "Order")) for function in functions)
    yield InputType(f"{name}ListOrder", doc, (where, Input("count", _COUNT, direction), *by_column))


def aggregated_columns(shape: TableShape, function: AggregateFunction) -> dict[str, ColumnShape]:
    """Return the columns with an aggregate to filter and sort by, by GraphQL name; those with money if converted.

    Bare amounts are not among them, because a record may have some in several currencies; nor is text.
    """
    columns = number_columns(shape) if function in _NUMERIC else extreme_columns(shape)
    plain = {
        key: column for key, column in columns.items() if not is_money(column) and column_type(column).name != "String"
    }
    return plain | converted_columns(shape)


def _type(shape: TableShape, function: AggregateFunction, kind: str) -> TypeRef:
    return TypeRef(f"{shape.type_name}List{_NUMBERS if function in _NUMERIC else _EXTREMES}{kind}")


def _value_type(column: ColumnShape, group: str) -> str:
    return "Decimal" if group == _NUMBERS else column_type(column).name


def _doc(column: ColumnShape) -> str:
    return f"{column.doc} {CONVERTED_DOC}" if is_money(column) else column.doc


def _by_column(
    name: str, doc: str, columns: Mapping[str, ColumnShape], types: Mapping[str, TypeRef], *, is_one_of: bool
) -> InputType:
    fields = tuple(
        Input(key, _doc(column), types[key], deprecated=column.note.deprecated) for key, column in columns.items()
    )
    return InputType(name, doc, fields, is_one_of)

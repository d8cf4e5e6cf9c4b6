"""Types of `groupBy`, derived from the columns: the groups, and the inputs that choose, filter and sort them."""

from collections.abc import Iterator, Mapping

from api.graph.declared import Declared, Input, InputType, ObjectType, Output, TypeRef
from api.graph.derived.aggregate_types import extreme_columns, number_columns
from api.graph.derived.money_types import CONVERTED_DOC, converted_columns
from api.graph.derived.naming import camel
from api.graph.derived.scalars import column_type
from api.graph.derived.stage_types import PRESENT_STAGE_DOC, STAGE, STAGE_KEY, has_stage
from api.graph.sources import FromColumn, FromLink, FromStage
from api.plan.grouping import MAX_GROUPS
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES

_GRAINED = ("DateTime", "Date")
_NOT_GROUPED = ("Decimal",)
_ONE_CURRENCY = "Money has to be in one currency in all rows of the list: use the converted amount if it is not."
_FUNCTION_DOCS: dict[str, str] = {
    "sum": "The sum of the known values.",
    "avg": "The mean of the known values, rounded as in the result.",
    "min": "The smallest, earliest or alphabetically first value.",
    "max": "The greatest, latest or alphabetically last value.",
}


def group_by_field(shape: TableShape) -> Output:
    """Return the field of a list that has all its rows in groups."""
    name = shape.type_name
    doc = (
        "All rows that match, over all pages, grouped by equal keys. Rows whose key is null form a group of their own,"
        " with a null key. Without `first`, all groups; it is an error that states their number if there are more than"
        f" {MAX_GROUPS:,}."
    )
    arguments = (
        *_which_groups(shape),
        Input(
            "orderBy",
            "The sort terms, most significant first. Groups that are equal in all of them are sorted by their keys:"
            " stages by rank, enum values as declared, other values in their own order.",
            TypeRef(f"{name}GroupOrder").listed,
        ),
        Input(
            "first",
            f"Only so many of the first groups, up to {MAX_GROUPS:,}. `groupCount` says how many there are.",
            TypeRef("Int"),
        ),
    )
    return Output("groupBy", doc, TypeRef(f"{name}Group").required.listed.required, arguments=arguments)


def group_count_field(shape: TableShape) -> Output:
    """Return the field of a list that has the number of groups of all its rows."""
    doc = "The number of groups that `groupBy` has with the same `keys` and `having`."
    return Output("groupCount", doc, TypeRef("Int").required, arguments=_which_groups(shape))


def _which_groups(shape: TableShape) -> tuple[Input, ...]:
    name = shape.type_name
    return (
        Input("keys", "The fields to group by, each at most once.", TypeRef(f"{name}GroupKey").listed.required),
        Input("having", "A filter over the groups. If left out or null, all groups.", TypeRef(f"{name}Having")),
    )


def group_types(shape: TableShape) -> Iterator[Declared]:
    """Yield the types of the groups of a table's rows, and of the arguments that choose them."""
    yield _group(shape)
    yield _key(shape)
    yield _group_key(shape)
    yield from _having(shape)
    yield from _order(shape)


def key_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """Return the columns that rows can be grouped by, by GraphQL name. A foreign key has the name of its link."""
    return {
        camel(column.link.name if column.link else column.name): column
        for column in shape.visible
        if column.name != "id" and column_type(column).name not in _NOT_GROUPED
    }


def is_grained(column: ColumnShape) -> bool:
    """Return whether rows are grouped by buckets of the column (days, weeks, …) instead of its single values."""
    return column_type(column).name in _GRAINED


def _group(shape: TableShape) -> ObjectType:
    name = shape.type_name
    fields = (
        Output("key", "The values that the group's rows share.", TypeRef(f"{name}Key").required),
        Output("count", "The number of rows in the group.", TypeRef("Int").required),
        Output("aggregate", "Figures of the group's rows.", TypeRef(f"{name}Aggregate").required),
    )
    return ObjectType(f"{name}Group", f"{name} rows that are equal in all keys.", fields)


def _key(shape: TableShape) -> ObjectType:
    doc = (
        f"The values that the {shape.type_name} rows of a group share. A field is null if the rows have no value in it,"
        " and if they are not grouped by it."
    )
    fields = [_key_field(key, column) for key, column in key_columns(shape).items()]
    if has_stage(shape):
        fields.append(Output(STAGE, PRESENT_STAGE_DOC, TypeRef(STAGE_KEY), source=FromStage()))
    return ObjectType(f"{shape.type_name}Key", doc, tuple(fields))


def _key_field(key: str, column: ColumnShape) -> Output:
    deprecated = column.note.deprecated
    if column.link is not None:
        target = TypeRef(SHAPES[column.link.target].type_name)
        doc = f"{column.doc} Null also if the record is not visible to you."
        return Output(key, doc, target, source=FromLink(column.link), deprecated=deprecated)
    doc = f"{column.doc} The first day of the bucket." if is_grained(column) else column.doc
    shown = TypeRef("Date") if is_grained(column) else column_type(column)
    return Output(key, doc, shown, source=FromColumn(column.name), deprecated=deprecated)


def _group_key(shape: TableShape) -> InputType:
    doc = (
        "One field to group by: its single values or, for dates and instants, buckets of time. Days and weeks start as"
        " the reporting section of the accord in force says, and so do fiscal quarters and years; without an accord,"
        " days start in UTC, weeks on Monday, and fiscal years in January."
    )
    fields = [
        Input(
            key,
            column.doc,
            TypeRef("TimeGrain" if is_grained(column) else "GroupByEach"),
            deprecated=column.note.deprecated,
        )
        for key, column in key_columns(shape).items()
    ]
    if has_stage(shape):
        fields.append(Input(STAGE, PRESENT_STAGE_DOC, TypeRef("GroupByEach")))
    return InputType(f"{shape.type_name}GroupKey", doc, tuple(fields), is_one_of=True)


def _having(shape: TableShape) -> Iterator[InputType]:
    name = f"{shape.type_name}Having"
    fields = [
        Input("and", "All of these must hold. An empty list changes nothing.", TypeRef(name).listed),
        Input("or", "At least one of these must hold. An empty list matches nothing.", TypeRef(name).listed),
        Input("not", "This must not hold. Groups for which it compares with null match.", TypeRef(name)),
        Input("count", "The number of rows in the group.", TypeRef("IntFilter")),
    ]
    numbers = number_columns(shape)
    if numbers:
        tests = TypeRef(f"{shape.type_name}NumbersFilter")
        fields += [Input(function, f"{doc} {_ONE_CURRENCY}", tests) for function, doc in _FUNCTION_DOCS.items()]
        columns = (
            Input(key, column.doc, TypeRef("DecimalFilter"), deprecated=column.note.deprecated)
            for key, column in numbers.items()
        )
        converted = (
            Input(key, f"{column.doc} {CONVERTED_DOC}", TypeRef("DecimalFilter"), deprecated=column.note.deprecated)
            for key, column in converted_columns(shape).items()
        )
        doc = f"Conditions on one figure of {shape.type_name} rows, by field."
        yield InputType(tests.name, doc, (*columns, *converted))
    doc = f"A filter over groups of {shape.type_name} rows. All given parts must hold."
    yield InputType(name, doc, tuple(fields))


def _order(shape: TableShape) -> Iterator[InputType]:
    name = shape.type_name
    fields = [
        Input("count", "The number of rows in the group.", TypeRef("SortDirection")),
        Input(
            "key",
            "One of the keys. Stages are sorted by rank, enum values as declared, other linked records by id, oldest"
            " first.",
            TypeRef(f"{name}KeyOrder"),
        ),
    ]
    stage = Input(STAGE, f"{PRESENT_STAGE_DOC} Sorted by rank.", TypeRef("SortDirection"))
    yield _directions(f"{name}KeyOrder", "key", key_columns(shape), *([stage] if has_stage(shape) else ()))
    for kind, functions, columns in (
        ("Numbers", ("sum", "avg"), number_columns(shape)),
        ("Extremes", ("min", "max"), extreme_columns(shape)),
    ):
        if columns:
            yield _directions(f"{name}{kind}Order", "figure", {**columns, **converted_columns(shape)})
            fields += [
                Input(function, _FUNCTION_DOCS[function], TypeRef(f"{name}{kind}Order")) for function in functions
            ]
    doc = (
        f"One value to sort groups of {name} rows by. Money has to be in one currency in all rows of the list, unless"
        " the currency is a key: then it is sorted by currency, then by amount. Converted amounts always compare."
    )
    yield InputType(f"{name}GroupOrder", doc, tuple(fields), is_one_of=True)


def _directions(name: str, what: str, columns: Mapping[str, ColumnShape], *others: Input) -> InputType:
    fields = tuple(
        Input(key, column.doc, TypeRef("SortDirection"), deprecated=column.note.deprecated)
        for key, column in columns.items()
    )
    return InputType(name, f"The field whose {what} the groups are sorted by.", (*fields, *others), is_one_of=True)

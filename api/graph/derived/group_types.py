"""Rows in groups: types derived from the columns, and which groups are asked for, read from their values."""

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, cast

from api.errors import AccordError, ErrorCode
from api.graph.declared import Declared, EnumType, Input, InputType, ObjectType, Output, TypeRef, Word
from api.graph.derived.aggregate_types import extreme_columns, number_columns
from api.graph.derived.filter_types import read_tests, type_of
from api.graph.derived.naming import camel
from api.graph.sources import FromColumn, FromLink, from_row
from api.plan.selection import Figure, Function, GroupKey, GroupTerm, GroupTest, Having
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES
from schema.vocab import Grain

GROUPS, MAX_GROUPS = 50, 500

_GRAINED = ("DateTime", "Date")
_UNGROUPED = ("Decimal",)
_ONE_CURRENCY = "Of money a test holds only where the group's known amounts are of one currency."


class _Each(Enum):
    EACH = "EACH"


EACH = EnumType("Each", "That each value is asked for by itself.", _Each, (Word("EACH", "Each value by itself."),))


# --------------------------------------------------------------------------------------------------------- types


def group_by_field(shape: TableShape) -> Output:
    """The field of a list that tells all its rows in groups."""
    name = shape.type_name
    doc = (
        "All rows that match, on all pages together, in groups: those that are equal in all keys. Rows without a value"
        " make a group of their own, where the key is null."
    )
    arguments = (
        Input("keys", "What tells groups apart, each field once.", TypeRef(f"{name}GroupKey").listed.required),
        Input("having", "Which groups; left out or null: all.", TypeRef(f"{name}Having")),
        Input(
            "orderBy",
            "How they are sorted, the most important first. What is equal in all of it is sorted by the keys in turn.",
            TypeRef(f"{name}GroupOrder").listed,
        ),
        Input("first", f"How many groups at most; {MAX_GROUPS} at the most.", TypeRef("Int"), GROUPS),
    )
    return Output("groupBy", doc, TypeRef(f"{name}Group").required.listed.required, from_row, arguments)


def group_types(shape: TableShape) -> Iterator[Declared]:
    """The types of the groups of a table's rows, and of what is asked of them."""
    yield _group(shape)
    yield _key(shape)
    yield _group_key(shape)
    yield from _having(shape)
    yield from _order(shape)


def key_columns(shape: TableShape) -> dict[str, ColumnShape]:
    """The columns that tell groups apart, by GraphQL name; a link has the name of what it leads to."""
    return {
        camel(column.link.name if column.link else column.name): column
        for column in shape.visible
        if column.name != "id" and type_of(column).name not in _UNGROUPED
    }


def _group(shape: TableShape) -> ObjectType:
    name = shape.type_name
    fields = (
        Output("key", "What the group's rows have in common.", TypeRef(f"{name}Key").required, from_row),
        Output("count", "How many rows the group has.", TypeRef("Int").required, from_row),
        Output("aggregate", "Figures of the group's rows.", TypeRef(f"{name}Aggregate").required, from_row),
    )
    return ObjectType(f"{name}Group", f"Rows of {name} that are equal in all keys.", fields)


def _key(shape: TableShape) -> ObjectType:
    doc = (
        f"What rows of {shape.type_name} in a group have in common: null where they have no value, and in what they"
        " are not grouped by."
    )
    fields = tuple(_key_field(key, column) for key, column in key_columns(shape).items())
    return ObjectType(f"{shape.type_name}Key", doc, fields)


def _key_field(key: str, column: ColumnShape) -> Output:
    deprecated = column.note.deprecated
    if column.link is not None:
        target = TypeRef(SHAPES[column.link.target].type_name)
        doc = f"{column.doc} Null also where the record may not be seen."
        return Output(key, doc, target, from_row, source=FromLink(column.link), deprecated=deprecated)
    doc = f"{column.doc} The first day of the bucket." if _is_grained(column) else column.doc
    shown = TypeRef("Date") if _is_grained(column) else type_of(column)
    return Output(key, doc, shown, from_row, source=FromColumn(column.name), deprecated=deprecated)


def _group_key(shape: TableShape) -> InputType:
    doc = (
        "What tells groups apart: each value of a field, or the bucket that a day or an instant is in. Days begin in"
        " the time zone of the accord in force, weeks on its first day of a week; without an accord in UTC and on"
        " Monday. Quarters and years are those of the calendar, as in series of KPIs."
    )
    fields = tuple(
        Input(key, column.doc, TypeRef("Grain" if _is_grained(column) else "Each"), deprecated=column.note.deprecated)
        for key, column in key_columns(shape).items()
    )
    return InputType(f"{shape.type_name}GroupKey", doc, fields, is_one_of=True)


def _is_grained(column: ColumnShape) -> bool:
    return type_of(column).name in _GRAINED


def _having(shape: TableShape) -> Iterator[InputType]:
    name = f"{shape.type_name}Having"
    fields = [
        Input("and", "All of these must hold; an empty list changes nothing.", TypeRef(name).listed),
        Input("or", "At least one of these must hold; an empty list matches nothing.", TypeRef(name).listed),
        Input("not", "This must not hold: what it does not match, missing figures included.", TypeRef(name)),
        Input("count", "How many rows the group has.", TypeRef("IntFilter")),
    ]
    numbers = number_columns(shape)
    if numbers:
        tests = TypeRef(f"{shape.type_name}NumbersFilter")
        fields += [Input(function, f"{doc} {_ONE_CURRENCY}", tests) for function, doc in _FIGURES.items()]
        columns = (
            Input(key, column.doc, TypeRef("DecimalFilter"), deprecated=column.note.deprecated)
            for key, column in numbers.items()
        )
        yield InputType(tests.name, f"Tests of one figure of rows of {shape.type_name}, by field.", tuple(columns))
    doc = f"Which groups of rows of {shape.type_name}: every part that is given must hold."
    yield InputType(name, doc, tuple(fields))


def _order(shape: TableShape) -> Iterator[InputType]:
    name = shape.type_name
    fields = [
        Input("count", "How many rows the group has.", TypeRef("SortDirection")),
        Input("key", "One of the keys; records by their own key, the oldest first.", TypeRef(f"{name}KeyOrder")),
    ]
    yield _directions(f"{name}KeyOrder", "key", key_columns(shape))
    for kind, functions, columns in (
        ("Numbers", ("sum", "avg"), number_columns(shape)),
        ("Extremes", ("min", "max"), extreme_columns(shape)),
    ):
        if columns:
            yield _directions(f"{name}{kind}Order", "figure", columns)
            fields += [Input(each, _FIGURES[each], TypeRef(f"{name}{kind}Order")) for each in functions]
    doc = (
        f"One value to sort groups of rows of {name} by. Groups are sorted by amounts of money within their currency:"
        " one that has amounts of several comes with those that have none."
    )
    yield InputType(f"{name}GroupOrder", doc, tuple(fields), is_one_of=True)


_FIGURES: dict[str, str] = {
    "sum": "What the values add up to.",
    "avg": "The mean of the known values, as it is shown.",
    "min": "The smallest, earliest or alphabetically first value.",
    "max": "The greatest, latest or alphabetically last value.",
}


def _directions(name: str, what: str, columns: Mapping[str, ColumnShape]) -> InputType:
    fields = tuple(
        Input(key, column.doc, TypeRef("SortDirection"), deprecated=column.note.deprecated)
        for key, column in columns.items()
    )
    return InputType(name, f"The field whose {what} groups are sorted by.", fields, is_one_of=True)


# -------------------------------------------------------------------------------------------------------- values


def read_size(first: int | None) -> int:
    """How many groups at most. Errors: BAD_INPUT, TOO_LARGE."""
    if first is None:
        return GROUPS
    if first < 0:
        message = f"`groupBy(first: {first})` asks for less than nothing."
        raise AccordError(ErrorCode.BAD_INPUT, message, f"Ask for 0 to {MAX_GROUPS}.")
    if first > MAX_GROUPS:
        message = f"`groupBy(first: {first})` asks for more groups than are told at once, which is {MAX_GROUPS}."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Ask for fewer with `having`, `where` or a coarser key.")
    return first


def read_keys(shape: TableShape, given: Iterable[Mapping[str, Any]]) -> tuple[GroupKey, ...]:
    """What tells groups apart. Errors: BAD_INPUT for none, and for a field that is named twice."""
    columns = key_columns(shape)
    found: dict[str, GroupKey] = {}
    for key, value in (pair for each in given for pair in each.items()):
        if key in found:
            message = f"`groupBy(keys: …)` names `{key}` twice, and a group shows it once."
            raise AccordError(ErrorCode.BAD_INPUT, message, "Name it once, by its finest bucket.")
        found[key] = GroupKey(columns[key].name, Grain[value] if _is_grained(columns[key]) else None)
    if not found:
        remedy = "Name at least one key, or ask for `aggregate`, which takes all rows together."
        raise AccordError(ErrorCode.BAD_INPUT, "`groupBy(keys: [])` tells no groups apart.", remedy)
    return tuple(found.values())


def read_having(shape: TableShape, given: Mapping[str, Any]) -> Having:
    """Which groups. Errors: BAD_INPUT for an operator without a value."""
    numbers = number_columns(shape)
    tests: list[GroupTest] = []
    for function, value in given.items():
        if value is None or function in ("and", "or", "not"):
            continue
        if function == "count":
            tests += _tests(function, Figure("count"), value)
            continue
        for key, each in value.items():
            if each is not None:
                tests += _tests(key, Figure(cast("Function", function), numbers[key].name), each)
    every, some, without = given.get("and"), given.get("or"), given.get("not")
    return Having(
        tuple(tests),
        tuple(read_having(shape, each) for each in every or ()),
        None if some is None else tuple(read_having(shape, each) for each in some),
        None if without is None else read_having(shape, without),
    )


def _tests(key: str, figure: Figure, tests: Mapping[str, Any]) -> Iterator[GroupTest]:
    for operator, value in read_tests(key, tests, lambda given: given):
        yield GroupTest(figure, operator, value)


def read_group_order(
    shape: TableShape, keys: tuple[GroupKey, ...], given: Iterable[Mapping[str, Any]]
) -> tuple[GroupTerm, ...]:
    """How groups are sorted. Errors: BAD_INPUT for a key that they are not told apart by."""
    asked = {each.column: each for each in keys}
    found: list[GroupTerm] = []
    for function, value in (pair for each in given for pair in each.items()):
        if function == "count":
            found.append(GroupTerm(Figure("count"), value))
            continue
        ((key, direction),) = value.items()
        if function != "key":
            column = extreme_columns(shape)[key].name
            found.append(GroupTerm(Figure(cast("Function", function), column), direction))
            continue
        column = key_columns(shape)[key].name
        if column not in asked:
            message = f"`groupBy(orderBy: …)` sorts by `{key}`, which is none of its keys."
            raise AccordError(ErrorCode.BAD_INPUT, message, "Add it to `keys`, or sort by another field.")
        found.append(GroupTerm(asked[column], direction))
    return tuple(found)

"""Which rows a filter or a search finds."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.plan.oracle.inputs import tests_of
from tests.plan.oracle.records import Records
from tests.plan.oracle.shapes import COLUMNS, LINKS, LISTS, VISIBLE, Row

TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: value == wanted,
    "in": lambda value, wanted: value in wanted,
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
    "startsWith": lambda value, wanted: value.lower().startswith(wanted.lower()),
    "contains": lambda value, wanted: wanted.lower() in value.lower(),
}


def matches(records: Records, table: str, row: Row, where: Row) -> bool:
    """Whether a row is in a filter; a null in place of a whole filter is none."""
    return all(_holds(records, table, row, key, value) for key, value in where.items() if value is not None)


def words(text: str) -> list[str]:
    """The words of a text, by the contract: letters and digits, in small letters."""
    return re.findall(r"[^\W_]+", text.lower())


def is_found(table: str, row: Row, search: str) -> bool:
    """Whether every word of a search begins some word of a row's searched columns."""
    there = words(" ".join(row[column] or "" for column in VISIBLE[table].searched))
    return all(any(each.startswith(word) for each in there) for word in words(search))


def _holds(records: Records, table: str, row: Row, key: str, value: Any) -> bool:  # noqa: ANN401 - a filter of any shape
    match key:
        case "and":
            return all(matches(records, table, row, each) for each in value)
        case "or":
            return any(matches(records, table, row, each) for each in value)
        case "not":
            return not matches(records, table, row, value)
    if key in LINKS[table]:
        other = records.linked(table, row, key)
        return other is not None and matches(records, LINKS[table][key][1], other, value)
    if key in LISTS[table]:
        other_table, found = LISTS[table][key][0], records.listed(table, row, key)
        return all(
            _quantified(quantifier, [matches(records, other_table, each, where) for each in found])
            for quantifier, where in value.items()
            if where is not None
        )
    column = COLUMNS[table][key]
    own = records.value(row, column)
    return all(_passes(own, operator, wanted) for operator, wanted in tests_of(table, column, value))


def _quantified(quantifier: str, matching: list[bool]) -> bool:
    return {"some": any(matching), "none": not any(matching), "every": all(matching)}[quantifier]


def _passes(own: Any, operator: str, wanted: Any) -> bool:  # noqa: ANN401 - a column's value
    if operator == "isNull":
        return (own is None) is wanted
    return own is not None and TESTS[operator](own, wanted)

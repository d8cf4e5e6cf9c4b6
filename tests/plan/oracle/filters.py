"""The rows that satisfy a filter or a search."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.plan.oracle.aggregates import comparable_value
from tests.plan.oracle.inputs import QUANTIFIERS, list_tests, parse_aggregate_comparisons, parse_comparisons
from tests.plan.oracle.records import Records
from tests.plan.oracle.shapes import COLUMNS, CONVERTED, LINKS, LISTS, STAGE_PARTS, VISIBLE, Row

OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, operand: value == operand,
    "in": lambda value, operand: value in operand,
    "lt": lambda value, operand: value < operand,
    "lte": lambda value, operand: value <= operand,
    "gt": lambda value, operand: value > operand,
    "gte": lambda value, operand: value >= operand,
    "startsWith": lambda value, operand: value.lower().startswith(operand.lower()),
    "contains": lambda value, operand: operand.lower() in value.lower(),
}


def matches_where(records: Records, table: str, row: Row, where: Row) -> bool:
    """Return whether a row satisfies a filter."""
    return all(_holds(records, table, row, key, value) for key, value in where.items())


def words(text: str) -> list[str]:
    """Return the words of a text: letters and digits, in lower case."""
    return re.findall(r"[^\W_]+", text.lower())


def matches_search(table: str, row: Row, search: str) -> bool:
    """Return whether every word of a search begins some word of a row's searched columns."""
    row_words = words(" ".join(row[column] or "" for column in VISIBLE[table].searched))
    return all(any(row_word.startswith(word) for row_word in row_words) for word in words(search))


def rows_that_count(records: Records, table: str, row: Row, key: str, list_argument: Row) -> list[Row]:
    """Return the rows of a record's list that the `where` of an argument leaves."""
    where = list_argument.get("where", {})
    return [
        other for other in records.listed(table, row, key) if matches_where(records, LISTS[table][key][0], other, where)
    ]


def list_aggregate(records: Records, table: str, rows: list[Row], function: str, field: str = "") -> Any:  # noqa: ANN401 - a number, instant or day
    """Return an aggregate of the rows of a list; None without a value to aggregate."""
    if function == "count":
        return len(rows)
    return comparable_value([records.values(table, row) for row in rows], function, table, field)[1]


def _aggregates_satisfy(records: Records, table: str, rows: list[Row], function: str, test: Row) -> bool:
    fields = {"": test} if function == "count" else test
    return all(
        _satisfies(list_aggregate(records, table, rows, function, field), operator, operand)
        for field, tests in fields.items()
        for operator, operand in parse_aggregate_comparisons(table, function, field, tests)
    )


def _holds(records: Records, table: str, row: Row, key: str, value: Any) -> bool:  # noqa: ANN401 - a filter of any shape
    match key:
        case "and":
            return all(matches_where(records, table, row, part) for part in value)
        case "or":
            return any(matches_where(records, table, row, part) for part in value)
        case "not":
            return not matches_where(records, table, row, value)
        case "isNull":
            return not value  # of a linked record, which is there
    if key in LINKS[table]:
        linked = records.linked(table, row, key)
        if linked is None:
            return _tests_absence(value) and _holds_if_absent(value)
        return matches_where(records, LINKS[table][key][1], linked, value)
    if key in LISTS[table]:
        other_table = LISTS[table][key][0]
        counted = rows_that_count(records, table, row, key, value)
        return all(
            _quantified(name, [matches_where(records, other_table, other, test) for other in counted])
            if name in QUANTIFIERS
            else _aggregates_satisfy(records, other_table, counted, name, test)
            for name, test in list_tests(value)
        )
    if key == "stage" and table == "contact":
        return _stage_holds(records.present_stage(row), value)
    if key == "isCounted":
        is_counted = not records.not_counted_because(table, row)
        return all(_satisfies(is_counted, operator, operand) for operator, operand in value.items())
    if key in CONVERTED[table]:
        column = CONVERTED[table][key]
        own = records.conversion.converted(row, column)
    else:
        column = COLUMNS[table][key]
        own = records.value(row, column)
    return all(_satisfies(own, operator, operand) for operator, operand in parse_comparisons(table, column, value))


def _tests_absence(where: Row) -> bool:
    """Return whether the filter of a link says somewhere whether there is a record."""
    parts = [*where.get("and", []), *where.get("or", []), *([where["not"]] if "not" in where else [])]
    return "isNull" in where or "isNull" in where.get("id", {}) or any(map(_tests_absence, parts))


def _holds_if_absent(where: Row) -> bool:
    """Return whether the filter of a link is true without a record, of which everything else is false."""
    found = {
        "and": lambda parts: all(map(_holds_if_absent, parts)),
        "or": lambda parts: any(map(_holds_if_absent, parts)),
    }
    found |= {
        "not": lambda part: not _holds_if_absent(part),
        "isNull": bool,
        "id": lambda test: test == {"isNull": True},
    }
    return all(key in found and found[key](value) for key, value in where.items())


def _stage_holds(stage: Row, tests: Row) -> bool:
    if tests.get("isNull") is True:
        return not stage and set(tests) == {"isNull"}
    return bool(stage) and all(
        _satisfies(stage[key], operator, operand)
        for key, value in tests.items()
        if key != "isNull"
        for operator, operand in parse_comparisons("stage_entry", COLUMNS["stage_entry"][STAGE_PARTS[key]], value)
    )


def _quantified(quantifier: str, matching: list[bool]) -> bool:
    return {"some": any(matching), "none": not any(matching), "every": all(matching)}[quantifier]


def _satisfies(value: Any, operator: str, operand: Any) -> bool:  # noqa: ANN401 - a column's value
    if operator == "isNull":
        return (value is None) is operand
    return value is not None and OPERATORS[operator](value, operand)

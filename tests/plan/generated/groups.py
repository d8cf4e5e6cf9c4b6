"""Arguments of groups made up from the tables: keys, which groups, in which order, how many."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tests.plan.generated.filters import Filters
from tests.plan.generated.variables import Variables
from tests.plan.oracle.pages import PAGE_SIZE
from tests.plan.oracle.shapes import KEYED, NAMED, VISIBLE, Row

GRAINS = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")
COUNTS = (0, 1, 2, 5)
NUMBERS = ("0", "1", "2", "10.00", "1.5")
OPERATORS = ("eq", "in", "lt", "lte", "gt", "gte", "isNull")


def group_arguments(filters: Filters, table: str, variables: Variables, most: int) -> tuple[dict[str, str], int]:
    """The arguments by name, and how many groups there may be."""
    kind, chance = VISIBLE[table].type_name, filters.chance
    names = list(dict.fromkeys(chance.several(1, 3, lambda: chance.one(sorted(KEYED[table])))))
    if "currency" in KEYED[table] and "currency" not in names and chance.happens(3):
        names.append("currency")  # only groups of one currency are compared by amounts
    keys = [{name: _way(filters, table, name)} for name in names]
    written = {"keys": variables.written(f"[{kind}GroupKey!]!", keys)}
    if chance.happens(3):
        written["having"] = variables.written(f"{kind}Having", _having(filters, table, 2))
    if not chance.happens(3):
        order = list(chance.several(0, 2, lambda: _term(filters, table, names)))
        written["orderBy"] = variables.written(f"[{kind}GroupOrder!]", order)
    if most >= PAGE_SIZE and chance.happens(3):
        return written, PAGE_SIZE
    size = chance.integer(0, min(6, most))
    return written | {"first": variables.written("Int", size)}, size


def _way(filters: Filters, table: str, name: str) -> object:
    if KEYED[table][name].python in (datetime, date):
        return filters.value_or_ref("Grain!", filters.chance.one(GRAINS))
    return filters.value_or_ref("Each!", "EACH")


def _numbers(table: str) -> list[str]:
    """What adds up; money more often."""
    found = {name: each for name, each in NAMED[table].items() if each.python in (int, Decimal)}
    return [*found, *(name for name, each in found.items() if each.note.currency for _ in range(3))]


def _having(filters: Filters, table: str, steps: int) -> Row:
    chance = filters.chance
    match chance.integer(0, 5 if steps else 2):
        case 0:
            return {"count": _tests(filters, "Int", COUNTS)}
        case 1 | 2:
            if not _numbers(table):
                return {}
            function = chance.one(["sum", "avg", "min", "max"])
            return {function: {chance.one(_numbers(table)): _tests(filters, "Decimal", NUMBERS)}}
        case 3 | 4:
            return {"not": _having(filters, table, steps - 1)}
    key = chance.one(["and", "or"])
    return {key: list(chance.several(0, 2, lambda: _having(filters, table, steps - 1)))}


def _tests(filters: Filters, of_type: str, values: tuple[Any, ...]) -> Row:
    chance = filters.chance
    operator = chance.one(OPERATORS)
    if operator == "isNull":
        return {operator: filters.value_or_ref("Boolean", chance.happens(2))}
    if operator == "in":
        return {operator: filters.value_or_ref(f"[{of_type}!]", list(chance.several(0, 2, lambda: chance.one(values))))}
    return {operator: filters.value_or_ref(of_type, chance.one(values))}


def _term(filters: Filters, table: str, names: list[str]) -> Row:
    chance = filters.chance
    match chance.integer(0, 4):
        case 0:
            return {"count": filters.way()}
        case 1:
            return {"key": {chance.one(names): filters.way()}}
    if not _numbers(table):
        return {"count": filters.way()}
    return {chance.one(["sum", "avg", "min", "max"]): {chance.one(_numbers(table)): filters.way()}}

"""Generator of the arguments of `groupBy`: keys, having, order and size."""

import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from tests.plan.generated.filters import Filters
from tests.plan.generated.variables import Variables
from tests.plan.oracle.shapes import AGGREGATED, CONVERTED, GROUPING_KEYS, VISIBLE, Row

GRAINS = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR")
MAX_GROUPS, MOST_STAGES = 1_000, 20
COUNTS = (0, 1, 2, 5)
NUMBERS = ("0", "1", "2", "10.00", "1.5")
OPERATORS = ("eq", "in", "lt", "lte", "gt", "gte", "isNull")


def group_count_arguments(filters: Filters, table: str, variables: Variables) -> dict[str, str]:
    """Return the arguments of `groupCount` by name."""
    return _which_groups(filters, table, variables)[0]


def group_arguments(filters: Filters, table: str, variables: Variables, max_groups: int) -> tuple[dict[str, str], int]:
    """Return the arguments by name, and the maximum number of groups."""
    chance = filters.chance
    arguments, names = _which_groups(filters, table, variables)
    if not chance.happens(3):
        order = list(chance.several(0, 2, lambda: _term(filters, table, names)))
        arguments["orderBy"] = variables.literal_or_variable(f"[{VISIBLE[table].type_name}GroupOrder!]", order)
    most = _most_groups(table, names)
    if most <= max_groups and chance.happens(2):
        return arguments, most
    size = chance.integer(0, min(6, max_groups))
    return arguments | {"first": variables.literal_or_variable("Int", size)}, size


def _most_groups(table: str, names: list[str]) -> int:
    return min(MAX_GROUPS, math.prod(_most_values(table, name) for name in names))


def _most_values(table: str, name: str) -> int:
    if name not in GROUPING_KEYS[table]:
        return MOST_STAGES + 1
    words = GROUPING_KEYS[table][name].note.vocab
    return MAX_GROUPS if words is None else len(words) + 1


def _which_groups(filters: Filters, table: str, variables: Variables) -> tuple[dict[str, str], list[str]]:
    """Return the arguments `keys` and `having`, and the names of the keys."""
    kind, chance = VISIBLE[table].type_name, filters.chance
    keyed = [*sorted(GROUPING_KEYS[table]), *(["stage"] * 3 if table == "contact" else [])]
    names = list(dict.fromkeys(chance.several(1, 3, lambda: chance.one(keyed))))
    keys = [{name: _grain(filters, table, name)} for name in names]
    arguments = {"keys": variables.literal_or_variable(f"[{kind}GroupKey!]!", keys)}
    if chance.happens(3):
        arguments["having"] = variables.literal_or_variable(f"{kind}Having", _having(filters, table, 2))
    return arguments, names


def _grain(filters: Filters, table: str, name: str) -> object:
    if name in GROUPING_KEYS[table] and GROUPING_KEYS[table][name].python in (datetime, date):
        return filters.value_or_ref("TimeGrain!", filters.chance.one(GRAINS))
    return filters.value_or_ref("GroupByEach!", "EACH")


def _numbers(table: str) -> list[str]:
    """Return the columns with numbers, those with money converted and several times."""
    columns = AGGREGATED[table].items()
    plain = [name for name, column in columns if column.python in (int, Decimal) and not column.note.currency]
    return [*plain, *(name for name in CONVERTED[table] for _ in range(3))]


def _having(filters: Filters, table: str, levels: int) -> Row:
    chance = filters.chance
    match chance.integer(0, 5 if levels else 2):
        case 0:
            return {"count": _comparisons(filters, "Int", COUNTS)}
        case 1 | 2:
            if not _numbers(table):
                return {}
            function = chance.one(["sum", "avg", "min", "max"])
            return {function: {chance.one(_numbers(table)): _comparisons(filters, "Decimal", NUMBERS)}}
        case 3 | 4:
            return {"not": _having(filters, table, levels - 1)}
    key = chance.one(["and", "or"])
    return {key: list(chance.several(0, 2, lambda: _having(filters, table, levels - 1)))}


def _comparisons(filters: Filters, of_type: str, values: tuple[Any, ...]) -> Row:
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
            return {"count": filters.direction()}
        case 1:
            return {"key": {chance.one(names): filters.direction()}}
    if not _numbers(table):
        return {"count": filters.direction()}
    return {chance.one(["sum", "avg", "min", "max"]): {chance.one(_numbers(table)): filters.direction()}}

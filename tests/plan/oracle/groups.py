"""Groups of rows: the groups there are, those that meet a `having`, and their order."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from schema.vocab import Currency
from tests.plan.oracle.aggregates import comparable_value
from tests.plan.oracle.conversion import CONVERTED_KEY
from tests.plan.oracle.filters import OPERATORS
from tests.plan.oracle.orders import compare_values
from tests.plan.oracle.shapes import AGGREGATED, CONVERTED, Row

Calendar = tuple[str, str, int]  # the time zone, the first day of the week, and the first month of the fiscal year
Values = tuple[Any, ...]
Groups = dict[Values, list[Row]]
Ranks = Mapping[Any, Any]  # of the values of a key

STAGE = "stage()"  # beside the columns of a contact: the parts of its present stage
DEFAULT_CALENDAR = ("UTC", "MONDAY", 1)


def group_rows(table: str, rows: Iterable[Row], keys: Sequence[Row], calendar: Calendar = DEFAULT_CALENDAR) -> Groups:
    """Return the rows by the values of their keys; instants and dates count by the first day of their bucket."""
    groups: Groups = {}
    for row in rows:
        values = (
            row[STAGE].get("key")
            if name == "stage" and table == "contact"
            else row[AGGREGATED[table][name].name]
            if grain == "EACH"
            else first_day(row[AGGREGATED[table][name].name], grain, calendar)
            for name, grain in _pairs(keys)
        )
        groups.setdefault(tuple(values), []).append(row)
    return groups


def first_day(value: datetime | date | None, grain: str, calendar: Calendar) -> date | None:
    """Return the first day of the bucket, found by stepping back day by day."""
    if value is None:
        return None
    day = value.astimezone(ZoneInfo(calendar[0])).date() if isinstance(value, datetime) else value
    begins_bucket: Callable[[date], bool] = {
        "DAY": lambda _: True,
        "WEEK": lambda candidate: candidate.strftime("%A").upper() == calendar[1],
        "MONTH": lambda candidate: candidate.day == 1,
        "QUARTER": lambda candidate: candidate.day == 1 and candidate.month in (1, 4, 7, 10),
        "YEAR": lambda candidate: candidate.day == candidate.month == 1,
        "FISCAL_QUARTER": lambda candidate: candidate.day == 1 and (candidate.month - calendar[2]) in range(-9, 12, 3),
        "FISCAL_YEAR": lambda candidate: candidate.day == 1 and candidate.month == calendar[2],
    }[grain]
    while not begins_bucket(day):
        day -= timedelta(days=1)
    return day


def meets_having(table: str, rows: list[Row], having: Mapping[str, Any]) -> bool:
    """Return whether a group meets a `having`; a null in place of a part is ignored."""
    return all(_holds(table, rows, key, value) for key, value in having.items() if value is not None)


def sort_groups(
    table: str, groups: Groups, keys: Sequence[Row], order: Sequence[Row], ranks: Mapping[str, Ranks] | None = None
) -> list[Values]:
    """Return the sorted groups: nulls last by default, money within its currency, ties broken by the keys.

    Keys are sorted by rank: words as declared, and others by `ranks`, which has ranks of values by key.
    """
    ranked = _word_ranks(table) | dict(ranks or {})
    positions = {name: position for position, (name, _) in enumerate(_pairs(keys))}

    def sorts(values: Values, name: str, direction: str) -> list[tuple[Any, str]]:
        """Return what a key is sorted by: stages and what else has a rank by their rank first."""
        value = values[positions[name]]
        if name != "stage" or table != "contact":
            return _key_terms(ranked.get(name), value, direction)
        found = [row[STAGE]["rank"] for row in groups[values] if row[STAGE]]
        return [(max(found, default=None), direction), (value, direction)]

    def terms(values: Values) -> list[tuple[Any, str]]:
        found: list[tuple[Any, str]] = []
        for function, argument in _pairs(order):
            if function == "count":
                found.append((len(groups[values]), argument))
                continue
            ((name, direction),) = argument.items()
            if function == "key":
                found += sorts(values, name, direction)
            else:
                currency, value = comparable_value(groups[values], function, table, name)
                found += [(currency, direction.replace("DESC", "ASC")), (value, direction)]
        return [*found, *(sort for name in positions for sort in sorts(values, name, "ASC"))]

    def compare(one: Values, other: Values) -> int:
        pairs = zip(terms(one), terms(other), strict=True)
        compared = (compare_values(left, right, direction) for (left, direction), (right, _) in pairs)
        return next(filter(None, compared), 0)

    return sorted(groups, key=functools.cmp_to_key(compare))


def _word_ranks(table: str) -> dict[str, Ranks]:
    vocabularies = {name: column.note.vocab for name, column in AGGREGATED[table].items()}
    return {
        name: {str(word): position for position, word in enumerate(words)}
        for name, words in vocabularies.items()
        if words is not None and words is not Currency
    }


def _key_terms(ranks: Ranks | None, value: Any, direction: str) -> list[tuple[Any, str]]:  # noqa: ANN401 - a key's value
    return [(value, direction)] if ranks is None else [(ranks.get(value), direction), (value, direction)]


def _pairs(objects: Iterable[Row]) -> list[tuple[str, Any]]:
    return [pair for one in objects for pair in one.items()]


def _holds(table: str, rows: list[Row], key: str, value: Any) -> bool:  # noqa: ANN401 - a `having` of any shape
    match key:
        case "and":
            return all(meets_having(table, rows, part) for part in value)
        case "or":
            return any(meets_having(table, rows, part) for part in value)
        case "not":
            return not meets_having(table, rows, value)
        case "count":
            return all(_satisfies(operator, len(rows), operand) for operator, operand in value.items())
    return all(
        _aggregate_satisfies(table, rows, key, name, comparisons)
        for name, comparisons in value.items()
        if comparisons is not None
    )


def _aggregate_satisfies(table: str, rows: list[Row], function: str, name: str, comparisons: Row) -> bool:
    value = comparable_value(rows, function, table, name)[1]
    key = (
        CONVERTED_KEY.format(CONVERTED[table][name].name) if name in CONVERTED[table] else AGGREGATED[table][name].name
    )
    is_missing = all(row[key] is None for row in rows)
    return all(
        is_missing == operand if operator == "isNull" else value is not None and _satisfies(operator, value, operand)
        for operator, operand in comparisons.items()
    )


def _satisfies(operator: str, value: Any, operand: Any) -> bool:  # noqa: ANN401 - numbers, or decimals as text
    if operator == "isNull":
        return not operand  # a number of rows is never null
    operands = [Decimal(item) for item in operand] if operator == "in" else Decimal(operand)
    return OPERATORS[operator](Decimal(value), operands)

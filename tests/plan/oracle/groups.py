"""Rows in groups: which there are, which are asked for, in which order."""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from tests.plan.oracle.figures import comparable
from tests.plan.oracle.filters import TESTS
from tests.plan.oracle.orders import compared
from tests.plan.oracle.shapes import NAMED, Row

Calendar = tuple[str, str]  # a time zone, and the day that weeks begin with
Values = tuple[Any, ...]
Groups = dict[Values, list[Row]]

PLAIN_CALENDAR = ("UTC", "MONDAY")


def grouped(table: str, rows: Iterable[Row], keys: Sequence[Row], calendar: Calendar = PLAIN_CALENDAR) -> Groups:
    """The rows by the values of the keys; of instants and days, by the bucket they are in."""
    found: Groups = {}
    for row in rows:
        values = (
            row[NAMED[table][name].name] if way == "EACH" else bucket(row[NAMED[table][name].name], way, calendar)
            for name, way in _pairs(keys)
        )
        found.setdefault(tuple(values), []).append(row)
    return found


def bucket(value: datetime | date | None, grain: str, calendar: Calendar) -> date | None:
    """The first day of the bucket, day by day."""
    if value is None:
        return None
    day = value.astimezone(ZoneInfo(calendar[0])).date() if isinstance(value, datetime) else value
    is_first: Callable[[date], bool] = {
        "DAY": lambda _: True,
        "WEEK": lambda it: it.strftime("%A").upper() == calendar[1],
        "MONTH": lambda it: it.day == 1,
        "QUARTER": lambda it: it.day == 1 and it.month in (1, 4, 7, 10),
        "YEAR": lambda it: it.day == it.month == 1,
    }[grain]
    while not is_first(day):
        day -= timedelta(days=1)
    return day


def holds(table: str, rows: list[Row], having: Mapping[str, Any]) -> bool:
    """Whether a group is asked for; a null in place of a part is none."""
    return all(_part_holds(table, rows, key, value) for key, value in having.items() if value is not None)


def in_order(table: str, groups: Groups, keys: Sequence[Row], order: Sequence[Row]) -> list[Values]:
    """The groups sorted: missing values last or as asked, money within its currency, what is equal by the keys."""
    places = {name: place for place, (name, _) in enumerate(_pairs(keys))}

    def terms(values: Values) -> list[tuple[Any, str]]:
        found: list[tuple[Any, str]] = []
        for function, value in _pairs(order):
            if function == "count":
                found.append((len(groups[values]), value))
                continue
            ((name, way),) = value.items()
            if function == "key":
                found.append((values[places[name]], way))
            else:
                currency, own = comparable(groups[values], function, NAMED[table][name])
                found += [(currency, way.replace("DESC", "ASC")), (own, way)]
        return [*found, *((value, "ASC") for value in values)]

    def compare(one: Values, other: Values) -> int:
        pairs = zip(terms(one), terms(other), strict=True)
        return next(filter(None, (compared(left, right, way) for (left, way), (right, _) in pairs)), 0)

    return sorted(groups, key=functools.cmp_to_key(compare))


def _pairs(each: Iterable[Row]) -> list[tuple[str, Any]]:
    return [pair for one in each for pair in one.items()]


def _part_holds(table: str, rows: list[Row], key: str, value: Any) -> bool:  # noqa: ANN401 - a test of any shape
    match key:
        case "and":
            return all(holds(table, rows, each) for each in value)
        case "or":
            return any(holds(table, rows, each) for each in value)
        case "not":
            return not holds(table, rows, value)
        case "count":
            return all(_wanted(operator, len(rows), wanted) for operator, wanted in value.items())
    return all(_passes(table, rows, key, name, tests) for name, tests in value.items() if tests is not None)


def _passes(table: str, rows: list[Row], function: str, name: str, tests: Row) -> bool:
    column = NAMED[table][name]
    own = comparable(rows, function, column)[1]
    is_missing = all(row[column.name] is None for row in rows)
    return all(
        is_missing == wanted if operator == "isNull" else own is not None and _wanted(operator, own, wanted)
        for operator, wanted in tests.items()
    )


def _wanted(operator: str, own: Any, wanted: Any) -> bool:  # noqa: ANN401 - numbers, or decimals as text
    if operator == "isNull":
        return not wanted  # of a number of rows: there always is one
    return TESTS[operator](Decimal(own), [Decimal(each) for each in wanted] if operator == "in" else Decimal(wanted))

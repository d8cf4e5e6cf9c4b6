"""Sorting of rows: nulls last by default; ties are broken by the key of the table, in the last term's direction."""

import functools
import json
from collections.abc import Iterable
from typing import Any

from schema.vocab import Currency
from tests.plan.oracle.filters import list_aggregate, rows_that_count
from tests.plan.oracle.inputs import RejectedError
from tests.plan.oracle.records import Records
from tests.plan.oracle.shapes import COLUMNS, CONVERTED, KEYS, LINKS, LISTS, Row

# The names of links, then that of a column; or that of a list, and its argument without the direction, as JSON.
Path = tuple[str, ...]


class Order:
    """The total order of a table's rows that an `orderBy` requests."""

    def __init__(self, records: Records, table: str, terms: Iterable[Row]) -> None:
        self._records = records
        self._table = table
        self._directions: dict[Path, str] = {}
        for term in terms:
            path, direction = _path(table, term)
            self._directions.setdefault(path, direction)  # the first of two equal paths counts
        self._last = next(reversed(self._directions.values()), "ASC")

    def sorted(self, rows: Iterable[Row]) -> list[Row]:
        """Return the rows in order."""
        return sorted(rows, key=functools.cmp_to_key(self.compare))

    def compare(self, one: Row, other: Row) -> int:
        """Return a negative number if the first row comes first, a positive one if the other does, 0 if equal."""
        pairs = [
            (self._value(one, path), self._value(other, path), direction)
            for path, direction in self._directions.items()
        ]
        pairs += [(one[key], other[key], self._last) for key in KEYS[self._table]]
        return next(filter(None, (compare_values(*pair) for pair in pairs)), 0)

    def _value(self, start: Row, path: Path) -> Any:  # noqa: ANN401 - a column's value
        """Return the value at the end of a path of links; None if a link leads to no visible record."""
        row: Row | None = start
        table, names = self._table, list(path)
        while names[0] in LINKS[table]:
            if row is None:
                return None
            link = names.pop(0)
            row, table = self._records.linked(table, row, link), LINKS[table][link][1]
        if row is None:
            return None
        if names[0] == "stage" and table == "contact":
            return self._records.present_stage(row).get(names[1])
        if names[0] in LISTS[table]:
            argument = json.loads(names[1])
            rows = rows_that_count(self._records, table, row, names[0], argument)
            return list_aggregate(self._records, LISTS[table][names[0]][0], rows, *argument["by"])
        last = names[0]
        if last in CONVERTED[table]:
            return self._records.conversion.converted(row, CONVERTED[table][last])
        column = COLUMNS[table][last]
        words, value = column.note.vocab, row[column.name]
        return value if words in (None, Currency) or value is None else list(words or ()).index(value)


def compare_values(left: Any, right: Any, direction: str) -> int:  # noqa: ANN401 - two of a column's values
    """Return a negative number if the left value comes first, a positive one if the right does, 0 for equal values."""
    if left == right:
        return 0
    if left is None or right is None:
        return (1 if left is None else -1) * (-1 if direction.endswith("NULLS_FIRST") else 1)
    return (-1 if left < right else 1) * (-1 if direction.startswith("DESC") else 1)


def _path(table: str, term: Row) -> tuple[Path, str]:
    ((key, value),) = term.items()
    if key in LINKS[table]:
        path, direction = _path(LINKS[table][key][1], value)
        return (key, *path), direction
    if key == "stage" and table == "contact":
        ((part, direction),) = value.items()
        return (key, part), direction
    if key not in LISTS[table]:
        return (key,), value
    aggregates = [(name, named) for name, named in value.items() if name != "where" and named is not None]
    if len(aggregates) != 1:
        raise RejectedError("BAD_INPUT")
    ((function, named),) = aggregates
    by, direction = [function], named
    if function != "count":
        ((field, direction),) = named.items()
        by = [function, field]
    return (key, json.dumps({"where": value.get("where") or {}, "by": by}, sort_keys=True)), direction

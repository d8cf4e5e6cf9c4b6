"""Rows sorted: empty values last unless they are to be first, what is equal by key, the last term's way."""

import functools
from collections.abc import Iterable, Sequence
from typing import Any

from tests.plan.oracle.records import Records
from tests.plan.oracle.shapes import COLUMNS, KEYS, LINKS, Row

Path = tuple[str, ...]


class Order:
    """The total order of the rows of a table that an `orderBy` asks for."""

    def __init__(self, records: Records, table: str, terms: Iterable[Row]) -> None:
        self._records = records
        self._table = table
        self._ways: dict[Path, str] = {}
        for term in terms:
            *path, way = _flat(term)
            self._ways.setdefault(tuple(path), way)  # named twice, it sorts where it is named first
        self._last = next(reversed(self._ways.values()), "ASC")

    def sorted(self, rows: Iterable[Row]) -> list[Row]:
        """The rows in order."""
        return sorted(rows, key=functools.cmp_to_key(self.compare))

    def compare(self, one: Row, other: Row) -> int:
        """Below zero where one comes before the other, above where it comes behind; rows are equal to themselves."""
        pairs = [(self._reach(one, path), self._reach(other, path), way) for path, way in self._ways.items()]
        pairs += [(one[key], other[key], self._last) for key in KEYS[self._table]]
        return next(filter(None, (compared(*each) for each in pairs)), 0)

    def _reach(self, start: Row, path: Path) -> Any:  # noqa: ANN401 - a column's value
        """The value at the end of a way of links."""
        *links, last = path
        row: Row | None = start
        table = self._table
        for link in links:
            if row is None:
                return None
            row, table = self._records.linked(table, row, link), LINKS[table][link][1]
        return None if row is None else row[COLUMNS[table][last].name]


def compared(left: Any, right: Any, way: str) -> int:  # noqa: ANN401 - two of a column's values
    """Below zero where the left value comes first, above where the right one does."""
    if left == right:
        return 0
    if left is None or right is None:
        return (1 if left is None else -1) * (-1 if way.endswith("NULLS_FIRST") else 1)
    return (-1 if left < right else 1) * (-1 if way.startswith("DESC") else 1)


def _flat(term: Row) -> Sequence[str]:
    ((key, value),) = term.items()
    return [key, *(_flat(value) if isinstance(value, dict) else [value])]

"""What one statement keeps while it is written: the names of its tables, who asks, and as of when."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from api.access.as_of import is_dated, record, rows_at
from api.access.principal import Principal
from api.access.scope import scope
from api.sql import Slot, Sql, all_of, name

_NO_JOINS = Sql("")


@dataclass(frozen=True, slots=True)
class ScopedTables:
    """The tables that a statement visits. None is visited but through here, where its scope is part of it."""

    who: Principal
    at: Sql | None = None
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def as_of(self, instant: datetime | Slot | None) -> "ScopedTables":
        """The visits of the same statement that see the rows as they were at an instant; None: as they are now."""
        return replace(self, at=None if instant is None else Sql("{}::timestamptz", instant))

    def alias(self) -> str:
        """The next name: t1, t2 … in the order they are met."""
        return f"t{next(self._numbers)}"

    def source(self, table: str, alias: str, *conditions: Sql, joins: Sql = _NO_JOINS) -> Sql:
        """The `from` clause of the rows of a table that meet the conditions and may be seen."""
        where, rows = list(conditions), name(table)
        if self.at is not None and is_dated(table):
            rows = rows_at(table, alias, self.at, scope(table, record(alias), self.who, self.at))
        else:
            where += scope(table, alias, self.who, self.at)
        found = Sql(" from {} {}{}", rows, name(alias), joins)
        return found + Sql(" where {}", all_of(where)) if where else found

    def hides_rows(self, table: str) -> bool:
        """Whether some rows of a table may not be seen."""
        return bool(scope(table, "t", self.who)) or (self.at is not None and is_dated(table))


def of(alias: str, column: str) -> Sql:
    """A column of a visited table."""
    return Sql("{}.{}", name(alias), name(column))

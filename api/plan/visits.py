"""What one statement keeps while it is written: the names of its tables, and who asks."""

from dataclasses import dataclass, field
from itertools import count

from api.access.principal import Principal
from api.access.scope import scope
from api.sql import Sql, all_of, name

_NO_JOINS = Sql("")


@dataclass(frozen=True, slots=True)
class Visits:
    """The tables that a statement visits. None is visited but through here, where its scope is part of it."""

    who: Principal
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def alias(self) -> str:
        """The next name: t1, t2 … in the order they are met."""
        return f"t{next(self._numbers)}"

    def source(self, table: str, alias: str, *conditions: Sql, joins: Sql = _NO_JOINS) -> Sql:
        """The `from` clause of the rows of a table that meet the conditions and may be seen."""
        where = [*conditions, *scope(table, alias, self.who)]
        found = Sql(" from {} {}{}", name(table), name(alias), joins)
        return found + Sql(" where {}", all_of(where)) if where else found

    def hides_rows(self, table: str) -> bool:
        """Whether some rows of a table may not be seen."""
        return bool(scope(table, "t", self.who))


def of(alias: str, column: str) -> Sql:
    """A column of a visited table."""
    return Sql("{}.{}", name(alias), name(column))

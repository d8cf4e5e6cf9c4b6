"""The tables that one statement reads: their aliases, and the rows and fields of them that the principal may read.

Every `from` clause of the planner comes from `ScopedTables.from_clause`. A statement that is composed this way cannot
read a row that the principal does not reach, whatever the query selects, filters by or sorts by. Before the planner
reads a column that the request names, it calls `withholds` for a value of the response, and `require` for any other
use.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import count

from api.access.as_of import changes_over_time, record_alias, rows_as_of
from api.access.evaluation import CURRENT_EVALUATION
from api.access.field_rights import coordinate, may_read, needs_personal_data, require_table
from api.access.merged_facts import is_fact_of, names_survivor_or_merged
from api.access.principal import Principal
from api.access.scope import scope_conditions, unmerged_conditions
from api.identity.ids import instant_suffix
from api.sql import Parameter, Sql, all_of, converted, name

# Conditions on the row with an alias.
StoredConditions = Callable[[str], Iterable[Sql]]

_NO_JOINS = Sql("")
_ANY_ROW: StoredConditions = lambda _alias: ()  # noqa: E731 - a constant


@dataclass(frozen=True, slots=True)
class ScopedTables:
    """The state of one statement while it is composed: the principal, the instant it reads as of, and the next alias.

    `instant` is None for the current rows. `id_suffix` is the end of the ids of the rows as of the instant, a text.
    `redacted` collects the fields that the statement returns as null because the principal may not read them.
    With `reads_merged`, lists of facts have those of merged contacts, too.
    """

    principal: Principal
    instant: Sql | None = None
    id_suffix: Sql | None = None
    redacted: set[str] = field(default_factory=set)
    reads_merged: bool = False
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def as_of(self, instant: datetime | Parameter | None) -> "ScopedTables":
        """Return the tables of the same statement as of an instant; None for the current rows.

        Aliases stay unique in the statement: both values draw them from the same counter. They share `redacted`, too.
        """
        if instant is None:
            return replace(self, instant=None, id_suffix=None)
        suffix = Sql("{}::text", converted(instant, instant_suffix))
        return replace(self, instant=Sql("{}::timestamptz", instant), id_suffix=suffix)

    def new_alias(self) -> str:
        """Return an alias that is unique in the statement: t1, t2 … in the order of the calls."""
        return f"t{next(self._numbers)}"

    def refers_to(self, table: str, column: str, alias: str, record: str) -> Sql:
        """Return the condition that a row of a table belongs to a list of a record: it names it, or one merged into it.

        Shapes: foreign key, alias of the row, alias of the record -> a condition.
        Errors: KeyError for an unknown table or column.
        """
        named, id_ = qualified(alias, column), qualified(record, "id")
        if self.reads_merged and is_fact_of(table, column):
            return names_survivor_or_merged(named, id_)
        return Sql("{} = {}", named, id_)

    def from_clause(
        self,
        table: str,
        alias: str,
        *conditions: Sql,
        joins: Sql = _NO_JOINS,
        stored: StoredConditions = _ANY_ROW,
        with_merged: bool = False,
        evaluation: Sql = CURRENT_EVALUATION,
    ) -> Sql:
        """Return ` from … where …` for the rows of a table that the principal reaches and that meet the conditions.

        A list leaves out the records that were merged into another one. A record that an id or a link names is read
        `with_merged`. Stage entries are those of the `evaluation`.

        Shapes: table, alias, conditions on that alias -> a clause with a leading space. `joins` follows the table; its
                tables have to come from `from_clause`, too. `stored` returns conditions on the stored values of a
                row: as of an instant, they apply to the current row and not to the values of that instant.
        Errors: NOT_ALLOWED if the table needs a permission that the principal does not have; KeyError for an unknown
        table.
        """
        require_table(self.principal, table)
        where, rows = list(conditions), name(table)
        if self.instant is not None and changes_over_time(table):
            # The scope moves into the subquery: it applies to the current row of the record, and the subquery exposes
            # the values as of the instant.
            current = record_alias(alias)
            rows = rows_as_of(
                table, alias, self.instant, self._of_stored_row(table, current, stored, with_merged, evaluation)
            )
        else:
            where += self._of_stored_row(table, alias, stored, with_merged, evaluation)
        clause = Sql(" from {} {}{}", rows, name(alias), joins)
        return clause + Sql(" where {}", all_of(where)) if where else clause

    def _of_stored_row(
        self, table: str, row: str, stored: StoredConditions, with_merged: bool, evaluation: Sql
    ) -> Iterable[Sql]:
        """Return the conditions on the stored values of a row that is known as `row`."""
        is_unmerged = () if with_merged else unmerged_conditions(table, row)
        return (*scope_conditions(table, row, self.principal, evaluation), *is_unmerged, *stored(row))

    def withholds(self, table: str, column: str) -> bool:
        """Return whether the response has null in place of a column, and note that in `redacted`.

        Errors: KeyError for an unknown table.
        """
        if may_read(self.principal, table, column):
            return False
        self.redacted.add(coordinate(table, column))
        return True

    def require(self, table: str, column: str, use: str) -> None:
        """Require that the principal may read a column, for a use that would reveal its values.

        Shapes: table, column, the use as a verb for the error, such as `sorts by`.
        Errors: NOT_ALLOWED; KeyError for an unknown table.
        """
        if not may_read(self.principal, table, column):
            raise needs_personal_data(table, column, use)

    def hides_rows(self, table: str) -> bool:
        """Return whether links to some rows of a table can be invisible to the principal as of the instant.

        If not, a foreign key may be returned without reading the row that it names.

        Errors: KeyError for an unknown table.
        """
        return bool(scope_conditions(table, "t", self.principal)) or (
            self.instant is not None and changes_over_time(table)
        )


def qualified(alias: str, column: str) -> Sql:
    """Return a column name qualified with the alias of its table.

    Errors: ValueError if a name is not a plain SQL name.
    """
    return Sql("{}.{}", name(alias), name(column))

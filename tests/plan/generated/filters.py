"""Filters and orders made up from the tables: of values that rows have, of nothing, through links."""

from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from graphql import GraphQLInputObjectType

from tests.plan.generated.variables import Ref, Variables
from tests.plan.oracle.executor import contract
from tests.plan.oracle.shapes import COLUMNS, LINKS, LISTS, VISIBLE, Row, Rows
from tests.support.graphql import uid
from tests.support.random_choices import RandomChoices

WAYS = ("ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_FIRST")
Part = tuple[str, Any]

_SOME: dict[type, object] = {
    str: "a",
    int: 1,
    bool: True,
    Decimal: "1.5",
    datetime: "2026-01-01T00:00:00Z",
    date: "2026-01-01",
}


class Filters:
    """Makes up filters and orders. With variables, parts of them may be some; without, they are plain JSON."""

    def __init__(self, chance: RandomChoices, rows: Rows, variables: Variables | None = None) -> None:
        self.chance = chance
        self.rows = rows
        self.variables = variables

    def where(self, table: str, steps: int = 3) -> Row:
        """A filter through at most so many links and brackets; seldom an empty one."""
        least = 0 if self.chance.happens(6) else 1
        return dict(
            part for part in self.chance.several(least, 2, lambda: self._part(table, steps)) if part is not None
        )

    def order(self, table: str) -> list[Row]:
        """What to sort by."""
        return list(self.chance.several(0, 3, lambda: self._term(table, 2)))

    def way(self) -> object:
        """A direction, or a variable that has it."""
        return self.value_or_ref("SortDirection!", self.chance.one(WAYS))

    def id(self, table: str) -> str:
        """The id of a row, or of none."""
        rows = self.rows[table]
        key = self.chance.one(rows)["id"] if rows and not self.chance.happens(8) else uid(999_999)
        return f"{table}_{key}"

    def value_or_ref(self, of_type: str, value: object) -> object:
        """A value, or a variable that has it."""
        return value if self.variables is None else self.variables.ref(of_type, value)

    # ----------------------------------------------------------------------------------------------------- parts

    def _part(self, table: str, steps: int) -> Part | None:
        ways: list[Callable[[str, int], Part | None]] = [self._of_column] * 4
        if steps:
            ways += [self._combined, self._through_link, self._through_list]
        return self.chance.one(ways)(table, steps)

    def _combined(self, table: str, steps: int) -> Part:
        key = self.chance.one(["and", "or", "not"])
        if key == "not":
            return key, self.where(table, steps - 1)
        return key, list(self.chance.several(0, 2, lambda: self.where(table, steps - 1)))

    def _through_link(self, table: str, steps: int) -> Part | None:
        if not LINKS[table]:
            return self._of_column(table, steps)
        key = self.chance.one(sorted(LINKS[table]))
        target = LINKS[table][key][1]
        if self.variables is not None and self.chance.happens(6):
            return self._nothing(self.variables, key, f"{VISIBLE[target].type_name}Where")
        return key, self.where(target, steps - 1)

    def _through_list(self, table: str, steps: int) -> Part | None:
        if not LISTS[table]:
            return self._of_column(table, steps)
        key = self.chance.one(sorted(LISTS[table]))
        other = LISTS[table][key][0]
        quantifiers = self.chance.several(1, 2, lambda: self.chance.one(["some", "none", "every"]))
        return key, {each: self.where(other, steps - 1) for each in quantifiers}

    def _nothing(self, variables: Variables, key: str, of_type: str) -> Part | None:
        """A part of a filter that is null or not there."""
        found = variables.nothing(of_type)
        return None if found is None else (key, None if found == "null" else Ref(found[1:]))

    # --------------------------------------------------------------------------------------------------- columns

    def _of_column(self, table: str, _steps: int) -> Part:
        key = self.chance.one(sorted(COLUMNS[table]))
        types = operators_of(table, key)
        operators = [*types, *(each for each in types if each in ("contains", "startsWith"))]
        least = 0 if self.chance.happens(6) else 1
        tests = self.chance.several(
            least, 2, lambda: self._test(table, key, operator := self.chance.one(operators), types[operator])
        )
        return key, dict(tests)

    def _test(self, table: str, key: str, operator: str, of_type: str) -> Part:
        if self.variables is not None and self.variables.may_grow and self.chance.happens(12):
            return operator, Ref(self.variables.new(of_type))  # absent: no test
        value: object
        if operator == "isNull":
            value = self.chance.happens(2)
        elif operator == "in":
            value = list(self.chance.several(0, 3, lambda: self._value(table, key)))
        else:
            value = self._value(table, key)
        return operator, self.value_or_ref(of_type, value)

    def _value(self, table: str, key: str) -> object:
        """Something to compare a column with: mostly what some row has."""
        column = COLUMNS[table][key]
        if column.link is not None or column.name == "id":
            return self.id(column.link.target if column.link else table)
        values = sorted({row[column.name] for row in self.rows[table]} - {None})
        if not values:
            return _SOME[column.python] if column.note.vocab is None else str(next(iter(column.note.vocab)))
        found = self.chance.one(values)
        if isinstance(found, str) and column.note.vocab is None:
            return found[: self.chance.integer(0, len(found))] if self.chance.happens(3) else found
        return as_input(found)

    def _term(self, table: str, steps: int) -> Row:
        links = sorted(LINKS[table])
        if steps and links and self.chance.happens(3):
            key = self.chance.one(links)
            return {key: self._term(LINKS[table][key][1], steps - 1)}
        return {
            self.chance.one(
                [each for each, column in sorted(COLUMNS[table].items()) if column.link is None]
            ): self.way()
        }


def operators_of(table: str, key: str) -> dict[str, str]:
    """The operators that a column is tested with, and the types of what they compare with."""
    where = contract().type_map[f"{VISIBLE[table].type_name}Where"]
    assert isinstance(where, GraphQLInputObjectType)
    tests = where.fields[key].type
    assert isinstance(tests, GraphQLInputObjectType)
    return {name: str(each.type) for name, each in tests.fields.items()}


def as_input(value: object) -> object:
    """A value of a column as a client gives it."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
    return value

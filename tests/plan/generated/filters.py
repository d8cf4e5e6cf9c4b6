"""Generator of filters and orders: operands are mostly values of rows; some parts are null, some follow links."""

from collections.abc import Callable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from graphql import GraphQLInputObjectType

from api.plan.value_checks.known_values import CLOSED_COLUMNS, FREE_TEXTS, RECORD_SETS
from tests.plan.generated.variables import VariableRef, Variables
from tests.plan.oracle.executor import contract
from tests.plan.oracle.shapes import (
    COLUMNS,
    CONVERTED,
    COUNTED,
    LINKS,
    LISTED_AGGREGATES,
    LISTS,
    MERGED_LISTS,
    STAGE_PARTS,
    VISIBLE,
    Row,
    Rows,
)
from tests.support.graphql import uid
from tests.support.random_choices import RandomChoices

DIRECTIONS = ("ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_FIRST")
UNORDERED = ("eq", "in", "isNull")
Entry = tuple[str, Any]  # of an input object

_DEFAULT_OPERANDS: dict[type, object] = {
    str: "a",
    int: 1,
    bool: True,
    Decimal: "1.5",
    datetime: "2026-01-01T00:00:00Z",
    date: "2026-01-01",
}


class Filters:
    """Generates filters and orders as JSON. With `variables`, parts of them may be variables."""

    def __init__(self, chance: RandomChoices, rows: Rows, variables: Variables | None = None) -> None:
        self.chance = chance
        self.rows = rows
        self.variables = variables
        self.is_about_merges = False  # whether the rows that a filter is for may be merged ones
        self._is_of_link = False

    def where(self, table: str, levels: int = 3) -> Row:
        """Return a filter that nests at most so many links and combinations; rarely an empty one."""
        least = 0 if self.chance.happens(6) else 1
        return dict(
            entry for entry in self.chance.several(least, 2, lambda: self._entry(table, levels)) if entry is not None
        )

    def order(self, table: str) -> list[Row]:
        """Return an order of at most three terms."""
        return list(self.chance.several(0, 3, lambda: self._term(table, 2)))

    def direction(self) -> object:
        """Return a sort direction, or a variable with one."""
        return self.value_or_ref("SortDirection!", self.chance.one(DIRECTIONS))

    def id(self, table: str) -> str:
        """Return the id of a row; sometimes an id without a row."""
        rows = self.rows[table]
        has_row = rows and (table in RECORD_SETS or not self.chance.happens(8))
        key = self.chance.one(rows)["id"] if has_row else uid(999_999)
        return f"{table}_{key}"

    def value_or_ref(self, of_type: str, value: object) -> object:
        """Return a value, or a variable with this value."""
        return value if self.variables is None else self.variables.ref(of_type, value)

    # ----------------------------------------------------------------------------------------------------- parts

    def _entry(self, table: str, levels: int) -> Entry | None:
        generators: list[Callable[[str, int], Entry | None]] = [self._of_column] * 4
        if self._is_of_link:
            generators.append(self._presence)
        if table == "contact":
            generators.append(self._of_stage)
        if table in COUNTED:
            generators.append(self._of_counted)
        if levels:
            generators += [self._combination, self._through_link, self._through_list]
        return self.chance.one(generators)(table, levels)

    def _combination(self, table: str, levels: int) -> Entry:
        key = self.chance.one(["and", "or", "not"])
        if key == "not":
            return key, self.where(table, levels - 1)
        return key, list(self.chance.several(0, 2, lambda: self.where(table, levels - 1)))

    def _through_link(self, table: str, levels: int) -> Entry | None:
        keys = self._without_merges(LINKS[table])
        if not keys:
            return self._of_column(table, levels)
        key = self.chance.one(keys)
        target = LINKS[table][key][1]
        if self.variables is not None and self.variables.may_grow and self.chance.happens(6):
            return key, VariableRef(self.variables.new(f"{VISIBLE[target].type_name}Where"))  # without a value
        return key, self._where_within(target, levels - 1, is_of_link=True, is_about_merges=True)

    def _presence(self, _table: str, _levels: int) -> Entry:
        """Return the condition of a link that there is a record, or that there is none."""
        return "isNull", self.value_or_ref("Boolean", self.chance.happens(2))

    def _where_within(self, table: str, levels: int, *, is_of_link: bool, is_about_merges: bool) -> Row:
        """Return the filter of a linked record or of the rows of a list within a filter."""
        before = self._is_of_link, self.is_about_merges
        self._is_of_link, self.is_about_merges = is_of_link, is_about_merges
        found = self.where(table, levels)
        self._is_of_link, self.is_about_merges = before
        return found

    def _without_merges(self, keys: Iterable[str]) -> list[str]:
        """Return the keys that a filter may use: a list without merged rows is not filtered by their survivors."""
        return sorted(key for key in keys if self.is_about_merges or not key.startswith("mergedInto"))

    def _through_list(self, table: str, levels: int) -> Entry | None:
        if not LISTS[table]:
            return self._of_column(table, levels)
        key = self.chance.one(sorted(LISTS[table]))
        other = LISTS[table][key][0]
        has_merged = key in MERGED_LISTS
        tests = dict(self.chance.several(1, 2, lambda: self._list_test(other, levels, has_merged=has_merged)))
        return key, self._counted(other, levels, has_merged=has_merged) | tests

    def _list_test(self, table: str, levels: int, *, has_merged: bool) -> Entry:
        """Return a condition on the rows of a list: a quantifier or an aggregate."""
        aggregates = [name for name, columns in LISTED_AGGREGATES[table].items() if columns]
        test = self.chance.one(["some", "none", "every", "count", *aggregates])
        if test in ("some", "none", "every"):
            return test, self._where_within(table, levels - 1, is_of_link=False, is_about_merges=has_merged)
        if test == "count":
            operator = self.chance.one(["eq", "lt", "lte", "gt", "gte"])
            return test, {operator: self.value_or_ref("Int", self.chance.integer(0, 3))}
        key, column = self.chance.one(sorted(LISTED_AGGREGATES[table][test].items()))
        of_type = "Decimal" if test in ("sum", "avg") or key in CONVERTED[table] else operators_of(table, key)["eq"]
        values = [row[column.name] for row in self.rows[table] if row[column.name] is not None]
        operand = as_input(self.chance.one(values)) if values else _DEFAULT_OPERANDS[column.python]
        operators: dict[str, object] = {
            self.chance.one(["lt", "lte", "gt", "gte"]): self.value_or_ref(
                of_type, str(operand) if of_type == "Decimal" else operand
            )
        }
        if self.chance.happens(3):
            operators = {"isNull": self.value_or_ref("Boolean", self.chance.happens(2))}
        return test, {key: operators}

    def _counted(self, table: str, levels: int, *, has_merged: bool) -> Row:
        """Return a filter of the rows of a list that count, if there is one."""
        if not self.chance.happens(2):
            return {}
        return {"where": self._where_within(table, levels - 1, is_of_link=False, is_about_merges=has_merged)}

    # --------------------------------------------------------------------------------------------------- columns

    def _of_column(self, table: str, _levels: int) -> Entry:
        # Bare amounts are not compared by size: rows of several currencies would be rejected.
        key = self.chance.one(self._without_merges(COLUMNS[table] | CONVERTED[table]))
        return key, self._of_column_named(table, key)

    def _of_column_named(self, table: str, key: str) -> Row:
        is_bare_money = key in COLUMNS[table] and COLUMNS[table][key].note.currency is not None
        types = {name: of for name, of in operators_of(table, key).items() if not is_bare_money or name in UNORDERED}
        operators = [*types, *(operator for operator in types if operator in ("contains", "startsWith"))]
        least = 0 if self.chance.happens(6) else 1
        comparisons = self.chance.several(
            least, 2, lambda: self._comparison(table, key, operator := self.chance.one(operators), types[operator])
        )
        return dict(comparisons)

    def _of_stage(self, _table: str, _levels: int) -> Entry:
        """Return conditions on the present stage."""
        tests: Row = {"isNull": self.chance.happens(2)} if self.chance.happens(4) else {}
        for part in self.chance.several(0, 2, lambda: self.chance.one(sorted(STAGE_PARTS))):
            if part == "group":
                tests[part] = {"isNull": self.chance.happens(2)} if self.chance.happens(2) else {"eq": "Suspect"}
            else:
                tests[part] = self._of_column_named("stage_entry", STAGE_PARTS[part])
        return "stage", tests

    def _of_counted(self, _table: str, _levels: int) -> Entry:
        """Return conditions on whether KPIs count the record."""
        operator = self.chance.one(["eq", "eq", "isNull"])
        return "isCounted", {operator: self.value_or_ref("Boolean", self.chance.happens(2))}

    def _comparison(self, table: str, key: str, operator: str, of_type: str) -> Entry:
        if self.variables is not None and self.variables.may_grow and self.chance.happens(12):
            return operator, VariableRef(self.variables.new(of_type))  # without a value: no comparison
        value: object
        if operator != "isNull" and self._has_no_known_value(table, key):
            operator, of_type = "isNull", operators_of(table, key)["isNull"]
        if operator == "isNull":
            value = self.chance.happens(2)
        elif operator == "in":
            value = list(self.chance.several(0, 3, lambda: self._value(table, key)))
        else:
            value = self._value(table, key)
        return operator, self.value_or_ref(of_type, value)

    def _has_no_known_value(self, table: str, key: str) -> bool:
        """Return whether every value for a column would be rejected or warned of, because no row has any."""
        column = (COLUMNS[table] | CONVERTED[table])[key]
        target = column.link.target if column.link else table
        if target in RECORD_SETS and (column.link or column.name in ("id", "name")):
            return not self.rows[target]
        is_looked_up = (table, column.name) in {*CLOSED_COLUMNS, *FREE_TEXTS}
        return is_looked_up and all(row[column.name] is None for row in self.rows[table])

    def _value(self, table: str, key: str) -> object:
        """Return an operand for a column, mostly the value of some row."""
        column = (COLUMNS[table] | CONVERTED[table])[key]
        if column.link is not None or column.name == "id":
            return self.id(column.link.target if column.link else table)
        values = sorted({row[column.name] for row in self.rows[table]} - {None})
        if not values:
            return _DEFAULT_OPERANDS[column.python] if column.note.vocab is None else str(next(iter(column.note.vocab)))
        found = self.chance.one(values)
        if (table, column.name) in {*CLOSED_COLUMNS, *FREE_TEXTS, *((name, "name") for name in RECORD_SETS)}:
            return found  # part of such a value is rejected or warned of
        if isinstance(found, str) and column.note.vocab is None:
            return found[: self.chance.integer(0, len(found))] if self.chance.happens(3) else found
        return as_input(found)

    def _term(self, table: str, levels: int) -> Row:
        if LISTS[table] and self.chance.happens(3):
            key = self.chance.one(sorted(LISTS[table]))
            other = LISTS[table][key][0]
            functions = [name for name, columns in LISTED_AGGREGATES[other].items() if columns]
            function = self.chance.one(["count", *functions])
            by: object = self.direction()
            if function != "count":
                by = {self.chance.one(sorted(LISTED_AGGREGATES[other][function])): by}
            return {key: self._counted(other, 1, has_merged=key in MERGED_LISTS) | {function: by}}
        links = sorted(LINKS[table])
        if levels and links and self.chance.happens(3):
            key = self.chance.one(links)
            return {key: self._term(LINKS[table][key][1], levels - 1)}
        if table == "contact" and self.chance.happens(4):
            return {"stage": {self.chance.one(["key", "since", "rank", "occurrence"]): self.direction()}}
        columns = [name for name, column in COLUMNS[table].items() if column.link is None and not column.note.currency]
        return {self.chance.one(sorted([*columns, *CONVERTED[table]])): self.direction()}


def operators_of(table: str, key: str) -> dict[str, str]:
    """Return the operators of a column's filter, with the types of their operands."""
    where = contract().type_map[f"{VISIBLE[table].type_name}Where"]
    assert isinstance(where, GraphQLInputObjectType)
    filter_type = where.fields[key].type
    assert isinstance(filter_type, GraphQLInputObjectType)
    return {name: str(field.type) for name, field in filter_type.fields.items()}


def as_input(value: object) -> object:
    """Return a column's value as a client passes it."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
    return value

"""The values of closed sets that the filters of a selection name, and the check that they are known.

Only a selection whose filters name such values costs the statements of the check.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import cast
from uuid import UUID

from api.plan.known_values import (
    CLOSED_COLUMNS,
    RECORD_SETS,
    ReadValue,
    require_column_values,
    require_record_ids,
    require_record_names,
)
from api.plan.list_arguments import (
    Comparison,
    Condition,
    Conjunction,
    Disjunction,
    Negation,
    Operand,
    ToManyCondition,
    ToOneCondition,
)
from api.plan.selection import Connection, RootField
from api.sql import Parameter
from schema.tables import SHAPES

_RECORD_COLUMNS = ("id", "name")


@dataclass(frozen=True, slots=True)
class ClosedValues:
    """What a filter compares a column with: of a closed set, or `id` or `name` of linked records that are one.

    The operand is one value or a tuple, or a `Parameter` that an execution supplies.
    """

    table: str
    column: str
    operand: Operand

    def bound(self, parameters: Mapping[str, object]) -> "ClosedValues":
        """Return it with the value of one execution. Errors: those of the parameter's converters."""
        if not isinstance(self.operand, Parameter):
            return self
        return ClosedValues(self.table, self.column, cast("Operand", self.operand.value(parameters)))

    async def require(self, read: ReadValue) -> None:
        """Require that every value is known. Errors: UNKNOWN_VALUE with the nearest values."""
        given = self.operand if isinstance(self.operand, tuple) else (self.operand,)
        values = tuple(dict.fromkeys(given))
        if self.column == "id":
            await require_record_ids(read, self.table, cast("tuple[UUID, ...]", values))
        elif self.table in RECORD_SETS:
            await require_record_names(read, self.table, cast("tuple[str, ...]", values))
        else:
            await require_column_values(read, self.table, self.column, cast("tuple[str, ...]", values))


def closed_values(roots: Iterable[RootField]) -> tuple[ClosedValues, ...]:
    """Return the values of closed sets in all filters of the root fields, those of nested lists included."""
    return tuple(found for root in roots for found in _in_lists(root.selection))


async def require_known_values(read: ReadValue, values: Iterable[ClosedValues]) -> None:
    """Require that all values are known. Errors: UNKNOWN_VALUE for the first that is not."""
    for found in values:
        await found.require(read)


def _in_lists(node: object) -> Iterator[ClosedValues]:
    if isinstance(node, Connection) and node.page.where is not None:
        yield from _in_filter(node.page.where, node.table)
    if isinstance(node, tuple):
        for item in node:
            yield from _in_lists(item)
    elif is_dataclass(node) and not isinstance(node, Parameter):
        for field in fields(node):
            yield from _in_lists(getattr(node, field.name))


def _in_filter(where: Condition, table: str, *, is_linked: bool = False) -> Iterator[ClosedValues]:
    match where:
        case Conjunction(parts) | Disjunction(parts):
            for part in parts:
                yield from _in_filter(part, table, is_linked=is_linked)
        case Negation(part):
            yield from _in_filter(part, table, is_linked=is_linked)
        case ToOneCondition(column=column, part=part):
            link = SHAPES[table].column(column).link
            if link is not None:
                yield from _in_filter(part, link.target, is_linked=True)
        case ToManyCondition(table=other, part=part):
            yield from _in_filter(part, other)
        case Comparison(operator="eq" | "in"):
            yield from _in_comparison(where, table, is_linked=is_linked)


def _in_comparison(where: Comparison, table: str, *, is_linked: bool) -> Iterator[ClosedValues]:
    link = SHAPES[table].column(where.column).link
    if (table, where.column) in CLOSED_COLUMNS or (
        # A list of these records may be searched by any name; a link to them names one that has to exist.
        is_linked and table in RECORD_SETS and where.column in _RECORD_COLUMNS
    ):
        yield ClosedValues(table, where.column, where.value)
    elif link is not None and link.target in RECORD_SETS:
        yield ClosedValues(link.target, "id", where.value)

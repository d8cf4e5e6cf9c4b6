"""The values that the filters of a selection name: those of closed sets have to be known, free texts are looked up.

Only a selection whose filters name such values costs the statements of the check.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import cast
from uuid import UUID

from api.access.principal import Principal
from api.access.scope import scope_conditions
from api.access.scoped_tables import ScopedTables
from api.plan.list_arguments import (
    Comparison,
    Condition,
    Conjunction,
    Disjunction,
    ListAggregate,
    ListAggregateCondition,
    Negation,
    Operand,
    PresentStageCondition,
    ToManyCondition,
    ToOneCondition,
)
from api.plan.selection import Connection, RootField
from api.plan.value_checks.known_values import (
    CLOSED_COLUMNS,
    COUNTRIES,
    FREE_TEXTS,
    LINKED_TEXTS,
    RECORD_SETS,
    ReadValue,
    UnknownText,
    is_known,
    require_column_values,
    require_record_ids,
    require_record_names,
    unknown_text,
)
from api.sql import Parameter, Sql, all_of, converted, name
from schema.access.rights import Reach
from schema.countries import country_code
from schema.tables import SHAPES

_RECORD_COLUMNS = ("id", "name")


@dataclass(frozen=True, slots=True)
class NamedValues:
    """What a filter compares a column with: values of a closed set, or `id` or `name` of linked records that are one.

    Or with a free text, such as a lead source. The operand is one value or a tuple, or a `Parameter` that an execution
    supplies. `visible` are the conditions on the rows that can make a value known.
    """

    table: str
    column: str
    operand: Operand
    visible: tuple[Sql, ...] = ()

    @property
    def is_free_text(self) -> bool:
        """Whether any text is allowed, so that an unknown one is only warned of."""
        return (self.table, self.column) in FREE_TEXTS | LINKED_TEXTS

    @property
    def values(self) -> tuple[object, ...]:
        """The values of the operand, each once."""
        return tuple(dict.fromkeys(self.operand if isinstance(self.operand, tuple) else (self.operand,)))

    def bound(self, parameters: Mapping[str, object]) -> "NamedValues":
        """Return them with the value of one execution. Errors: those of the parameter's converters."""
        visible = tuple(condition.bound(parameters) for condition in self.visible)
        operand = self.operand
        if isinstance(operand, Parameter):
            operand = cast("Operand", operand.value(parameters))
        return NamedValues(self.table, self.column, operand, visible)

    @property
    def guard(self) -> Sql:
        """The condition that every value is known, for the statement that reads the lists."""
        kind = "uuid" if self.column == "id" else "text"
        operand = converted(self.operand, _unclear_countries if self.is_country else _as_list)
        return Sql(
            f"not exists (select from unnest({{}}::{kind}[]) given (value) where not {{}})",
            operand,
            is_known(self.table, self.column, Sql("given.value"), self.visible),
        )

    @property
    def is_country(self) -> bool:
        """Whether the values are countries, most of which are known without reading anything."""
        return CLOSED_COLUMNS.get((self.table, self.column)) is COUNTRIES

    async def require(self, read: ReadValue) -> None:
        """Require that every value of a closed set is known. Errors: UNKNOWN_VALUE with the nearest values."""
        if self.is_free_text:
            return
        if self.column == "id":
            await require_record_ids(read, self.table, cast("tuple[UUID, ...]", self.values))
        elif self.table in RECORD_SETS:
            await require_record_names(read, self.table, cast("tuple[str, ...]", self.values))
        else:
            values = cast("tuple[str, ...]", self.values)
            await require_column_values(read, self.table, self.column, values, self.visible)

    async def unknown_texts(self, read: ReadValue) -> list[UnknownText]:
        """Return the free texts that no record ever had, with those that are spelled like them."""
        if not self.is_free_text:
            return []
        texts = cast("tuple[str, ...]", self.values)
        found = [await unknown_text(read, self.table, self.column, text, self.visible) for text in texts]
        return [unknown for unknown in found if unknown is not None]


def named_values(roots: Iterable[RootField], principal: Principal) -> tuple[NamedValues, ...]:
    """Return the values that all filters of the root fields name, those of nested lists included.

    Free texts only for a principal that reaches everything: a warning, or none, would reveal texts of hidden records.
    For the same reason, only records that the principal reaches make a value of a closed set known.
    """
    found = tuple(values for root in roots for values in _in_lists(root.selection))
    if principal.reach is Reach.ALL:
        return found
    return tuple(
        replace(values, visible=_within_reach(values.table, principal)) for values in found if not values.is_free_text
    )


def _within_reach(table: str, principal: Principal) -> tuple[Sql, ...]:
    """Return the conditions that a principal reaches the row `x` of a table, or of its history if it has one."""
    if table in RECORD_SETS:
        return ()
    if not SHAPES[table].has_history:
        return scope_conditions(table, "x", principal)
    is_same = Sql("r.id = x.{}", name(f"{table}_id"))
    return (Sql("exists (select{})", ScopedTables(principal).from_clause(table, "r", is_same, with_merged=True)),)


def guarded(statement: Sql, values: Iterable[NamedValues], conditions: Iterable[Sql] = ()) -> Sql:
    """Return the statement so that it returns null, and reads nothing else, if one of the values is not known.

    The same if one of the conditions is not met.
    """
    guards = (*(found.guard for found in values), *conditions)
    return Sql("select case when {} then ({}) end", all_of(guards), statement)


async def require_known_values(read: ReadValue, values: Iterable[NamedValues]) -> None:
    """Require that all values of closed sets are known. Errors: UNKNOWN_VALUE for the first that is not."""
    for found in values:
        await found.require(read)


async def unknown_texts(read: ReadValue, values: Iterable[NamedValues]) -> tuple[UnknownText, ...]:
    """Return the free texts that no record ever had, each once."""
    found = [unknown for named in values for unknown in await named.unknown_texts(read)]
    return tuple(dict.fromkeys(found))


def _as_list(operand: object) -> list[object]:
    return list(operand) if isinstance(operand, tuple) else [operand]


def _unclear_countries(operand: object) -> list[object]:
    """The countries that only a record can make known."""
    return [value for value in _as_list(operand) if country_code(str(value)) is None]


def _in_lists(node: object) -> Iterator[NamedValues]:
    if isinstance(node, Connection):
        if node.page.where is not None:
            yield from _in_filter(node.page.where, node.table)
        for term in node.page.order:
            if isinstance(term.by, ListAggregate):
                yield from _in_aggregate(term.by)
    if isinstance(node, tuple):
        for item in node:
            yield from _in_lists(item)
    elif is_dataclass(node) and not isinstance(node, Parameter):
        for field in fields(node):
            yield from _in_lists(getattr(node, field.name))


def _in_filter(where: Condition, table: str, *, is_linked: bool = False) -> Iterator[NamedValues]:
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
        case PresentStageCondition(comparisons):
            for comparison in comparisons:
                if comparison.operator in ("eq", "in") and ("stage_entry", comparison.column) in CLOSED_COLUMNS:
                    yield NamedValues("stage_entry", comparison.column, comparison.value)
        case ListAggregateCondition(aggregate=aggregate):
            yield from _in_aggregate(aggregate)
        case Comparison(operator="eq" | "in"):
            yield from _in_comparison(where, table, is_linked=is_linked)


def _in_aggregate(aggregate: ListAggregate) -> Iterator[NamedValues]:
    if aggregate.where is not None:
        yield from _in_filter(aggregate.where, aggregate.table)


def _in_comparison(where: Comparison, table: str, *, is_linked: bool) -> Iterator[NamedValues]:
    link = SHAPES[table].column(where.column).link
    if (table, where.column) in {*CLOSED_COLUMNS, *FREE_TEXTS} or (
        # A list of these records may be searched by any name; a link to them names one that has to exist.
        is_linked
        and ((table in RECORD_SETS and where.column in _RECORD_COLUMNS) or (table, where.column) in LINKED_TEXTS)
    ):
        yield NamedValues(table, where.column, where.value)
    elif link is not None and link.target in RECORD_SETS:
        yield NamedValues(link.target, "id", where.value)

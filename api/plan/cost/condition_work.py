"""The work of a filter: how many rows it reads, how many it lets pass, and what testing one costs."""

from dataclasses import dataclass

from api.plan.cost.table_sizes import TableSizes
from api.plan.list_arguments import (
    Comparison,
    Condition,
    Conjunction,
    ConvertedComparison,
    Disjunction,
    IsCountedCondition,
    ListAggregate,
    ListAggregateCondition,
    Negation,
    PresentStageCondition,
    ToManyCondition,
    ToOneCondition,
)
from api.sql import Parameter
from schema.tables import SHAPES

# In rows: what each costs for one row, measured against reading one (`make bench-cost`).
COMPARED, COMPARED_WITHIN = 0.5, 3.0
LINKED, LISTED, AGGREGATED, PRESENT_STAGE, CONVERTED = 2.5, 4.0, 6.0, 4.0, 5.0
# Shares of rows, as the planner assumes where its statistics say nothing.
_OF_RANGE, _OF_TEXT, _OF_LIST = 1 / 3, 0.01, 0.5
_MOST_GUESSED = 20  # values of a parameter, which are not known before execution


@dataclass(frozen=True, slots=True)
class ConditionWork:
    """Estimates filters by the sizes of the tables."""

    sizes: TableSizes

    def work(self, table: str, where: Condition | None, rows: float) -> float:  # noqa: PLR0911 - one for each kind
        """Return the work of testing so many rows of a table, in rows.

        PostgreSQL reads linked rows by look-ups, or all of them once, whichever is less.
        """
        match where:
            case None:
                return 0.0
            case Conjunction(parts) | Disjunction(parts):
                return sum(self.work(table, part, rows) for part in parts)
            case Negation(part):
                return self.work(table, part, rows)
            case ToOneCondition(column=column, part=part):
                target = target_of(table, column)
                linked = min(rows, self.sizes.rows(target))
                return rows + LINKED * linked + self.work(target, part, linked)
            case ToManyCondition(table=other, part=part):
                linked = self._listed(table, other, rows)
                return rows + LISTED * linked + self.work(other, part, linked)
            case ListAggregateCondition(aggregate=aggregate):
                return rows + self.aggregate(table, aggregate, rows)
            case Comparison(operator=operator):
                return rows * (COMPARED_WITHIN if operator in ("contains", "startsWith") else COMPARED)
            case PresentStageCondition():
                return rows * PRESENT_STAGE
            case IsCountedCondition():
                return rows * LINKED
            case ConvertedComparison():
                return rows * CONVERTED

    def aggregate(self, table: str, aggregate: ListAggregate, rows: float) -> float:
        """Return the work of an aggregate of a list, for so many rows of the table that the list belongs to."""
        linked = self._listed(table, aggregate.table, rows)
        return AGGREGATED * linked + self.work(aggregate.table, aggregate.where, linked)

    def found_by_index(self, table: str, where: Condition | None) -> float:
        """Return the share of a table's rows that is read: what an index of a compared column leaves."""
        match where:
            case Conjunction(parts) if parts:
                return min(self.found_by_index(table, part) for part in parts)
            case Comparison(column=column, operator="eq" | "in") if self.sizes.is_indexed(table, column):
                return self.passing(table, where)
            case ToOneCondition(column=column, part=part) if self.sizes.is_indexed(table, column):
                return self.found_by_index(target_of(table, column), part)
            case _:
                return 1.0

    def passing(self, table: str, where: Condition | None) -> float:
        """Return the share of a table's rows that pass a filter."""
        match where:
            case Conjunction(parts):
                share = 1.0
                for part in parts:
                    share *= self.passing(table, part)
                return share
            case Disjunction(parts):
                return min(1.0, sum(self.passing(table, part) for part in parts))
            case Negation(part):
                return 1.0 - self.passing(table, part)
            case ToOneCondition(column=column, part=part):
                return self.passing(target_of(table, column), part)
            case Comparison():
                return self._compared(table, where)
            case ToManyCondition() | ListAggregateCondition():
                return _OF_LIST
            case ConvertedComparison():
                return _OF_RANGE
            case _:
                return 1.0

    def _compared(self, table: str, where: Comparison) -> float:
        match where.operator:
            case "eq":
                return 1 / self.sizes.distinct_values(table, where.column)
            case "in":
                count = _MOST_GUESSED if isinstance(where.value, Parameter) else len(tuple_of(where.value))
                return min(1.0, count / self.sizes.distinct_values(table, where.column))
            case "isNull":
                share = self.sizes.null_share(table, where.column)
                return share if where.value else 1 - share
            case "contains" | "startsWith":
                return _OF_TEXT
            case _:
                return _OF_RANGE

    def _listed(self, table: str, other: str, rows: float) -> float:
        """Return how many rows of `other` refer to so many rows of a table."""
        return self.sizes.rows(other) * min(1.0, rows / self.sizes.rows(table))


def target_of(table: str, column: str) -> str:
    """Return the table that a foreign key names. Errors: ValueError if the column is none."""
    link = SHAPES[table].column(column).link
    if link is None:
        raise ValueError(f"{table}.{column} is not a foreign key")
    return link.target


def tuple_of(operand: object) -> tuple[object, ...]:
    """Return the values of an operand."""
    return operand if isinstance(operand, tuple) else (operand,)

"""The groups of a list's rows (`groupBy`): their filter, their order and their selected fields."""

from collections.abc import Callable, Sequence

from api.plan.aggregation import Aggregation
from api.plan.composite_fields import typename
from api.plan.conditions import compare
from api.plan.json_objects import NO_ROWS, select_objects
from api.plan.list_arguments import (
    PRESENT_STAGE_KEY,
    GroupComparison,
    GroupingKey,
    GroupOrderTerm,
    Having,
    SortDirection,
)
from api.plan.list_rows import ListRows
from api.plan.present_stage import stage_of_group
from api.plan.selection import (
    Aggregate,
    AggregateField,
    ColumnValue,
    Field,
    Groups,
    KeyValues,
    PresentStage,
    ToOne,
    Typename,
)
from api.sql import Sql, all_of, join

# Writes one record as an object: table, id, selected fields -> a subquery. A parameter, because records are written by
# the module that imports this one.
RecordWriter = Callable[[str, Sql, Sequence[Field]], Sql]


def group_objects(rows: ListRows, selection: Groups, record: RecordWriter) -> Sql:
    """Return the groups as an array of objects.

    Shapes: the rows of a list, the selected groups -> one array; one element per group, at most `selection.size`.
    """
    aggregation = Aggregation.of(rows, selection.keys)
    parts = [(part.key, _part(aggregation, part, record)) for part in selection.parts]
    having, order = _having(aggregation, selection.having), _order(aggregation, selection.order)
    # The parts, the filter and the order have named their aggregates: only now is the `from` clause complete.
    groups = aggregation.from_clause(having)
    return Sql("array({})", select_objects(parts, groups + order + Sql(f" limit {selection.size}")))


def _part(
    aggregation: Aggregation, part: AggregateField | KeyValues | Aggregate | Typename, record: RecordWriter
) -> Sql:
    match part:
        case KeyValues():
            columns = [(key.key, _key_value(aggregation, key, record)) for key in part.parts]
            return Sql("({})", select_objects(columns, NO_ROWS))
        case Aggregate():
            return aggregation.aggregate_object(part)
        case AggregateField() | Typename():
            return aggregation.columns((part,))[0][1]


def _key_value(
    aggregation: Aggregation, part: ColumnValue | ToOne | PresentStage | Typename, record: RecordWriter
) -> Sql:
    if isinstance(part, Typename):
        return typename(part)
    column = PRESENT_STAGE_KEY if isinstance(part, PresentStage) else part.column
    position = next((number for number, key in enumerate(aggregation.keys) if key.column == column), None)
    if position is None:
        # Typed: an object with a long key is built by a function, which needs the type of a null.
        return Sql("null::text")
    value = aggregation.key_value(position)
    if isinstance(part, PresentStage):
        return stage_of_group(part, value, aggregation.stage_rank())
    return record(part.table, value, part.fields) if isinstance(part, ToOne) else value


def _having(aggregation: Aggregation, having: Having) -> list[Sql]:
    """Return the conditions of a group filter; all of them have to be true."""
    conditions = [_comparison(aggregation, comparison) for comparison in having.comparisons]
    conditions += [all_of(_having(aggregation, part)) for part in having.all_of]
    if having.any_of is not None:
        parts = [all_of(_having(aggregation, part)) for part in having.any_of]
        conditions.append(join(" or ", (Sql("({})", part) for part in parts)) if parts else Sql("false"))
    if having.negated is not None:
        conditions.append(Sql("({}) is not true", all_of(_having(aggregation, having.negated))))
    return conditions


def _comparison(aggregation: Aggregation, comparison: GroupComparison) -> Sql:
    if comparison.operator != "isNull":
        return compare(comparison.operator, comparison.value, aggregation.comparable_value(comparison.call))
    # Not on the comparable value: that is null for money in several currencies, too.
    return Sql("{}" if comparison.value else "not {}", aggregation.is_missing(comparison.call))


def _order(aggregation: Aggregation, terms: Sequence[GroupOrderTerm]) -> Sql:
    """Return the ` order by` clause of a total order: groups that are equal in all terms are sorted by their keys."""
    sorts: list[Sql] = []
    for term in (*terms, *(GroupOrderTerm(key, SortDirection.ASC) for key in aggregation.keys)):
        if isinstance(term.by, GroupingKey):
            if term.by.column == PRESENT_STAGE_KEY:
                sorts.append(_sort(aggregation.stage_rank(), term.direction))
            sorts.append(_sort(aggregation.key_value(aggregation.keys.index(term.by)), term.direction))
            continue
        currency = aggregation.currency(term.by)
        if currency is not None:
            # Money sorts within its currency, and currencies always sort ascending: bare numbers are not comparable.
            sorts.append(_sort(currency, SortDirection(term.direction.replace("DESC", "ASC"))))
        sorts.append(_sort(aggregation.comparable_value(term.by), term.direction))
    return Sql(" order by {}", join(", ", sorts))


def _sort(value: Sql, direction: SortDirection) -> Sql:
    descending = " desc" if direction.startswith("DESC") else ""
    return Sql(f"{{}}{descending} nulls {'first' if direction.endswith('NULLS_FIRST') else 'last'}", value)

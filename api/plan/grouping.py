"""The groups of a list's rows (`groupBy`): their filter, their order and their selected fields."""

import math
from collections.abc import Callable, Iterator, Sequence

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
from api.plan.ranks import rank_of
from api.plan.selection import (
    Aggregate,
    AggregateField,
    ColumnValue,
    Field,
    GroupCount,
    Groups,
    KeyValues,
    PresentStage,
    ToOne,
    Typename,
)
from api.sql import Sql, all_of, join, name
from schema.tables import SHAPES

MAX_GROUPS = 1_000
_FUNNEL_STAGES = 20  # more than any accord has, for the cost of a document
# The error that a statement raises if a list has more groups, as a pattern of its message. See `_few_groups`.
TOO_MANY_GROUPS = r'"(\d+) groups"'

# Writes one record as an object: table, id, selected fields -> a subquery. A parameter, because records are written by
# the module that imports this one.
RecordWriter = Callable[[str, Sql, Sequence[Field]], Sql]


def group_objects(rows: ListRows, selection: Groups, record: RecordWriter) -> Sql:
    """Return the groups as an array of objects.

    Shapes: the rows of a list, the selected groups -> one array; one element per group, at most `selection.size`.
    Errors: the statement fails with a message like `TOO_MANY_GROUPS` if there is no size, and too many groups.
    """
    aggregation = Aggregation.of(rows, selection.keys)
    parts = [(part.key, _part(aggregation, part, record)) for part in selection.parts]
    having, order = _having(aggregation, selection.having), _order(aggregation, selection.order)
    # The parts, the filter and the order have named their aggregates: only now is the `from` clause complete.
    groups = aggregation.from_clause(having)
    if selection.size is None:
        return Sql("array({})", select_objects(parts, _few_groups(aggregation, groups) + order))
    return Sql("array({})", select_objects(parts, groups + order + Sql(f" limit {selection.size}")))


def group_count(rows: ListRows, selection: GroupCount) -> Sql:
    """Return the number of groups that meet the filter.

    Shapes: the rows of a list -> an integer expression.
    """
    aggregation = Aggregation.of(rows, selection.keys)
    having = _having(aggregation, selection.having)
    return Sql("(select count(*){})", aggregation.from_clause(having))


def most_groups(table: str, selection: Groups) -> int:
    """Return the number of groups that there can be at most: words of a vocabulary make few."""
    if selection.size is not None:
        return selection.size
    return min(MAX_GROUPS, math.prod(_most_values(table, key) for key in selection.keys))


def _most_values(table: str, key: GroupingKey) -> int:
    if key.column == PRESENT_STAGE_KEY:
        return _FUNNEL_STAGES + 1
    words = SHAPES[table].column(key.column).note.vocab
    return MAX_GROUPS if words is None else len(words) + 1


def _few_groups(aggregation: Aggregation, groups: Sql) -> Sql:
    """Return the `from` clause of the groups so that it fails if there are too many.

    PostgreSQL has no function that raises an error. A cast that fails reports the number of groups, and costs only the
    count: no list is read twice, and a nested list fails as well.
    """
    group = name(aggregation.group)
    counted = Sql("select {}.*, count(*) over () as groups{}", group, groups)
    return Sql(
        f" from ({{}}) {{}} where case when {{}}.groups > {MAX_GROUPS}"
        " then ({}.groups || ' groups')::integer > 0 else true end",
        *(counted, group, group, group),
    )


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
    named = {term.by for term in terms}
    rest = (GroupOrderTerm(key, SortDirection.ASC) for key in aggregation.keys if key not in named)
    for term in (*terms, *rest):
        if isinstance(term.by, GroupingKey):
            sorts += (_sort(value, term.direction) for value in _key_sorts(aggregation, term.by))
            continue
        currency = aggregation.currency(term.by)
        if currency is not None:
            # Money sorts within its currency, and currencies always sort ascending: bare numbers are not comparable.
            sorts.append(_sort(currency, SortDirection(term.direction.replace("DESC", "ASC"))))
        sorts.append(_sort(aggregation.comparable_value(term.by), term.direction))
    return Sql(" order by {}", join(", ", sorts))


def _key_sorts(aggregation: Aggregation, key: GroupingKey) -> Iterator[Sql]:
    """Yield what groups are sorted by for one of their keys: its rank, if it has one, and its value."""
    value, table = aggregation.key_value(aggregation.keys.index(key)), aggregation.rows.table
    if key.column == PRESENT_STAGE_KEY:
        yield aggregation.stage_rank()
        yield value
        return
    rank = rank_of(aggregation.rows.tables, table, SHAPES[table].column(key.column), value)
    if rank is not None:
        yield rank
    yield value


def _sort(value: Sql, direction: SortDirection) -> Sql:
    descending = " desc" if direction.startswith("DESC") else ""
    return Sql(f"{{}}{descending} nulls {'first' if direction.endswith('NULLS_FIRST') else 'last'}", value)

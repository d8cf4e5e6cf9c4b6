"""The rows of a list in groups: which groups, in which order, and what is told of each."""

from collections.abc import Callable, Sequence

from api.plan.aggregation import Summary
from api.plan.composite_fields import typename
from api.plan.conditions import tested
from api.plan.json_objects import NO_SOURCE, each_row
from api.plan.list_rows import Rows
from api.plan.selection import (
    Aggregate,
    Field,
    FigureValue,
    GroupKey,
    Groups,
    GroupTerm,
    GroupTest,
    Having,
    KeyValues,
    SortDirection,
    ToOne,
    Typename,
    Value,
)
from api.sql import Sql, all_of, join

# How one record is written: its table, its id, what is asked of it.
OneRecord = Callable[[str, Sql, Sequence[Field]], Sql]


def grouped(rows: Rows, asked: Groups, one: OneRecord) -> Sql:
    """The groups as an array of objects."""
    summary = Summary.of(rows, asked.keys)
    parts = [(each.key, _part(summary, each, one)) for each in asked.parts]
    tests, order = _having(summary, asked.having), _order(summary, asked.order)
    groups = summary.source(tests)  # now that all that is to be computed was named
    return Sql("array({})", each_row(parts, groups + order + Sql(f" limit {asked.size}")))


def _part(summary: Summary, part: FigureValue | KeyValues | Aggregate | Typename, one: OneRecord) -> Sql:
    match part:
        case KeyValues():
            return Sql("({})", each_row([(each.key, _key(summary, each, one)) for each in part.parts], NO_SOURCE))
        case Aggregate():
            return summary.aggregate(part)
        case FigureValue() | Typename():
            return summary.laid_out((part,))[0][1]


def _key(summary: Summary, part: Value | ToOne | Typename, one: OneRecord) -> Sql:
    if isinstance(part, Typename):
        return typename(part)
    place = next((place for place, each in enumerate(summary.keys) if each.column == part.column), None)
    if place is None:
        return Sql("null::text")  # of some type: under a long alias it goes through a function
    value = summary.key(place)
    return one(part.table, value, part.fields) if isinstance(part, ToOne) else value


def _having(summary: Summary, having: Having) -> list[Sql]:
    found = [_test(summary, each) for each in having.tests]
    found += [all_of(_having(summary, each)) for each in having.every]
    if having.some is not None:
        some = [all_of(_having(summary, each)) for each in having.some]
        found.append(join(" or ", (Sql("({})", each) for each in some)) if some else Sql("false"))
    if having.without is not None:
        found.append(Sql("({}) is not true", all_of(_having(summary, having.without))))
    return found


def _test(summary: Summary, test: GroupTest) -> Sql:
    if test.operator != "isNull":
        return tested(test.operator, test.value, summary.figure(test.figure))
    return Sql("{}" if test.value else "not {}", summary.is_missing(test.figure))


def _order(summary: Summary, terms: Sequence[GroupTerm]) -> Sql:
    """A total order: groups that are equal in all terms are sorted by the keys they are told apart by."""
    found: list[Sql] = []
    for term in (*terms, *(GroupTerm(key, SortDirection.ASC) for key in summary.keys)):
        if isinstance(term.by, GroupKey):
            found.append(_sorted(summary.key(summary.keys.index(term.by)), term.direction))
            continue
        currency = summary.currency(term.by)
        if currency is not None:
            found.append(_sorted(currency, SortDirection(term.direction.replace("DESC", "ASC"))))
        found.append(_sorted(summary.figure(term.by), term.direction))
    return Sql(" order by {}", join(", ", found))


def _sorted(value: Sql, direction: SortDirection) -> Sql:
    way = " desc" if direction.startswith("DESC") else ""
    return Sql(f"{{}}{way} nulls {'first' if direction.endswith('NULLS_FIRST') else 'last'}", value)

"""Compiles a filter to SQL. Every value is bound.

A filter uses only what the principal can see: a record that is not visible counts as absent, both when the filter tests
its fields and when it compares the foreign key that names it. Otherwise a filter would reveal hidden records.
"""

from api.access.merged_facts import has_merged, is_fact_of, names_family
from api.access.scope import MERGED_INTO
from api.access.scoped_tables import ScopedTables, qualified
from api.plan.composite_fields import is_counted
from api.plan.list_aggregates import aggregate_expression
from api.plan.list_arguments import (
    STAGE_GROUP,
    Comparison,
    Condition,
    Conjunction,
    ConvertedComparison,
    Disjunction,
    IsCountedCondition,
    ListAggregate,
    ListAggregateCondition,
    Negation,
    Operand,
    Operator,
    PresentStageCondition,
    ToManyCondition,
    ToOneCondition,
)
from api.plan.money.converted_amounts import converted_amount
from api.plan.present_stage import GROUP, is_entry_of, present_entry
from api.sql import Sql, all_of, converted, join, name
from schema.declarations import Link
from schema.tables import SHAPES

_ANY_ROW = Conjunction(())
_SIGNS: dict[Operator, str] = {"eq": "=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_LIKE_ESCAPES = str.maketrans({"\\": "\\\\", "%": "\\%", "_": "\\_"})


def condition(tables: ScopedTables, where: Condition, table: str, alias: str) -> Sql:  # noqa: PLR0911 - one for each kind
    """Return a filter as a boolean expression on the row of `table` known as `alias`.

    Shapes: condition tree -> one expression. Conditions on linked records become `exists` subqueries.
    Errors: NOT_ALLOWED for a column that the principal may not read; ValueError if a column of a `ToOneCondition` is
            not a foreign key; KeyError for an unknown column.
    """
    match where:
        case Conjunction(parts):
            return _joined(tables, " and ", parts, table, alias) if parts else Sql("true")
        case Disjunction(parts):
            return _joined(tables, " or ", parts, table, alias) if parts else Sql("false")
        case Negation(part):
            return _is_not_true(condition(tables, part, table, alias))
        case ToOneCondition():
            return _to_one(tables, where, table, alias)
        case ToManyCondition():
            return _to_many(tables, where, alias)
        case PresentStageCondition() | IsCountedCondition():
            return _computed(tables, where, table, alias)
        case ListAggregateCondition():
            return _list_aggregate(tables, where, alias)
        case ConvertedComparison(column, operator, value):
            tables.require(table, column, "filters by")
            return compare(operator, value, converted_amount(tables, table, column, alias))
        case Comparison():
            return _comparison(tables, where, table, alias)


def _joined(tables: ScopedTables, word: str, parts: tuple[Condition, ...], table: str, alias: str) -> Sql:
    return join(word, (Sql("({})", condition(tables, part, table, alias)) for part in parts))


def _is_not_true(expression: Sql) -> Sql:
    # Not `not (…)`: the negation of null is null, and rows with a missing value would fall out of both halves.
    return Sql("({}) is not true", expression)


# --------------------------------------------------------------------------------------------------------- links


def _to_one(tables: ScopedTables, where: ToOneCondition, table: str, alias: str) -> Sql:
    link = SHAPES[table].column(where.column).link
    if link is None:
        raise ValueError(f"{table}.{where.column} is not a foreign key")
    return _linked_exists(tables, link, alias, where.part)


def _linked_exists(tables: ScopedTables, link: Link, referrer: str, part: Condition) -> Sql:
    """Return the condition that the record named by a foreign key of `referrer` is visible and satisfies the part."""
    alias = tables.new_alias()
    is_linked = Sql("{} = {}", qualified(alias, "id"), qualified(referrer, link.column))
    conditions = _conditions(tables, part, link.target, alias)
    linked = tables.from_clause(link.target, alias, is_linked, *conditions, with_merged=True)
    return Sql("exists (select{})", linked)


def _to_many(tables: ScopedTables, where: ToManyCondition, referenced: str) -> Sql:
    alias = tables.new_alias()
    is_linked = Sql("{} = {}", qualified(alias, where.column), qualified(referenced, "id"))
    found = _quantified_rows(tables, where, alias, is_linked)
    if tables.reads_merged and is_fact_of(where.table, where.column):
        # The rows of the record itself apart from those of merged ones: PostgreSQL then hashes the rows of all records.
        merged, record = tables.new_alias(), qualified(referenced, "id")
        of_merged = _quantified_rows(tables, where, merged, names_family(qualified(merged, where.column), record))
        found = Sql("({} or ({} and {}))", found, has_merged(record), of_merged)
    return found if where.quantifier == "some" else Sql("not {}", found)


def _quantified_rows(tables: ScopedTables, where: ToManyCondition, alias: str, is_linked: Sql) -> Sql:
    """Return the condition that rows exist that satisfy the part; for `every`, that rows exist that fail it."""
    conditions = _conditions(tables, where.part, where.table, alias)
    if where.quantifier == "every":
        # "Every row satisfies the part" is "no row fails it". The empty filter cannot fail.
        conditions = [_is_not_true(part) for part in conditions] or [Sql("false")]
    rows = tables.from_clause(where.table, alias, is_linked, *conditions, with_merged=where.column == MERGED_INTO)
    return Sql("exists (select{})", rows)


def aggregated_rows(tables: ScopedTables, aggregate: ListAggregate, alias: str, referenced: str) -> Sql:
    """Return the ` from` clause of the rows that an aggregate of a list reads.

    Shapes: aggregate, alias of these rows, alias of the record that they refer to -> a clause.
    Errors: those of `condition`.
    """
    is_linked = tables.refers_to(aggregate.table, aggregate.column, alias, referenced)
    counted = _conditions(tables, aggregate.where or _ANY_ROW, aggregate.table, alias)
    is_of_merged = aggregate.column == MERGED_INTO
    return tables.from_clause(aggregate.table, alias, is_linked, *counted, with_merged=is_of_merged)


def _list_aggregate(tables: ScopedTables, where: ListAggregateCondition, referenced: str) -> Sql:
    alias = tables.new_alias()
    value = aggregate_expression(tables, where.aggregate, alias)
    tests = all_of(compare(operator, operand, value) for operator, operand in where.tests)
    # A condition on a null aggregate is null, and a filter takes that for false, as with a null column.
    return Sql("(select {}{})", tests, aggregated_rows(tables, where.aggregate, alias, referenced))


def _conditions(tables: ScopedTables, part: Condition, table: str, alias: str) -> list[Sql]:
    return [] if part == _ANY_ROW else [condition(tables, part, table, alias)]


def _computed(tables: ScopedTables, where: PresentStageCondition | IsCountedCondition, table: str, alias: str) -> Sql:
    """Return a condition on a value of the row that is not a column."""
    if isinstance(where, PresentStageCondition):
        return Sql("exists (select{})", _matching_entry(tables, where, alias, tables.new_alias()))
    counted = Sql("({})", is_counted(tables, table, alias))
    if where.operator == "eq" and isinstance(where.value, bool):
        # The bare condition: PostgreSQL can turn it into a join.
        return counted if where.value else Sql("not {}", counted)
    return compare(where.operator, where.value, counted)


def split_present_stage(where: Condition | None) -> tuple[PresentStageCondition | None, Condition | None]:
    """Split a filter into the condition that it sets on the present stage, and the rest; both have to hold."""
    match where:
        case PresentStageCondition():
            return where, None
        case Conjunction(parts):
            stages = [part for part in parts if isinstance(part, PresentStageCondition)]
            if stages:
                both = PresentStageCondition(tuple(test for stage in stages for test in stage.comparisons))
                return both, Conjunction(tuple(part for part in parts if not isinstance(part, PresentStageCondition)))
    return None, where


def split_converted(where: Condition | None) -> tuple[tuple[ConvertedComparison, ...], Condition | None]:
    """Split a filter into comparisons of converted amounts and the rest; all of them have to hold."""
    match where:
        case ConvertedComparison():
            return (where,), None
        case Conjunction(parts):
            converted = tuple(part for part in parts if isinstance(part, ConvertedComparison))
            if converted:
                return converted, Conjunction(
                    tuple(part for part in parts if not isinstance(part, ConvertedComparison))
                )
    return (), where


def present_stage_join(tables: ScopedTables, where: PresentStageCondition, contact: str, entry: str) -> Sql:
    """Return the join from a contact to its present stage entry if that satisfies the condition, known as `entry`."""
    rows = _matching_entry(tables, where, contact, entry)
    return Sql(" join lateral (select {}.*{}) {} on true", name(entry), rows, name(entry))


def _matching_entry(tables: ScopedTables, where: PresentStageCondition, contact: str, entry: str) -> Sql:
    comparisons = (_stage_comparison(comparison, entry) for comparison in where.comparisons)
    return present_entry(tables, contact, entry, *comparisons)


def _stage_comparison(where: Comparison, entry: str) -> Sql:
    if where.column != STAGE_GROUP:
        return compare(where.operator, where.value, qualified(entry, where.column))
    if where.operator != "isNull":
        return is_entry_of(entry, compare(where.operator, where.value, GROUP))
    has_group = is_entry_of(entry, Sql("{} is not null", GROUP))
    return Sql("not {}", has_group) if where.value else has_group


# --------------------------------------------------------------------------------------------------- comparisons


def _comparison(tables: ScopedTables, where: Comparison, table: str, alias: str) -> Sql:
    tables.require(table, where.column, "filters by")
    link = SHAPES[table].column(where.column).link
    comparison = compare(where.operator, where.value, qualified(alias, where.column))
    if link is None or not tables.hides_rows(link.target):
        return comparison
    # A foreign key can name a hidden record. The `exists` costs one index lookup per row that passes the comparison.
    is_visible = _linked_exists(tables, link, alias, _ANY_ROW)
    if where.operator == "isNull":
        return Sql("not {}", is_visible) if where.value else is_visible
    return Sql("{} and {}", comparison, is_visible)


def compare(operator: Operator, operand: Operand, value: Sql) -> Sql:
    """Return the comparison of an expression with a bound operand.

    Shapes: `in` takes a tuple, `isNull` a boolean, every other operator one value; a `Parameter` is bound later.
    `contains` and `startsWith` ignore case, and take `%` and `_` literally.
    """
    match operator:
        case "isNull":
            return Sql("{} is null" if operand else "{} is not null", value)
        case "in":
            # One array parameter, not a list of parameters: the text does not depend on the number of values.
            return Sql("{} = any({})", value, operand)
        case "contains":
            return _like(value, converted(operand, _contains_pattern))
        case "startsWith":
            return _like(value, converted(operand, _prefix_pattern))
        case sign:
            return Sql(f"{{}} {_SIGNS[sign]} {{}}", value, operand)


def _like(value: Sql, pattern: object) -> Sql:
    """Return the comparison with a pattern that ignores case.

    `ilike` means the same, but turns the pattern into lower case again for every row; a subquery does so once.
    """
    return Sql("lower({}) like (select lower({}::text))", value, pattern)


def _contains_pattern(text: object) -> str:
    return f"%{_prefix_pattern(text)}"


def _prefix_pattern(text: object) -> str:
    return f"{str(text).translate(_LIKE_ESCAPES)}%"

"""Money in filters and orders: bare amounts have to be in one currency, and converted ones need a reporting currency.

Amounts of several currencies have no order. A statement that orders or compares bare amounts of a list first looks for
two currencies among the rows that the principal sees, and then returns null instead of an order without meaning. That
costs a scan of these rows at most, and stops at the second currency; a filter for one currency costs nothing.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import cast

from api.access.field_rights import field_name
from api.access.principal import Principal
from api.access.scoped_tables import ScopedTables, qualified
from api.errors import AccordError, ErrorCode
from api.plan.conditions import condition
from api.plan.list_arguments import (
    AggregateCall,
    Comparison,
    ComputedValue,
    Condition,
    Conjunction,
    ConvertedAmount,
    ConvertedComparison,
    Disjunction,
    Having,
    ListAggregate,
    ListAggregateCondition,
    Negation,
    Page,
    ToManyCondition,
    ToOneCondition,
)
from api.plan.money.converted_amounts import REPORTING_CURRENCY
from api.plan.search.words import has_words
from api.plan.selection import Connection, GroupCount, Groups, RootField
from api.sql import Parameter, Sql, name
from schema.tables import SHAPES

_ORDERING = ("lt", "lte", "gt", "gte")
_ANY_ROW = Conjunction(())
_QUERY = Sql("select {}", REPORTING_CURRENCY)


@dataclass(frozen=True, slots=True)
class CurrencyCheck:
    """A condition on the data that a list's arguments need.

    `guard` is the condition, `find` a query for what it depends on, and `error` the error for what was found.
    """

    guard: Sql
    find: Sql
    error: Callable[[object], AccordError | None]


@dataclass(frozen=True, slots=True)
class _ComparedAmounts:
    """A money column whose bare amounts are compared, and the rows that are: those that meet the filter and search."""

    table: str
    column: str
    used_in: str
    where: Condition = _ANY_ROW
    search: "tuple[str, ...] | Parameter | None" = None


def currency_checks(roots: Iterable[RootField], principal: Principal) -> tuple[CurrencyCheck, ...]:
    """Return what the orders, filters and groups of the root fields need of the currencies, those of nested lists too.

    The rows of a nested list are those of all its parents together: whether it may be sorted does not depend on them.
    """
    checks: list[CurrencyCheck] = []
    needs_reporting_currency = False
    for root in roots:
        tables = ScopedTables(principal).as_of(root.as_of)
        for connection in _lists(root.selection):
            compared = dict.fromkeys((*_in_order(connection), *_in_groups(connection), *_in_where(connection)))
            checks += (_single_currency(tables, amounts) for amounts in compared)
        needs_reporting_currency |= any(_compares_converted(node) for node in _nodes(root.selection))
    if needs_reporting_currency:
        checks.append(CurrencyCheck(Sql("{} is not null", REPORTING_CURRENCY), _QUERY, _unconvertible))
    return tuple(checks)


# ------------------------------------------------------------------------------------------- where money is compared


def _nodes(node: object) -> Iterator[object]:
    """Yield every part of a selection."""
    if isinstance(node, tuple):
        for item in node:
            yield from _nodes(item)
    elif is_dataclass(node) and not isinstance(node, Parameter):
        yield node
        for field in fields(node):
            yield from _nodes(getattr(node, field.name))


def _lists(selection: object) -> Iterator[Connection]:
    return (node for node in _nodes(selection) if isinstance(node, Connection))


def _compares_converted(node: object) -> bool:
    match node:
        case Page(order=order):
            return any(_is_converted(term.by) for term in order)
        case ConvertedComparison(operator=operator):
            return operator != "isNull"
        case ListAggregateCondition(aggregate=aggregate, tests=tests):
            return aggregate.call.is_converted and any(operator != "isNull" for operator, _ in tests)
        case Groups(having=having, order=order):
            calls = (*_calls(having), *(term.by for term in order))
            return any(isinstance(call, AggregateCall) and call.is_converted for call in calls)
        case GroupCount(having=having):
            return any(call.is_converted for call in _calls(having))
        case _:
            return False


def _is_converted(by: str | ComputedValue) -> bool:
    return isinstance(by, ConvertedAmount) or (isinstance(by, ListAggregate) and by.call.is_converted)


def _in_order(connection: Connection) -> Iterator[_ComparedAmounts]:
    page = connection.page
    for term in page.order:
        if isinstance(term.by, ListAggregate) and term.by.where is not None:
            yield from _in_filter(term.by.table, term.by.where)
        table = connection.table
        for column in term.links:
            link = SHAPES[table].column(column).link
            if link is None:
                raise ValueError(f"{table}.{column} is not a foreign key")
            table = link.target
        currency = _currency(table, term.by) if isinstance(term.by, str) else None
        if isinstance(term.by, str) and currency and not _is_pinned(page.where, currency, term.links):
            if term.links:
                yield _ComparedAmounts(table, term.by, "orderBy")
            else:
                yield _ComparedAmounts(table, term.by, "orderBy", page.where or _ANY_ROW, page.search)


def _in_groups(connection: Connection) -> Iterator[_ComparedAmounts]:
    page, table = connection.page, connection.table
    for part in connection.parts:
        if not isinstance(part, Groups | GroupCount):
            continue
        calls = [(call, "having") for call in _calls(part.having)]
        if isinstance(part, Groups):
            ordered = (term.by for term in part.order if isinstance(term.by, AggregateCall))
            # Groups that have the currency as a key are sorted by it before the amount.
            keys = {key.column for key in part.keys}
            calls += ((call, "orderBy") for call in ordered if _currency(table, call.column) not in keys)
        for call, used_in in calls:
            currency = None if call.is_converted or call.function == "countDistinct" else _currency(table, call.column)
            if call.column is not None and currency and not _is_pinned(page.where, currency):
                argument = f"groupBy({used_in}: …)"
                yield _ComparedAmounts(table, call.column, argument, page.where or _ANY_ROW, page.search)


def _calls(having: Having) -> Iterator[AggregateCall]:
    yield from (comparison.call for comparison in having.comparisons if comparison.operator != "isNull")
    for part in (*having.all_of, *(having.any_of or ()), *((having.negated,) if having.negated else ())):
        yield from _calls(part)


def _in_where(connection: Connection) -> Iterator[_ComparedAmounts]:
    if connection.page.where is not None:
        yield from _in_filter(connection.table, connection.page.where)


def _in_filter(table: str, where: Condition) -> Iterator[_ComparedAmounts]:
    """Yield the amounts that a filter of a table compares, and those that filters through its links compare."""
    parts = where.parts if isinstance(where, Conjunction) else (where,)
    pinned = _pinned(table, where)
    rest = tuple(part for part in parts if not any(_bare_columns(table, part, pinned)))
    for column in dict.fromkeys(_bare_columns(table, where, frozenset())):
        # The rows without the comparison: those that it leaves out were compared as well.
        yield _ComparedAmounts(table, column, "where", Conjunction(rest))
    yield from _through_links(table, where)


def _through_links(table: str, where: Condition) -> Iterator[_ComparedAmounts]:
    match where:
        case Conjunction(parts) | Disjunction(parts):
            for part in parts:
                yield from _through_links(table, part)
        case Negation(part):
            yield from _through_links(table, part)
        case ToOneCondition(column=column, part=part):
            link = SHAPES[table].column(column).link
            if link is not None:
                yield from _in_filter(link.target, part)
        case ToManyCondition(table=other, part=part):
            yield from _in_filter(other, part)
        case ListAggregateCondition(aggregate=aggregate) if aggregate.where is not None:
            yield from _in_filter(aggregate.table, aggregate.where)
        case _:
            return


def _bare_columns(table: str, where: Condition, pinned: frozenset[str]) -> Iterator[str]:
    """Yield the money columns that a filter compares by size without a filter for one currency beside it."""
    match where:
        case Conjunction(parts):
            pinned |= _pinned(table, where)
            for part in parts:
                yield from _bare_columns(table, part, pinned)
        case Disjunction(parts):
            for part in parts:
                yield from _bare_columns(table, part, pinned)
        case Negation(part):
            yield from _bare_columns(table, part, pinned)
        case Comparison(column=column, operator=operator) if operator in _ORDERING:
            currency = _currency(table, column)
            if currency is not None and currency not in pinned:
                yield column
        case _:
            return


def _pinned(table: str, where: Condition) -> frozenset[str]:
    """Return the currency columns that have one value in all rows that meet the filter."""
    currencies = {column.note.currency for column in SHAPES[table].columns if column.note.currency}
    return frozenset(currency for currency in currencies if _is_pinned(where, currency))


def _is_pinned(where: Condition | None, currency: str, links: tuple[str, ...] = ()) -> bool:
    match where:
        case Conjunction(parts):
            return any(_is_pinned(part, currency, links) for part in parts)
        case ToOneCondition(column=column, part=part):
            return bool(links) and column == links[0] and _is_pinned(part, currency, links[1:])
        case Comparison(column=column, operator=operator, value=value):
            is_one = operator == "eq" or (operator == "in" and isinstance(value, tuple) and len(value) == 1)
            return not links and column == currency and is_one
        case _:
            return False


def _currency(table: str, column: str | None) -> str | None:
    return None if column is None else SHAPES[table].column(column).note.currency


# ------------------------------------------------------------------------------------------------ what is looked up


def _single_currency(tables: ScopedTables, amounts: _ComparedAmounts) -> CurrencyCheck:
    """Return the check that the amounts have one currency. Amounts without a currency have one of their own."""
    first, other, found = tables.new_alias(), tables.new_alias(), tables.new_alias()
    currency = _currency(amounts.table, amounts.column) or ""
    of_first = Sql("select {} as currency{} limit 1", qualified(first, currency), _rows(tables, amounts, first))
    differs = Sql("{} is distinct from {}", qualified(other, currency), qualified(found, "currency"))
    of_others = _rows(tables, amounts, other, differs)
    guard = Sql("not exists (select from ({}) {} where exists (select{}))", of_first, name(found), of_others)
    find = Sql("select array(select distinct {}{})", qualified(other, currency), _rows(tables, amounts, other))
    return CurrencyCheck(guard, find, lambda currencies: _mixed(amounts, currencies))


def _rows(tables: ScopedTables, amounts: _ComparedAmounts, alias: str, *conditions: Sql) -> Sql:
    """Return the ` from` clause of the rows whose amounts are compared."""
    is_known = Sql("{} is not null", qualified(alias, amounts.column))
    where = [] if amounts.where == _ANY_ROW else [condition(tables, amounts.where, amounts.table, alias)]
    search = [] if amounts.search is None else [has_words(amounts.table, alias, amounts.search)]
    # With merged rows: filters and orders through links compare their amounts, too.
    return tables.from_clause(amounts.table, alias, is_known, *where, *search, *conditions, with_merged=True)


def _mixed(amounts: _ComparedAmounts, found: object) -> AccordError | None:
    currencies = cast("list[str | None]", found)
    if len(currencies) < 2:
        return None
    key, currency = field_name(amounts.column), field_name(_currency(amounts.table, amounts.column) or "")
    codes = [code for code in currencies if code is not None]
    listed = ", ".join([*sorted(codes), *(["an unknown currency"] if None in currencies else [])])
    return AccordError(
        ErrorCode.MIXED_CURRENCIES,
        f"`{amounts.used_in}` compares `{key}` of {SHAPES[amounts.table].type_name} rows in several currencies"
        f" ({listed}), and bare numbers of several currencies have no order.",
        f"Use `{key}Converted`, which is in the reporting currency, or filter by one currency:"
        f" `{currency}: {{eq: {min(codes)}}}`.",
    )


def _unconvertible(currency: object) -> AccordError | None:
    if currency is not None:
        return None
    return AccordError(
        ErrorCode.NO_REPORTING_CURRENCY,
        "Amounts are compared in the reporting currency, and no accord in force states one.",
        "State `currency` in the section `reporting` of the accord, or compare bare amounts of one currency.",
    )

"""Amounts of money in the reporting currency of the accord in force.

An amount is converted at the rate of its own day, the one that its column declares with `rate_at`: the closing of a
deal, the first day of a campaign's cost. Without one, as for an open deal, it is the day of `asOf`, or else today. The
result is rounded to the cent, so that a sum of converted amounts is the sum of its parts. KPIs use the same rates.
"""

from collections.abc import Callable
from datetime import datetime

from api.access.scoped_tables import ScopedTables, qualified
from api.plan.composite_fields import amount_members, selected_members
from api.plan.date_buckets import TIME_ZONE
from api.plan.json_objects import select_objects
from api.plan.money.exchange_rates import at_last_rate, at_rate, last_rate
from api.plan.selection import ConvertedMoney
from api.sql import Sql, name
from schema.tables import SHAPES

# An uncorrelated scalar subquery, which PostgreSQL runs once per statement; null without an accord in force. The accord
# is visible to everyone, so it is read without a scope.
REPORTING_CURRENCY = Sql(
    "(select agreed.body #>> '{{reporting,currency}}' from accord_version agreed where agreed.status = 'ACTIVE')"
)
# The rows of a list: an alias and conditions on it -> a ` from` clause.
RowsOf = Callable[[str, Sql], Sql]


def converted_amount(tables: ScopedTables, table: str, column: str, row: str) -> Sql:
    """Return the converted amount of a row, at a rate that is looked up for this row.

    Shapes: a table and its money column, the alias of a row -> a numeric expression; null without a rate.
    Units: the reporting currency, rounded to the cent.
    Errors: KeyError for an unknown column; ValueError if the column is not money.
    """
    amount, currency = qualified(row, column), _currency(table, column, row)
    converted = at_last_rate(amount, currency, REPORTING_CURRENCY, _rate_day(tables, table, column, row))
    return _in_reporting_currency(amount, currency, converted)


def join_rates(tables: ScopedTables, table: str, column: str, row: str, rows: RowsOf) -> tuple[Sql, Sql]:
    """Return the rates of the days and currencies of a list's rows, to join with a row, and its converted amount.

    The list is read twice, and a rate is looked up once per currency and day: with many rows, a third of the time that
    `converted_amount` takes, or less.

    Shapes: a table and its money column, the alias of a row of the list, all its rows -> `… on …`, to stand after a
            join, and a numeric expression as that of `converted_amount`.
    """
    other, rate = tables.new_alias(), tables.new_alias()
    currency = _currency(table, column, row)
    is_foreign = Sql("{} <> {}", _currency(table, column, other), REPORTING_CURRENCY)
    days = Sql(
        "select {} as day, {} as currency{} offset 0",
        _rate_day(tables, table, column, other),
        _currency(table, column, other),
        rows(other, is_foreign),
    )
    # One text for both, such as `USD9131`: PostgreSQL knows that it is unique, and joins by hashing. Two keys it would
    # sort.
    pairs = Sql(
        "select p.currency || (p.day - date '2000-01-01') as pair, min(p.day) as day, min(p.currency) as currency"
        " from ({}) p group by 1",
        days,
    )
    last = last_rate(Sql("k.currency"), REPORTING_CURRENCY, Sql("k.day"))
    rates = Sql("(select k.pair, x.* from ({}) k cross join lateral ({}) x)", pairs, last)
    pair = Sql("{} || ({} - date '2000-01-01')", currency, _rate_day(tables, table, column, row))
    # Amounts in the reporting currency look no rate up.
    is_same_pair = Sql(
        "{} = case when {} <> {} then {} end", qualified(rate, "pair"), currency, REPORTING_CURRENCY, pair
    )
    joined = Sql("{} {} on {}", rates, name(rate), is_same_pair)
    amount = qualified(row, column)
    return joined, _in_reporting_currency(amount, currency, at_rate(amount, rate))


def converted_money(tables: ScopedTables, table: str, row: str, selection: ConvertedMoney) -> Sql:
    """Return the converted amount of a row as an object; null if it is unknown or not converted.

    Shapes: alias of a row of `table` -> one subquery. Errors: KeyError for an unknown member.
    """
    alias = tables.new_alias()
    amount = qualified(alias, "amount")
    members = amount_members(amount) | {"currency": REPORTING_CURRENCY}
    converted = converted_amount(tables, table, selection.column, row)
    rows = Sql(" from (select {} as amount) {} where {} is not null", converted, name(alias), amount)
    return Sql("({})", select_objects(selected_members(selection.parts, members), rows))


def _in_reporting_currency(amount: Sql, currency: Sql, converted: Sql) -> Sql:
    """Return an amount rounded to the cent; one that is in the reporting currency already looks no rate up."""
    return Sql("round(case when {} = {} then {} else {} end, 2)", currency, REPORTING_CURRENCY, amount, converted)


def _currency(table: str, column: str, row: str) -> Sql:
    currency = SHAPES[table].column(column).note.currency
    if currency is None:
        raise ValueError(f"{table}.{column} is not money")
    return qualified(row, currency)


def _rate_day(tables: ScopedTables, table: str, column: str, row: str) -> Sql:
    """Return the day whose rate converts the amount, in the time zone of the accord in force."""
    declared = SHAPES[table].column(column).note.rate_at
    rate_at = None if declared is None else SHAPES[table].column(declared)
    now = Sql("now()") if tables.instant is None else tables.instant
    if rate_at is None:
        return Sql("({} at time zone {})::date", now, TIME_ZONE)
    at = qualified(row, rate_at.name)
    if rate_at.python is datetime:
        return Sql("(coalesce({}, {}) at time zone {})::date", at, now, TIME_ZONE)
    return Sql("coalesce({}, ({} at time zone {})::date)", at, now, TIME_ZONE)

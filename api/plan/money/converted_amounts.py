"""Amounts of money in the reporting currency of the accord in force.

An amount is converted at the rate of its own day, the one that its column declares with `rate_at`: the closing of a
deal, the first day of a campaign's cost. Without one, as for an open deal, it is the day of `asOf`, or else today. The
result is rounded to the cent, so that a sum of converted amounts is the sum of its parts. KPIs use the same rates.
"""

from datetime import datetime

from api.access.scoped_tables import ScopedTables, qualified
from api.plan.composite_fields import selected_members
from api.plan.date_buckets import TIME_ZONE
from api.plan.json_objects import select_objects
from api.plan.money.exchange_rates import at_rate, last_rate
from api.plan.selection import ConvertedMoney
from api.sql import Sql, name
from schema.base import ColumnShape
from schema.tables import SHAPES

# An uncorrelated scalar subquery, which PostgreSQL runs once per statement; null without an accord in force. The accord
# is visible to everyone, so it is read without a scope.
REPORTING_CURRENCY = Sql(
    "(select agreed.body #>> '{{reporting,currency}}' from accord_version agreed where agreed.status = 'ACTIVE')"
)


def converted_amount(tables: ScopedTables, table: str, column: str, row: str) -> Sql:
    """Return the converted amount of a row, in a column of the name of the money column.

    Shapes: a table and its money column, the alias of a row -> `select …`, a query of one row; none without a rate.
    Units: the reporting currency, rounded to the cent.
    Errors: KeyError for an unknown column; ValueError if the column is not money.
    """
    note = SHAPES[table].column(column).note
    if note.currency is None:
        raise ValueError(f"{table}.{column} is not money")
    rate_at = None if note.rate_at is None else SHAPES[table].column(note.rate_at)
    currency, day = qualified(row, note.currency), _rate_day(tables, rate_at, row)
    # Amounts in the reporting currency look no rate up: `limit 1` stops at the first row.
    same = Sql("(select 1::numeric as rate, false as is_inverse where {} = {})", currency, REPORTING_CURRENCY)
    rate = Sql("{} union all {}", same, last_rate(currency, REPORTING_CURRENCY, day))
    found = tables.new_alias()
    value = at_rate(qualified(row, column), found)
    return Sql("select round({}, 2) as {} from ({}) {}", value, name(column), rate, name(found))


def converted_money(tables: ScopedTables, table: str, row: str, selection: ConvertedMoney) -> Sql:
    """Return the converted amount of a row as an object; null if it is unknown or not converted.

    Shapes: alias of a row of `table` -> one subquery. Errors: KeyError for an unknown member.
    """
    alias = tables.new_alias()
    amount = qualified(alias, selection.column)
    members = {"amount": Sql("{}::text", amount), "currency": REPORTING_CURRENCY}
    converted = converted_amount(tables, table, selection.column, row)
    rows = Sql(" from ({}) {} where {} is not null", converted, name(alias), amount)
    return Sql("({})", select_objects(selected_members(selection.parts, members), rows))


def _rate_day(tables: ScopedTables, rate_at: ColumnShape | None, row: str) -> Sql:
    """Return the day whose rate converts the amount, in the time zone of the accord in force."""
    now = Sql("now()") if tables.instant is None else tables.instant
    if rate_at is None:
        return Sql("({} at time zone {})::date", now, TIME_ZONE)
    at = qualified(row, rate_at.name)
    if rate_at.python is datetime:
        return Sql("(coalesce({}, {}) at time zone {})::date", at, now, TIME_ZONE)
    return Sql("coalesce({}, ({} at time zone {})::date)", at, now, TIME_ZONE)

"""The first day of the bucket that an instant or a date falls into, in the calendar of the accord in force.

The statement reads the calendar from the accord. Without an accord in force, the time zone is UTC, weeks begin on
Monday, and fiscal years in January.
"""

from datetime import datetime

from api.sql import Sql
from schema.base import ColumnShape
from schema.vocab import Grain

# Uncorrelated scalar subqueries: PostgreSQL runs each of them once per statement. They read `accord_version` without a
# scope, because the accord is visible to everyone.
TIME_ZONE = Sql(
    "coalesce((select agreed.body #>> '{{reporting,timezone}}' from accord_version agreed"
    " where agreed.status = 'ACTIVE'), 'UTC')"
)
# 1 if weeks begin on Sunday, else 0.
_SUNDAY_SHIFT = Sql(
    "coalesce((select agreed.body #>> '{{reporting,week_start}}' = 'SUNDAY' from accord_version agreed"
    " where agreed.status = 'ACTIVE'), false)::integer"
)
# The months from January to the month in which fiscal years begin.
_FISCAL_SHIFT = Sql(
    "make_interval(months => coalesce((select (agreed.body #>> '{{reporting,fiscal_year_start_month}}')::integer"
    " from accord_version agreed where agreed.status = 'ACTIVE'), 1) - 1)"
)
_UNITS = {Grain.MONTH: "month", Grain.QUARTER: "quarter", Grain.YEAR: "year"}
_FISCAL_UNITS = {Grain.FISCAL_QUARTER: "quarter", Grain.FISCAL_YEAR: "year"}


def first_day(column: ColumnShape, grain: Grain, value: Sql) -> Sql:
    """Return the first day of the bucket.

    Shapes: a column of instants or dates, a grain, the value's expression -> a date; null for a null value.
    """
    day = Sql("({} at time zone {})::date", value, TIME_ZONE) if column.python is datetime else value
    match grain:
        case Grain.DAY:
            return day
        case Grain.WEEK:
            # PostgreSQL's weeks begin on Monday. For weeks from Sunday, every day is shifted by one before it is
            # truncated, and the result shifted back.
            monday = Sql("date_trunc('week', ({} + {})::timestamp)::date", day, _SUNDAY_SHIFT)
            return Sql("({} - {})", monday, _SUNDAY_SHIFT)
        case Grain.FISCAL_QUARTER | Grain.FISCAL_YEAR:
            # Every day is shifted by whole months, so that fiscal years begin in January, and the result shifted back.
            # PostgreSQL shortens the day of the month where it has to, and the truncation drops it.
            shifted = Sql("({}::timestamp - {})", day, _FISCAL_SHIFT)
            return Sql(f"(date_trunc('{_FISCAL_UNITS[grain]}', {{}}) + {{}})::date", shifted, _FISCAL_SHIFT)
        case _:
            return Sql(f"date_trunc('{_UNITS[grain]}', {{}}::timestamp)::date", day)

"""The first day of the bucket that an instant or a date falls into, in the calendar of the accord in force.

The statement reads the calendar from the accord. Without an accord in force, the time zone is UTC and weeks begin on
Monday.
"""

from datetime import datetime

from api.sql import Sql
from schema.base import ColumnShape
from schema.vocab import Grain

# Uncorrelated scalar subqueries: PostgreSQL runs each of them once per statement. They read `accord_version` without a
# scope, because the accord is visible to everyone.
_TIME_ZONE = Sql(
    "coalesce((select agreed.body #>> '{{reporting,timezone}}' from accord_version agreed"
    " where agreed.status = 'ACTIVE'), 'UTC')"
)
# 1 if weeks begin on Sunday, else 0.
_SUNDAY_SHIFT = Sql(
    "coalesce((select agreed.body #>> '{{reporting,week_start}}' = 'SUNDAY' from accord_version agreed"
    " where agreed.status = 'ACTIVE'), false)::integer"
)
_UNITS = {Grain.MONTH: "month", Grain.QUARTER: "quarter", Grain.YEAR: "year"}


def first_day(column: ColumnShape, grain: Grain, value: Sql) -> Sql:
    """Return the first day of the bucket.

    Shapes: a column of instants or dates, a grain, the value's expression -> a date; null for a null value.
    """
    day = Sql("({} at time zone {})::date", value, _TIME_ZONE) if column.python is datetime else value
    match grain:
        case Grain.DAY:
            return day
        case Grain.WEEK:
            # PostgreSQL's weeks begin on Monday. For weeks from Sunday, every day is shifted by one before it is
            # truncated, and the result shifted back.
            monday = Sql("date_trunc('week', ({} + {})::timestamp)::date", day, _SUNDAY_SHIFT)
            return Sql("({} - {})", monday, _SUNDAY_SHIFT)
        case _:
            return Sql(f"date_trunc('{_UNITS[grain]}', {{}}::timestamp)::date", day)

"""The first day of the bucket that an instant or a day is in, by the calendar of the accord in force.

The accord is read in the statement itself, once for all rows. Where none is in force: UTC, and weeks from Monday on.
"""

from datetime import datetime

from api.sql import Sql
from schema.base import ColumnShape
from schema.vocab import Grain

_ZONE = Sql(
    "coalesce((select agreed.body #>> '{{reporting,timezone}}' from accord_version agreed"
    " where agreed.status = 'ACTIVE'), 'UTC')"
)
_FROM_SUNDAY = Sql(
    "coalesce((select agreed.body #>> '{{reporting,week_start}}' = 'SUNDAY' from accord_version agreed"
    " where agreed.status = 'ACTIVE'), false)::integer"
)
_UNITS = {Grain.MONTH: "month", Grain.QUARTER: "quarter", Grain.YEAR: "year"}


def first_day(column: ColumnShape, grain: Grain, value: Sql) -> Sql:
    """The first day of the bucket, a date; null for a missing value."""
    day = Sql("({} at time zone {})::date", value, _ZONE) if column.python is datetime else value
    match grain:
        case Grain.DAY:
            return day
        case Grain.WEEK:
            # PostgreSQL's weeks begin on Monday: a Sunday is put into the one that it is to begin, and moved back.
            moved = Sql("date_trunc('week', ({} + {})::timestamp)::date", day, _FROM_SUNDAY)
            return Sql("({} - {})", moved, _FROM_SUNDAY)
        case _:
            return Sql(f"date_trunc('{_UNITS[grain]}', {{}}::timestamp)::date", day)

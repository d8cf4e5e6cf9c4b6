"""The days of named periods by counting: every day gets the names of its week, month …, and days with one name are one.

It shares no arithmetic with the product: units are runs of days with the same name.
"""

from datetime import date, timedelta
from itertools import groupby

from schema.clauses.reporting import Reporting
from tests.metrics.fiscal_oracle import named_days

ONE_DAY = timedelta(days=1)
UNITS = ("day", "week", "month", "quarter", "year", "fiscal-quarter", "fiscal-year")
Run = tuple[date, date]  # the first day, and the first day after


def runs(unit: str, reporting: Reporting, first: date, before: date) -> list[Run]:
    """The whole units between two days, in order; units that the two days cut are left out."""
    month, named_by = reporting.fiscal_year_start_month, reporting.fiscal_year_named_by
    labelled = [
        (day, _label(unit, day, reporting, fiscal_year, fiscal_quarter))
        for day, fiscal_year, fiscal_quarter in named_days(month, named_by, first, before)
    ]
    found = [[day for day, _ in days] for _, days in groupby(labelled, key=lambda pair: pair[1])]
    return [(days[0], days[-1] + ONE_DAY) for days in found[1:-1]]


def _label(unit: str, day: date, reporting: Reporting, fiscal_year: str, fiscal_quarter: str) -> object:
    match unit:
        case "day":
            return day
        case "week":
            # The ISO week of the next day is that of a week from Sunday.
            return (day if reporting.week_start == "MONDAY" else day + ONE_DAY).isocalendar()[:2]
        case "month":
            return f"{day:%Y-%m}"
        case "quarter":
            return f"{day:%Y}-{'111222333444'[day.month - 1]}"
        case "year":
            return day.year
        case "fiscal-quarter":
            return fiscal_quarter
        case _:
            return fiscal_year

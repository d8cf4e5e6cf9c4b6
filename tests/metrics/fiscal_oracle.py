"""Fiscal years and quarters by counting: days are listed one by one, and each one gets its names."""

from collections.abc import Iterator
from datetime import date, timedelta


def named_days(start_month: int, named_by: str, first: date, before: date) -> Iterator[tuple[date, str, str]]:
    """Yield the days from the first until before another, with the names of their fiscal year and fiscal quarter."""
    # Step back to a day on which a fiscal year begins, then walk forward and count months.
    day = first
    while not (day.day == 1 and day.month == start_month):
        day -= timedelta(days=1)
    year, months = 0, 0
    while day < before:
        if day.day == 1:
            months = 1 if day.month == start_month else months + 1
            if months == 1:
                last = date(day.year + 1, start_month, 1) - timedelta(days=1)
                year = day.year if named_by == "START" else last.year
        if day >= first:
            yield day, f"FY{year}", f"FY{year}-Q{1 if months < 4 else 2 if months < 7 else 3 if months < 10 else 4}"
        day += timedelta(days=1)

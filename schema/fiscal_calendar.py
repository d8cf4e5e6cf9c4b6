"""The fiscal years and quarters of an accord: their days and their names.

A fiscal year is the twelve months from the first day of its first month. Unless it begins in January it lies in two
calendar years, and the accord says which of them names it.
"""

import calendar
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeAlias

FiscalYearName: TypeAlias = Literal["START", "END"]


@dataclass(frozen=True, slots=True)
class FiscalCalendar:
    """Fiscal years that begin in `start_month` (1 to 12), named by the calendar year of their first or last day."""

    start_month: int = 1
    named_by: FiscalYearName = "END"

    def first_day(self, year: int, quarter: int = 1) -> date:
        """The first day of a fiscal year by its name, or of one of its quarters (1 to 4).

        Errors: ValueError for a day outside the years 1 to 9999.
        """
        months = self.start_month - 1 + 3 * (quarter - 1)
        return date(year - self._years_ahead + months // 12, months % 12 + 1, 1)

    def year_start(self, day: date) -> date:
        """The first day of the fiscal year that has the day. Errors: ValueError if it is before the year 1."""
        return date(day.year - (day.month < self.start_month), self.start_month, 1)

    def quarter_start(self, day: date) -> date:
        """The first day of the fiscal quarter that has the day. Errors: ValueError if it is before the year 1."""
        months = day.year * 12 + day.month - 1 - (day.month - self.start_month) % 3
        return date(months // 12, months % 12 + 1, 1)

    def year_name(self, day: date) -> str:
        """The name of the fiscal year that has the day, such as `FY2027`."""
        return f"FY{self.year_start(day).year + self._years_ahead:04}"

    def quarter_name(self, day: date) -> str:
        """The name of the fiscal quarter that has the day, such as `FY2027-Q1`."""
        return f"{self.year_name(day)}-Q{(day.month - self.start_month) % 12 // 3 + 1}"

    @property
    def sentence(self) -> str:
        """When fiscal years begin and how they are named, with an example."""
        if self.start_month == 1:
            return "Fiscal years are calendar years: FY2026 begins on 1 January 2026."
        first, last = calendar.month_name[self.start_month], calendar.month_name[self.start_month - 1]
        which = "begin" if self.named_by == "START" else "end"
        return (
            f"Fiscal years begin on 1 {first} and have the name of the year in which they {which}:"
            f" {first} 2026 to {last} 2027 is {self.year_name(date(2026, self.start_month, 1))}."
            " Periods that are not named as fiscal are those of the calendar: 2026-Q1 is January to March 2026."
        )

    @property
    def _years_ahead(self) -> int:
        """How many years the name is ahead of the calendar year of the first day."""
        return int(self.named_by == "END" and self.start_month > 1)

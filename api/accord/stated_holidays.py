"""The dates of public holidays in a document: stated when a version is proposed, and running out some years later."""

from collections.abc import Iterator
from datetime import date, timedelta

from schema.accord import Accord
from schema.clauses.calendars import BusinessCalendar, ClosedDay, HolidayYear, PublicHolidays
from schema.clauses.holiday_dates import holidays_of

YEARS_BEFORE, YEARS_AFTER = 1, 2  # of the year in which a version is proposed
WARNED_BEFORE = timedelta(days=90)


def with_stated_holidays(accord: Accord, today: date) -> Accord:
    """Return the document with the dates of all holidays, for last year up to the year after next.

    Years that the document states stay as they are, also where the library of holidays has other dates by now.
    Errors: ValueError for a country or subdivision whose holidays are not known, which no valid proposal names.
    """
    calendars = tuple(_with_dates(calendar, today) for calendar in accord.calendars)
    return accord.model_copy(update={"calendars": calendars})


def holiday_warnings(accord: Accord, today: date) -> tuple[str, ...]:
    """Sentences about calendars whose stated holidays end within 90 days, or have ended."""
    return tuple(_warnings(accord, today))


def _with_dates(calendar: BusinessCalendar, today: date) -> BusinessCalendar:
    holidays = calendar.holidays
    if holidays is None:
        return calendar
    stated = {year.year: year for year in holidays.years}
    for year in range(today.year - YEARS_BEFORE, today.year + YEARS_AFTER + 1):
        if year not in stated:
            stated[year] = _year(holidays, year)
    years = tuple(stated[year] for year in sorted(stated))
    return calendar.model_copy(update={"holidays": holidays.model_copy(update={"years": years})})


def _year(holidays: PublicHolidays, year: int) -> HolidayYear:
    found = holidays_of(holidays.country, holidays.subdivision, year)
    return HolidayYear(year=year, days=tuple(ClosedDay(on=day, name=name) for day, name in found.items()))


def _warnings(accord: Accord, today: date) -> Iterator[str]:
    for calendar in accord.calendars:
        holidays = calendar.holidays
        if holidays is None:
            continue
        remedy = "Propose a version of the accord, which states those of the next years."
        if not holidays.years:
            yield f"The holidays of the calendar {calendar.title} are not stated. {remedy}"
            continue
        end = date(holidays.years[-1].year, 12, 31)
        if today >= end - WARNED_BEFORE:
            verb = "end" if today <= end else "ended"
            yield f"The holidays of the calendar {calendar.title} {verb} on {end}. {remedy}"

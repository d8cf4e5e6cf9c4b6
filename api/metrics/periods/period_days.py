"""The days of a period and their instants, for the day of `asOf`, a time zone, and the accord's settings."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.errors import AccordError, ErrorCode
from api.metrics.periods.calendar_units import day_of, first_day_of, midnight, plus_months, plus_units
from api.metrics.periods.name_forms import HOW_TO_NAME
from api.metrics.request import FiscalPeriod, IsoWeek, Period, RelativeKind, RelativePeriod
from schema.clauses.reporting import Reporting
from schema.fiscal_calendar import FiscalCalendar
from schema.vocab import Grain

_YEARS = range(1000, 9000)
_ONE_DAY = timedelta(days=1)
_WEEKS_OF_A_YEAR = 52


@dataclass(frozen=True, slots=True)
class Interval:
    """The instants `[start, end)` of a period; None for an open end."""

    start: datetime | None
    end: datetime | None
    parts: tuple[tuple[datetime | None, datetime | None], ...] = ()  # the only parts of it that count; empty for all


def period(starts_on: date | None, before: date | None) -> Period:
    """Make the period `[starts_on, before)`. Errors: BAD_PERIOD if it is empty or ends before it starts."""
    for end in (starts_on, before):
        if end is not None:
            checked_year(end.year, end.isoformat())
    if starts_on is not None and before is not None and before <= starts_on:
        happened = "is empty" if before == starts_on else "ends before it starts"
        raise AccordError(
            ErrorCode.BAD_PERIOD,
            f"The period from {starts_on} before {before} {happened}.",
            "The second date is the first day after the period: March 2026 is from 2026-03-01 before 2026-04-01.",
        )
    return Period(starts_on, before)


def checked_year(year: int, text: str) -> int:
    """Return the year. Errors: BAD_PERIOD if it is not between 1000 and 8999; the message quotes the text."""
    if year not in _YEARS:
        message = f"The year of '{text}' is not between 1000 and 8999."
        raise AccordError(ErrorCode.BAD_PERIOD, message, HOW_TO_NAME)
    return year


def days_of(given: Period, zone: ZoneInfo, as_of: datetime, reporting: Reporting) -> Period:
    """The days of a period.

    "Today" is the day of `asOf` in the time zone. As of an instant that instant counts, so at midnight the day that
    begins is today.
    Errors: BAD_PERIOD.
    """
    match given.named:
        case None:
            return period(given.starts_on, given.before)
        case FiscalPeriod() as fiscal:
            return _fiscal_days(fiscal, reporting.fiscal_calendar)
        case IsoWeek() as week:
            return _week_days(week, reporting)
        case RelativePeriod() as relative:
            try:
                start, before = _relative_days(relative, day_of(as_of, zone), reporting)
                return period(start, before)
            except (ValueError, OverflowError) as error:
                message = f"{relative.count} {relative.unit.lower()}s ago is before the year 1000."
                raise AccordError(ErrorCode.BAD_PERIOD, message, HOW_TO_NAME) from error


def interval_of(days: Period, zone: ZoneInfo) -> Interval:
    """The instants of the days in a time zone."""
    start, before = (None if day is None else midnight(day, zone) for day in (days.starts_on, days.before))
    return Interval(start, before)


def _relative_days(given: RelativePeriod, today: date, reporting: Reporting) -> tuple[date, date]:
    """The first day, and the first day after it."""
    unit, present = given.unit, first_day_of(given.unit, today, reporting)
    match given.kind:
        case RelativeKind.THIS:
            return present, plus_units(present, unit, 1)
        case RelativeKind.TO_DATE:
            return present, today + _ONE_DAY
        case RelativeKind.LAST:
            return plus_units(present, unit, -given.count), present
        case RelativeKind.TRAILING:
            return plus_units(today, unit, -given.count), today
        case RelativeKind.SAME_LAST_YEAR:
            is_week = unit is Grain.WEEK
            # The calendar year has no whole number of weeks: 52 weeks ago is the week of the same weekdays.
            ago = plus_units(today, unit, -_WEEKS_OF_A_YEAR) if is_week else plus_months(today, -12)
            start = first_day_of(unit, ago, reporting)
            return start, plus_units(start, unit, 1)


def _fiscal_days(given: FiscalPeriod, fiscal: FiscalCalendar) -> Period:
    start = fiscal.first_day(given.year, given.quarter or 1)
    return period(start, plus_months(start, 3 if given.quarter else 12))


def _week_days(week: IsoWeek, reporting: Reporting) -> Period:
    if reporting.week_start != "MONDAY":
        sunday = week.monday - _ONE_DAY
        raise AccordError(
            ErrorCode.BAD_PERIOD,
            f"The ISO week {week} begins on a Monday, and the weeks of the accord begin on Sunday.",
            f"Give the week as a range: from {sunday} before {plus_units(sunday, Grain.WEEK, 1)}.",
        )
    return period(week.monday, plus_units(week.monday, Grain.WEEK, 1))

"""Days, weeks, months, quarters and years of the calendar, and fiscal quarters and years, by the accord's settings."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from schema.clauses.reporting import Reporting
from schema.vocab import Grain

MONTHS_IN = {Grain.MONTH: 1, Grain.QUARTER: 3, Grain.YEAR: 12, Grain.FISCAL_QUARTER: 3, Grain.FISCAL_YEAR: 12}
DAYS_IN = {Grain.DAY: 1, Grain.WEEK: 7}


def first_day_of(unit: Grain, day: date, reporting: Reporting) -> date:
    """The first day of the unit that has the day."""
    match unit:
        case Grain.DAY:
            return day
        case Grain.WEEK:
            return day - timedelta(days=(day.weekday() + (reporting.week_start == "SUNDAY")) % 7)
        case Grain.MONTH:
            return day.replace(day=1)
        case Grain.QUARTER:
            return day.replace(month=day.month - (day.month - 1) % 3, day=1)
        case Grain.YEAR:
            return day.replace(month=1, day=1)
        case Grain.FISCAL_QUARTER:
            return reporting.fiscal_calendar.quarter_start(day)
        case Grain.FISCAL_YEAR:
            return reporting.fiscal_calendar.year_start(day)


def plus_units(day: date, unit: Grain, count: int) -> date:
    """Add whole units, or subtract them. Errors: ValueError or OverflowError outside the years 1 to 9999."""
    if unit in DAYS_IN:
        return day + timedelta(days=count * DAYS_IN[unit])
    return plus_months(day, count * MONTHS_IN[unit])


def plus_months(day: date, months: int) -> date:
    """Add months, or subtract them. The day of the month stays, or becomes the last one of a shorter month."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    length = (date(year + month // 11, (month + 1) % 12 + 1, 1) - date(year, month + 1, 1)).days
    return date(year, month + 1, min(day.day, length))


def day_of(instant: datetime, zone: ZoneInfo) -> date:
    """The day that has the instant in a time zone."""
    return instant.astimezone(zone).date()


def midnight(day: date, zone: ZoneInfo) -> datetime:
    """The instant at which a day begins: where clocks skip midnight the skip, where they repeat it the first one."""
    return datetime.combine(day, time.min, tzinfo=zone).astimezone(UTC)

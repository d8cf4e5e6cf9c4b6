"""Parse the names of periods, and write them."""

import re
from datetime import date, timedelta

from api.errors import AccordError, ErrorCode
from api.metrics.periods.calendar_units import MONTHS_IN, plus_months
from api.metrics.periods.name_forms import HOW_TO_NAME
from api.metrics.periods.period_days import checked_year, period
from api.metrics.request import FiscalPeriod, IsoWeek, Period, RelativeKind, RelativePeriod
from schema.vocab import Grain

_CALENDAR = re.compile(
    r"(?P<year>\d{4})(?:-(?:Q(?P<quarter>[1-4])|W(?P<week>\d{2})|(?P<month>0[1-9]|1[0-2])(?:-(?P<day>\d{2}))?))?",
    re.IGNORECASE,
)
_FISCAL = re.compile(r"FY(?P<year>\d{4})(?:-Q(?P<quarter>[1-4]))?", re.IGNORECASE)
_COUNT = r"(?P<count>[1-9]\d{0,4})"
_RELATIVE = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        (RelativeKind.THIS, r"this-(?P<unit>day|week|month|quarter|year|fiscal-quarter|fiscal-year)"),
        (RelativeKind.TO_DATE, r"(?P<unit>week|month|quarter|year|fiscal-quarter|fiscal-year)-to-date"),
        (RelativeKind.LAST, r"last-(?P<unit>day|week|month|quarter|year|fiscal-quarter|fiscal-year)"),
        (RelativeKind.LAST, rf"last-{_COUNT}-(?P<unit>day|week|month|quarter|year|fiscal-quarter|fiscal-year)s?"),
        (RelativeKind.TRAILING, rf"trailing-{_COUNT}-(?P<unit>day|week|month|quarter|year)s?"),
        (RelativeKind.SAME_LAST_YEAR, r"same-(?P<unit>day|week|month|quarter|fiscal-quarter)-last-year"),
    )
)
_DAY_NAMES = {"today": RelativeKind.THIS, "yesterday": RelativeKind.LAST}


def named_period(text: str) -> Period:
    """Parse the name of a period, see `NAME_FORMS`.

    Names that mean the same days become the same period: `last-1-day`, `trailing-1-day` and `yesterday`.
    Errors: BAD_PERIOD for any other text.
    """
    word = text.strip()
    if kind := _DAY_NAMES.get(word.lower()):
        return Period(named=RelativePeriod(kind, Grain.DAY))
    for kind, pattern in _RELATIVE:
        if found := pattern.fullmatch(word):
            unit = Grain[found["unit"].upper().replace("-", "_")]
            return Period(named=_relative(kind, unit, int(found.groupdict().get("count") or 1)))
    if found := _FISCAL.fullmatch(word):
        quarter = None if found["quarter"] is None else int(found["quarter"])
        return Period(named=FiscalPeriod(checked_year(int(found["year"]), text), quarter))
    if (found := _CALENDAR.fullmatch(word)) is None:
        raise AccordError(ErrorCode.BAD_PERIOD, f"'{text}' is not the name of a period.", HOW_TO_NAME)
    year = checked_year(int(found["year"]), text)
    if found["day"] or found["week"]:
        return _day_or_week(word.upper(), found["week"])
    if found["quarter"]:
        return _months(date(year, 3 * int(found["quarter"]) - 2, 1), 3)
    return _months(date(year, int(found["month"] or 1), 1), 1 if found["month"] else 12)


def name_of(given: Period) -> str | None:
    """The name of a period that is stated by one, which `named_period` accepts; None for a range of dates."""
    match given.named:
        case None:
            return None
        case FiscalPeriod(year=year, quarter=quarter):
            return f"FY{year:04d}" if quarter is None else f"FY{year:04d}-Q{quarter}"
        case IsoWeek() as week:
            return str(week)
        case RelativePeriod() as relative:
            return _relative_name(relative)


def _relative(kind: RelativeKind, unit: Grain, count: int) -> RelativePeriod:
    """A relative period in its canonical form: trailing days are the last ones, and trailing weeks are days."""
    if kind is not RelativeKind.TRAILING:
        return RelativePeriod(kind, unit, count)
    if unit in MONTHS_IN:
        return RelativePeriod(kind, Grain.MONTH, count * MONTHS_IN[unit])
    return RelativePeriod(RelativeKind.LAST, Grain.DAY, count * 7 if unit is Grain.WEEK else count)


def _relative_name(given: RelativePeriod) -> str:
    unit = given.unit.name.lower().replace("_", "-")
    match given.kind:
        case RelativeKind.THIS:
            return "today" if given.unit is Grain.DAY else f"this-{unit}"
        case RelativeKind.TO_DATE:
            return f"{unit}-to-date"
        case RelativeKind.LAST if given.count == 1:
            return "yesterday" if given.unit is Grain.DAY else f"last-{unit}"
        case RelativeKind.LAST:
            return f"last-{given.count}-{unit}s"
        case RelativeKind.TRAILING:
            return f"trailing-{given.count}-{unit}s"
        case RelativeKind.SAME_LAST_YEAR:
            return f"same-{unit}-last-year"


def _months(start: date, months: int) -> Period:
    return Period(start, plus_months(start, months))


def _day_or_week(text: str, week: str | None) -> Period:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        message = f"The calendar has no {'week' if week else 'day'} {text}."
        raise AccordError(ErrorCode.BAD_PERIOD, message, HOW_TO_NAME) from error
    if week:
        return Period(named=IsoWeek(day))
    return period(day, day + timedelta(days=1))

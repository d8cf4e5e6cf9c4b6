"""The earlier period that a period is compared with: the one before it, or the same one a year before.

A period that begins with a month and ends with one is moved by its months, a week by weeks, and every other by its
days. So the period before February is the whole of January, which has more days, and an answer says so.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from api.errors import AccordError, ErrorCode
from api.metrics.answer import AnsweredPeriod
from api.metrics.periods.calendar_units import day_of, plus_months, plus_units
from api.metrics.periods.period_days import period
from api.metrics.request import IsoWeek, Period, RelativeKind, RelativePeriod
from schema.kpis.comparisons import Comparand, ComparedSpan
from schema.vocab import Grain

_ONE_DAY = timedelta(days=1)
_MONTHS_OF_A_YEAR, _WEEKS_OF_A_YEAR = 12, 52


@dataclass(frozen=True, slots=True)
class EarlierPeriod:
    """The days to compare with. `as_of` is the instant as of which they count; None for that of the request.

    `compared_days` is how many days of the requested period count, and `days_counted` how many of this one.
    """

    days: Period
    is_to_date: bool
    as_of: datetime | None
    compared_days: int
    days_counted: int


@dataclass(frozen=True, slots=True)
class _Requested:
    """The requested period: its first day, the first day after it, the unit that it is moved by, and its today.

    `is_running` is whether only the days up to today count.
    """

    start: date
    before: date
    unit: Grain
    count: int
    today: date
    is_running: bool

    @property
    def counted_before(self) -> date:
        """The first day after those that count so far."""
        return min(self.today + _ONE_DAY, self.before) if self.is_running else self.before


def earlier_period(
    requested: Period, days: AnsweredPeriod, comparand: Comparand, span: ComparedSpan, as_of: datetime
) -> EarlierPeriod:
    """The period before the requested one, or the same one a year before.

    Shapes: a period as requested and its days -> the earlier days.
    Units:  days in the time zone of the answer; today counts as a day. Instants UTC.
    Errors: BAD_PERIOD for a period without a start, or an earlier one before the year 1000.
    """
    if days.starts_on is None:
        raise AccordError(
            ErrorCode.BAD_PERIOD,
            "A period without a start has no earlier period to compare with.",
            "Name a period that has a first day, such as 2026-Q1 or last-90-days.",
        )
    zone = ZoneInfo(days.timezone)
    try:
        found = _requested(requested, days.starts_on, days.before, day_of(as_of, zone))
        if comparand is Comparand.PREVIOUS_PERIOD:
            return _previous(found, span, as_of, zone)
        return _last_year(found, span, as_of, zone)
    except (ValueError, OverflowError) as error:
        message = f"The period to compare with that of {days.starts_on} begins before the year 1000."
        raise AccordError(ErrorCode.BAD_PERIOD, message, "Name a later period.") from error


def _requested(requested: Period, start: date, before: date | None, today: date) -> _Requested:
    named = requested.named
    is_to_date = isinstance(named, RelativePeriod) and named.kind is RelativeKind.TO_DATE
    if isinstance(named, RelativePeriod):
        unit = named.unit
        count = named.count if named.kind in (RelativeKind.LAST, RelativeKind.TRAILING) else 1
        end = plus_units(start, unit, 1) if is_to_date or before is None else before
    else:
        # A period without an end goes on for as long as it has lasted.
        end = max(today, start) + _ONE_DAY if before is None else before
        unit, count = (Grain.WEEK, 1) if isinstance(named, IsoWeek) else _unit_of(start, end)
    is_running = is_to_date or before is None or start <= today < end
    return _Requested(start, end, unit, count, today, is_running)


def _unit_of(start: date, before: date) -> tuple[Grain, int]:
    """Whole months for days from the first of a month to the last of one; otherwise days."""
    if start.day == before.day == 1:
        return Grain.MONTH, (before.year - start.year) * 12 + before.month - start.month
    return Grain.DAY, (before - start).days


def _previous(found: _Requested, span: ComparedSpan, as_of: datetime, zone: ZoneInfo) -> EarlierPeriod:
    start = plus_units(found.start, found.unit, -found.count)
    return _earlier(found, span, (start, found.start), start + (found.today - found.start), as_of, zone)


def _last_year(found: _Requested, span: ComparedSpan, as_of: datetime, zone: ZoneInfo) -> EarlierPeriod:
    """Of dates the same dates; of weeks those of the same weekdays."""

    def moved(day: date) -> date:
        if found.unit is Grain.WEEK:
            return plus_units(day, Grain.WEEK, -_WEEKS_OF_A_YEAR)
        return plus_months(day, -_MONTHS_OF_A_YEAR)

    # The end of February is not the day before March 1 in every year: a whole month ends where the next one begins.
    last = found.before - _ONE_DAY
    before = moved(found.before) if found.before.day == 1 or found.unit is Grain.WEEK else moved(last) + _ONE_DAY
    return _earlier(found, span, (moved(found.start), before), moved(found.today), as_of, zone)


def _earlier(
    found: _Requested, span: ComparedSpan, whole: tuple[date, date], today: date, as_of: datetime, zone: ZoneInfo
) -> EarlierPeriod:
    """The earlier period; `whole` are its days, and `today` is the one of them that corresponds to today."""
    start, before = whole
    then: datetime | None = None
    counted = min(before, today + _ONE_DAY) if found.is_running else before
    if span is ComparedSpan.TO_DATE:
        before = counted
    if span is ComparedSpan.SAME_AGE:
        then = datetime.combine(today, as_of.astimezone(zone).time(), tzinfo=zone).astimezone(UTC)
    is_cut = found.is_running and span is not ComparedSpan.WHOLE
    return EarlierPeriod(
        days=period(start, before),
        is_to_date=is_cut,
        as_of=then,
        compared_days=(found.counted_before - found.start).days,
        days_counted=((counted if is_cut else before) - start).days,
    )

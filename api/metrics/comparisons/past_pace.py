"""How a KPI grew in earlier periods: its pace, and the forecast that follows from it.

Of each earlier period the share of its final value is taken that stood after as many days as have passed of the
present one; of the present day, the part that has passed. The mean share times the target is what should stand by now,
and the value divided by the mean share is what to expect at the end.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from api.metrics.answer import Bucket
from api.metrics.figure_table import CENT, MILLIONTH, quantized
from api.metrics.periods.calendar_units import day_of, midnight, plus_months
from schema.kpis.target_progress import PastPace, TargetForecast, TargetPace

MOST_PERIODS = 8
_FIRST_YEAR = 1000
_MOST_DAYS = 1_900  # of the series that is read, which has a bucket for each


@dataclass(frozen=True, slots=True)
class Elapsed:
    """How much of a period has passed: whole days, and the part of the present day."""

    days: int
    part: Fraction

    @classmethod
    def of(cls, starts_on: date, as_of: datetime, zone: ZoneInfo) -> "Elapsed":
        """The time from the first day of a period to an instant."""
        today = day_of(as_of, zone)
        begin, end = midnight(today, zone), midnight(today + timedelta(days=1), zone)
        whole = (end - begin) // timedelta(microseconds=1)
        return cls((today - starts_on).days, Fraction((as_of - begin) // timedelta(microseconds=1), whole))


@dataclass(frozen=True, slots=True)
class PastPeriod:
    """An earlier period: its final value, and what of it stood after the same time."""

    starts_on: date
    before: date
    final: Decimal
    stood: Fraction

    @property
    def share(self) -> Fraction:
        """The share of the final value that stood."""
        return self.stood / Fraction(self.final)


def earlier_spans(starts_on: date, before: date) -> tuple[tuple[date, date], ...]:
    """The periods before one of whole months, the latest first: one more than are used at most.

    The oldest shows when the data begin. There are fewer, or none, if their days are too many for one series.
    """
    months = (before.year - starts_on.year) * 12 + before.month - starts_on.month
    since_first = (starts_on.year - _FIRST_YEAR) * 12 + starts_on.month - 1
    count = min(MOST_PERIODS + 1, _MOST_DAYS // (31 * months), since_first // months)
    return tuple(
        (plus_months(starts_on, -months * place), plus_months(starts_on, -months * (place - 1)))
        for place in range(1, count + 1)
    )


def past_periods(
    spans: Sequence[tuple[date, date]], days: Sequence[Bucket], elapsed: Elapsed, zone: ZoneInfo
) -> tuple[PastPeriod, ...]:
    """The earlier periods that say something about the pace, the latest first; `days` is the series of their days.

    Left out: periods that begin before anything was counted, with a day of unknown value, or with a final value of 0.
    """
    values = {day_of(bucket.starts_at, zone): bucket.value for bucket in days}
    first = min((day for day, value in values.items() if value != 0), default=None)
    found = []
    for starts_on, before in spans:
        within = [starts_on + timedelta(days=number) for number in range((before - starts_on).days)]
        # The days that a time zone skips have no bucket.
        known = [values.get(day, Decimal(0)) for day in within]
        amounts = [value for value in known if value is not None]
        final = sum(amounts, Decimal(0))
        if first is None or starts_on <= first or len(amounts) < len(known) or not final:
            continue
        stood = Fraction(sum(amounts[: elapsed.days], Decimal(0)))
        if elapsed.days < len(amounts):
            stood += Fraction(amounts[elapsed.days]) * elapsed.part
        found.append(PastPeriod(starts_on, before, final, stood))
    return tuple(found[:MOST_PERIODS])


def mean_share(periods: Sequence[PastPeriod]) -> Fraction:
    """The mean of the shares of at least one period."""
    return sum((period.share for period in periods), Fraction(0)) / len(periods)


def pace_of(target: Decimal, value: Decimal | None, as_of: datetime, periods: Sequence[PastPeriod]) -> TargetPace:
    """What should stand by now, from at least one earlier period."""
    share = mean_share(periods)
    expected = quantized(Fraction(target) * share, CENT)
    return TargetPace(
        at=as_of,
        share=quantized(share, MILLIONTH),
        expected=expected,
        ahead=None if value is None else value - expected,
        based_on=tuple(
            PastPace(
                starts_on=period.starts_on,
                before=period.before,
                value=period.final,
                share=quantized(period.share, MILLIONTH),
            )
            for period in periods
        ),
    )


def forecast_of(target: Decimal, value: Decimal, periods: Sequence[PastPeriod]) -> TargetForecast | None:
    """The value to expect at the end, with the error of the same forecast in the past; None if nothing stood by now."""
    share = mean_share(periods)
    shares = [period.share for period in periods]
    if share <= 0 or max(shares) <= 0:
        return None
    expected = Fraction(value) / share
    errors = past_errors(periods)
    return TargetForecast(
        value=quantized(expected, CENT),
        low=quantized(Fraction(value) / max(shares), CENT),
        high=None if min(shares) <= 0 else quantized(Fraction(value) / min(shares), CENT),
        attainment=quantized(expected / Fraction(target), MILLIONTH) if target else None,
        error=quantized(sum(errors, Fraction(0)) / len(errors), MILLIONTH) if errors else None,
        tests=len(errors),
    )


def past_errors(periods: Sequence[PastPeriod]) -> list[Fraction]:
    """The errors of the forecast in earlier periods as shares of their values, each from the periods before it.

    Shapes: n periods, the latest first -> at most n - 1 errors, without their signs.
    """
    errors = []
    for place, period in enumerate(periods):
        older = periods[place + 1 :]
        if older and (share := mean_share(older)) > 0:
            errors.append(abs(period.stood / share / Fraction(period.final) - 1))
    return errors

"""The time of a preview: its days, the instant as of which it is computed, and its buckets."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from api.errors import AccordError, ErrorCode
from api.metrics.answer import AnsweredPeriod
from api.metrics.periods.buckets import buckets
from api.metrics.periods.period_days import Interval, days_of, interval_of
from api.metrics.request import Period, RelativeKind, RelativePeriod
from schema.clauses.reporting import Reporting
from schema.vocab import Grain

LAST_THREE_MONTHS = Period(named=RelativePeriod(RelativeKind.LAST, Grain.MONTH, 3))
_SHORT_DAYS = 62  # up to two months are shown by weeks


@dataclass(frozen=True, slots=True)
class PreviewFrame:
    """The days and buckets of a preview; instants UTC. `until` is the first instant after `as_of`."""

    days: Period
    interval: Interval
    zone: ZoneInfo
    reporting: Reporting
    as_of: datetime
    grain: Grain
    boundaries: tuple[datetime, ...]
    weeks: tuple[datetime, ...]

    @property
    def start(self) -> datetime:
        """The first instant."""
        return self.boundaries[0]

    @property
    def end(self) -> datetime:
        """The first instant after the period, or after its last bucket that has begun."""
        return self.boundaries[-1]

    @property
    def period(self) -> AnsweredPeriod:
        """The period as answers show it."""
        is_over = self.interval.end is not None and self.interval.end <= self.as_of
        return AnsweredPeriod(
            starts_on=self.days.starts_on, before=self.days.before, timezone=self.zone.key, is_over=is_over
        )


def preview_frame(period: Period, reporting: Reporting, now: datetime) -> PreviewFrame:
    """Find the days, instants and buckets of a preview's period.

    Errors: BAD_PERIOD for a period without a beginning or an end, for one that has not begun, and those of the period.
    """
    zone = ZoneInfo(reporting.timezone)
    days = days_of(period, zone, now, reporting)
    if days.starts_on is None or days.before is None:
        message = "A preview needs a period with a beginning and an end."
        raise AccordError(ErrorCode.BAD_PERIOD, message, "Name one, such as 2026-Q1, or give both dates of a range.")
    interval = interval_of(days, zone)
    if interval.start is not None and interval.start > now:
        message = f"The period begins on {days.starts_on}, which is not past: there is nothing to compare yet."
        raise AccordError(ErrorCode.BAD_PERIOD, message, "Name a period that has begun.")
    grain = Grain.WEEK if (days.before - days.starts_on).days <= _SHORT_DAYS else Grain.MONTH
    shown, weeks = (
        buckets(days, interval.start or now, now, length, zone, reporting) for length in (grain, Grain.WEEK)
    )
    return PreviewFrame(days, interval, zone, reporting, now, grain, shown, weeks)

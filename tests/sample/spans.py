"""The time over which a plain count goes."""

from dataclasses import dataclass
from datetime import datetime, timedelta

MOMENT = timedelta(microseconds=1)


@dataclass(frozen=True)
class Span:
    """The instants from `start` until before `before`, up to now."""

    start: datetime | None
    before: datetime | None
    now: datetime

    def holds(self, at: datetime | None) -> bool:
        """Whether an instant lies in it."""
        return at is not None and at < self.end and (self.start is None or at >= self.start)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return min(self.before or self.now + MOMENT, self.now + MOMENT)

"""What the sums of a KPI are of, and which of them a request reads."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

Span = tuple[datetime | None, datetime | None]  # `[start, end)`; None for an open end


class SumUnit(Enum):
    """What time one sum is of."""

    DAY = auto()  # the rows of a day, which add up
    MONTH = auto()  # the rows of a month with every length, because percentiles do not add up
    MONTH_END = auto()  # the state at the last instant of a month


@dataclass(frozen=True, slots=True)
class SummedRows:
    """The counted rows of a kind that has sums: of what time one sum is, and the journeys whose changes outdate it.

    `parts` are the stages, or the events of deals; empty for all of them. Rows before `split_at` count apart from those
    at or after it, so that the sum of its day is of no use.
    """

    unit: SumUnit
    source: str
    parts: tuple[str, ...] = ()
    split_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class SumsRead:
    """The sums that a statement reads, and the times for which it reads journeys.

    `start` and `end` bound the units that have sums, but those of `without`; the `unsummed` times are read from
    journeys. A state has `instants` in their place.
    """

    measure: int
    unit: SumUnit
    start: datetime | None = None
    end: datetime | None = None
    without: tuple[datetime, ...] = ()
    unsummed: tuple[Span, ...] = ()
    instants: tuple[datetime, ...] = ()
    is_complete: bool = False  # whether the statement reads no journey


@dataclass(frozen=True, slots=True)
class SumsStored:
    """The sums that a statement computes to be stored: the units that start at these instants."""

    unit: SumUnit
    starts: tuple[datetime, ...]

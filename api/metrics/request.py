"""The requests of this package: for a KPI or the funnel, with period, grain, dimensions, filter and switches."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from schema.vocab import Anchor, Dimension, Grain, Reentry, Skip


@dataclass(frozen=True, slots=True)
class Last:
    """The last N days, weeks, months …, up to the day of `asOf`; the days are computed for each request."""

    count: int
    unit: Grain


@dataclass(frozen=True, slots=True)
class FiscalPeriod:
    """A fiscal year by its name, or one of its quarters (1 to 4); the accord says which days it has."""

    year: int
    quarter: int | None = None


@dataclass(frozen=True, slots=True)
class RelativeFiscalPeriod:
    """The fiscal quarter or year of the day of `asOf`, or the one before it."""

    is_year: bool
    is_last: bool


@dataclass(frozen=True, slots=True)
class Period:
    """The days `[starts_on, before)` in the reporting time zone; None for an open end.

    With `last` or `fiscal` the other two are None, and the days are computed for each request.
    """

    starts_on: date | None = None
    before: date | None = None
    last: Last | None = None
    fiscal: FiscalPeriod | RelativeFiscalPeriod | None = None


ALL_HISTORY = Period()


@dataclass(frozen=True, slots=True)
class StagePair:
    """Two stages of the accord by key: the base, and the higher target."""

    base: str
    target: str


@dataclass(frozen=True, slots=True)
class Switches:
    """Choices of how to count, which change the value. None means the KPI's default."""

    anchor: Anchor | None = None
    reentry: Reentry | None = None
    skip: Skip | None = None
    window: timedelta | None = None
    has_no_window: bool = False
    as_of: datetime | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """A filter over dimensions: all given parts must be true.

    The values of a test are texts or, if the dimension's values are records, their ids or names. None is the
    empty value.
    """

    tests: tuple[tuple[Dimension, tuple[str | None, ...]], ...] = ()
    all_of: "tuple[Where, ...]" = ()
    any_of: "tuple[Where, ...]" = ()
    none_of: "tuple[Where, ...]" = ()


@dataclass(frozen=True, slots=True)
class KpiRequest:
    """A request for one KPI."""

    key: str
    period: Period = ALL_HISTORY
    grain: Grain | None = None
    by: tuple[Dimension, ...] = ()
    stages: StagePair | None = None
    where: Where = field(default_factory=Where)
    switches: Switches = field(default_factory=Switches)


@dataclass(frozen=True, slots=True)
class FunnelRequest:
    """A request for the funnel."""

    period: Period = ALL_HISTORY
    by: tuple[Dimension, ...] = ()
    where: Where = field(default_factory=Where)
    switches: Switches = field(default_factory=Switches)

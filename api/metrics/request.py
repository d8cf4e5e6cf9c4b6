"""What can be asked: a KPI or the funnel, for a period, by bucket and dimension, under the switches of the design."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from schema.vocab import Anchor, Dimension, Grain, Reentry, Skip


@dataclass(frozen=True, slots=True)
class Last:
    """So many days, weeks, months … that end with the day of `asOf`; which days these are depends on the question."""

    count: int
    unit: Grain


@dataclass(frozen=True, slots=True)
class Period:
    """The half-open stretch of days `[starts_on, before)` in the reporting zone; an open end is None.

    With `last` the days are found when the question is asked, and the other two are None.
    """

    starts_on: date | None = None
    before: date | None = None
    last: Last | None = None


ALL_HISTORY = Period()


@dataclass(frozen=True, slots=True)
class StagePair:
    """Two stages of the accord, by key: from the base up to the target."""

    base: str
    target: str


@dataclass(frozen=True, slots=True)
class Switches:
    """The choices that make two honest numbers differ. None means the KPI's own default."""

    anchor: Anchor | None = None
    reentry: Reentry | None = None
    skip: Skip | None = None
    window: timedelta | None = None
    has_no_window: bool = False
    as_of: datetime | None = None
    timezone: str | None = None


@dataclass(frozen=True, slots=True)
class Where:
    """A filter over dimensions: every part that is there must hold.

    `values` of a test are ids (campaign, owner, team, pipeline, product) or texts; None is the empty value.
    """

    tests: tuple[tuple[Dimension, tuple[str | None, ...]], ...] = ()
    all_of: "tuple[Where, ...]" = ()
    any_of: "tuple[Where, ...]" = ()
    none_of: "tuple[Where, ...]" = ()


@dataclass(frozen=True, slots=True)
class KpiRequest:
    """One question about one KPI."""

    key: str
    period: Period = ALL_HISTORY
    grain: Grain | None = None
    by: tuple[Dimension, ...] = ()
    stages: StagePair | None = None
    where: Where = field(default_factory=Where)
    switches: Switches = field(default_factory=Switches)


@dataclass(frozen=True, slots=True)
class FunnelRequest:
    """One question about the whole funnel."""

    period: Period = ALL_HISTORY
    by: Dimension | None = None
    where: Where = field(default_factory=Where)
    switches: Switches = field(default_factory=Switches)

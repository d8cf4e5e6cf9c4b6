"""The requests of this package: for a KPI or the funnel, with period, grain, dimensions, filter and switches."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import Enum, auto

from api.plan.list_arguments import Condition
from schema.accord_vocab import Reading
from schema.kpis.comparisons import Comparand, ComparedSpan
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.switch_words import Censoring, CurrencyRule, CycleStart, Exclusion, FilterScope
from schema.vocab import Anchor, Grain, Reentry, Skip


class RelativeKind(Enum):
    """How a period lies to the day of `asOf`."""

    THIS = auto()  # the whole unit that has the day
    TO_DATE = auto()  # its days up to that day
    LAST = auto()  # whole units before it
    TRAILING = auto()  # back from that day, without it
    SAME_LAST_YEAR = auto()  # the same unit a year ago


@dataclass(frozen=True, slots=True)
class RelativePeriod:
    """Days, weeks, months … before or around the day of `asOf`; the days are computed for each request."""

    kind: RelativeKind
    unit: Grain
    count: int = 1


@dataclass(frozen=True, slots=True)
class FiscalPeriod:
    """A fiscal year by its name, or one of its quarters (1 to 4); the accord says which days it has."""

    year: int
    quarter: int | None = None


@dataclass(frozen=True, slots=True)
class IsoWeek:
    """A week from Monday to Sunday; it is a period if the accord's weeks begin on Monday."""

    monday: date

    def __str__(self) -> str:
        year, week, _ = self.monday.isocalendar()
        return f"{year:04d}-W{week:02d}"


@dataclass(frozen=True, slots=True)
class Period:
    """The days `[starts_on, before)` in the reporting time zone; None for an open end.

    With `named` the other two are None, and the days are computed for each request.
    """

    starts_on: date | None = None
    before: date | None = None
    named: RelativePeriod | FiscalPeriod | IsoWeek | None = None


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
    reading: Reading | None = None
    accord_version: int | None = None
    known_at: datetime | None = None
    censoring: Censoring | None = None
    exclusions: frozenset[Exclusion] | None = None
    currency_rule: CurrencyRule | None = None
    filter_scope: FilterScope | None = None
    cycle_start: CycleStart | None = None


def known_as_of(switches: Switches, now: datetime) -> datetime:
    """The instant as of which a request is computed: its `asOf`, but not after now, since nothing is known of later."""
    if switches.as_of is None:
        return now
    return min(switches.as_of, now)


@dataclass(frozen=True, slots=True)
class RecordFilter:
    """A filter over the counted records as they are now: that of a list of their table.

    `given` is the same filter as JSON, in the form in which GraphQL takes it.
    """

    table: str
    condition: Condition
    given: str


@dataclass(frozen=True, slots=True)
class Where:
    """A filter over dimensions and over the counted records: all given parts must be true.

    The values of a test are texts or, if the dimension's values are records, their ids or names. None is the
    empty value.
    """

    tests: tuple[tuple[Dimension, tuple[str | None, ...]], ...] = ()
    all_of: "tuple[Where, ...]" = ()
    any_of: "tuple[Where, ...]" = ()
    none_of: "tuple[Where, ...]" = ()
    records: tuple[RecordFilter, ...] = ()


@dataclass(frozen=True, slots=True)
class ComparedTo:
    """What an answer is compared with: an earlier period, the targets, or a version of the accord by its number."""

    comparand: Comparand
    span: ComparedSpan = ComparedSpan.TO_DATE
    accord_version: int | None = None


@dataclass(frozen=True, slots=True)
class KpiRequest:
    """A request for one KPI.

    With `top`, the breakdown has that many groups, and one more for all others. `kept` names the groups in place of
    those with the highest values: an answer and what it is compared with have the same ones.
    """

    key: str
    period: Period = ALL_HISTORY
    grain: Grain | None = None
    by: tuple[Dimension, ...] = ()
    stages: StagePair | None = None
    where: Where = field(default_factory=Where)
    switches: Switches = field(default_factory=Switches)
    compare_to: ComparedTo | None = None
    top: int | None = None
    kept: tuple[tuple[object, ...], ...] | None = None


@dataclass(frozen=True, slots=True)
class FunnelRequest:
    """A request for the funnel. With `top`, the breakdown has that many groups, and one more for all others."""

    period: Period = ALL_HISTORY
    by: tuple[Dimension, ...] = ()
    where: Where = field(default_factory=Where)
    switches: Switches = field(default_factory=Switches)
    top: int | None = None

"""A KPI request with every default filled in: each switch has a value, each name is known, each date is an instant."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from uuid import UUID
from zoneinfo import ZoneInfo

from api.errors import AccordError, ErrorCode
from api.metrics.context import MetricContext
from api.metrics.day_sums.summed_rows import SumsRead, SumsStored
from api.metrics.periods.period_days import Interval
from api.metrics.request import Period, RecordFilter, Where
from api.plan.value_checks.known_values import UnknownText
from api.sql import Sql, name
from schema.accord import Accord
from schema.kpis.answer_vocab import AnsweredFrom
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import DimensionMeaning, meanings
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.kpis.switch_words import Censoring, CurrencyRule, CycleStart, FilterScope
from schema.vocab import Anchor, Grain, Reentry, Skip

MICROSECOND = timedelta(microseconds=1)  # the precision of instants


class Population(Enum):
    """Which records a statement reads."""

    COUNTED = auto()
    EXCLUDED = auto()  # those that would be counted, but for who or what they are


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFrame:
    """The period of a request, and the instant as of which it is computed.

    As of an instant, every fact at or before it counts.
    """

    as_of: datetime
    is_past: bool  # the request names `asOf`: what changed since then has to be read from history
    zone: ZoneInfo
    days: Period
    interval: Interval
    overrides: tuple[str, ...]
    ahead: datetime | None = None  # the requested `asOf`, if it lies after the last instant of which anything is known

    @property
    def until(self) -> datetime:
        """The first instant after `asOf`: a fact counts if it lies before this bound."""
        return self.as_of + MICROSECOND

    @property
    def has_begun(self) -> bool:
        """Whether any instant of the period lies at or before `asOf`."""
        return self.interval.start is None or self.interval.start < self.until

    @property
    def is_over(self) -> bool:
        """Whether the whole period lies at or before `asOf`; False if it has no end."""
        return self.interval.end is not None and self.interval.end <= self.until


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedKpiRequest:
    """One request for one KPI, validated and complete.

    `stages` are the stages whose entries are read: one, all of them, the base and the target, or none. `windows` are
    those of the versions of the accord by which the base entries were judged, by their ids; empty if all have `window`.
    """

    kpi: Kpi
    context: MetricContext
    frame: TimeFrame
    grain: Grain | None
    by: tuple[Dimension, ...]
    where: Where
    stages: tuple[str, ...]
    anchor: Anchor
    reentry: Reentry
    skip: Skip
    window: timedelta | None
    overrides: tuple[str, ...]
    windows: tuple[tuple[UUID, timedelta | None], ...] = ()
    unknown_values: tuple[UnknownText, ...] = ()  # free texts of `where` that no record ever had
    population: Population = Population.COUNTED
    reads_journeys: bool = False  # whether its counted rows are journeys
    sums: SumsRead | SumsStored | None = None  # of its statement alone: the day sums that it reads or computes
    censoring: Censoring = Censoring.ALL_OPEN
    filter_scope: FilterScope | None = None  # None for a KPI without two ends
    currency_rule: CurrencyRule = CurrencyRule.TRANSACTION_DATE
    cycle_start: CycleStart = CycleStart.OPENED
    whole: Interval | None = None  # of a bucket's request: the interval of the whole request
    kept: tuple[tuple[object, ...], ...] | None = None  # with `top`: the values of the groups beside Other
    has_never_counted: bool = False  # whether its statement has the query `never_counted` of `api.metrics.population`

    @property
    def has_other(self) -> bool:
        """Whether its rows have one more key after those of the dimensions: whether they are in the group Other."""
        return bool(self.by) and self.kept is not None

    @property
    def key_count(self) -> int:
        """The number of keys of its rows."""
        return len(self.by) + self.has_other

    def is_other(self, keys: tuple[object, ...]) -> bool:
        """Whether the keys are those of the group Other, in which every dimension has any value."""
        return self.has_other and keys[-1] is True

    @property
    def is_about_contacts(self) -> bool:
        """Whether its counted rows are contacts."""
        return self.kpi.subject is Subject.PERSON

    @property
    def reads_entries(self) -> bool:
        """Whether its value depends on stage entries."""
        return self.kpi.switches.reads_stages or self.cycle_start is CycleStart.SQL

    @property
    def horizon(self) -> datetime:
        """The first instant of which nothing is known: after `asOf`, and after now if `asOf` lies in the future."""
        return min(self.frame.until, self.context.now + MICROSECOND)

    @property
    def lacks_contacts(self) -> bool:
        """Whether it is about contacts and the principal reaches none: its value is null, whatever else it needs."""
        return self.is_about_contacts and not self.context.has_contacts

    @property
    def answered_from(self) -> AnsweredFrom:
        """Which rows its statement reads."""
        if isinstance(self.sums, SumsRead):
            return AnsweredFrom.DAY_SUMS
        return AnsweredFrom.JOURNEYS if self.reads_journeys else AnsweredFrom.FACTS

    @property
    def is_excluded_only(self) -> bool:
        """Whether its statement reads the excluded records alone."""
        return self.population is Population.EXCLUDED

    @property
    def has_one_ladder(self) -> bool:
        """Whether all versions that judge have the stages that the answer shows, in their order."""
        shown = [stage.key for stage in self.context.accord.stages]
        return all([stage.key for stage in version.accord.stages] == shown for version in self.context.versions)

    def rank(self, entry: str) -> Sql:
        """The rank of an entry on the ladder that the answer shows; null for a stage that this ladder does not have.

        Entries that another version judged have the rank of that one: then the stage is looked up by its key.
        """
        if self.has_one_ladder:
            return Sql("{}.rank", name(entry))
        shown = [stage.key for stage in self.context.accord.stages]
        return Sql("array_position({}::text[], {}.stage)", shown, name(entry))

    @property
    def whole_interval(self) -> Interval:
        """The interval of the request, also within one bucket: what depends on all rows is the same for its parts."""
        return self.whole or self.frame.interval

    @property
    def row_filter(self) -> Where:
        """The filter that every counted row has to pass. If it is for one end alone, the kind applies it itself."""
        is_of_rows = self.filter_scope in (None, FilterScope.BOTH)
        is_of_base = self.filter_scope is FilterScope.BASE and self.anchor is Anchor.COHORT
        return self.where if is_of_rows or is_of_base else Where()

    @property
    def dimensions(self) -> tuple[DimensionMeaning, ...]:
        """What the dimensions of the breakdown, then those of the filter, mean."""
        return meanings(self.kpi.subject, (*self.by, *dimensions_of(self.where)))


def dimensions_of(where: Where) -> Iterator[Dimension]:
    """The dimensions that a filter tests, in the order of the filter."""
    yield from (dimension for dimension, _ in where.tests)
    for part in (*where.all_of, *where.any_of, *where.none_of):
        yield from dimensions_of(part)


def record_filters_of(where: Where) -> Iterator[RecordFilter]:
    """The filters over the counted records within a filter."""
    yield from where.records
    for part in (*where.all_of, *where.any_of, *where.none_of):
        yield from record_filters_of(part)


def unknown_stage(key: str, accord: Accord) -> AccordError:
    """The error for a stage that the accord does not have."""
    stages = ", ".join(stage.key for stage in accord.stages)
    return AccordError(
        ErrorCode.UNKNOWN_STAGE, f"The accord '{accord.title}' has no stage '{key}'.", f"Its stages are {stages}."
    )

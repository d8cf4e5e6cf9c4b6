"""The result of a KPI request: values with numerator, denominator and n, and what they were computed from.

GraphQL derives its answer types from these dataclasses: the description of a field is its `doc`, the name of a type is
`__graphql_name__`, or else the class name.
"""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Protocol

from api.metrics.request import KpiRequest
from api.sql import Sql
from schema.clauses.contact_policy import ContactPolicy
from schema.described import described
from schema.kpis.answer_vocab import AnsweredFrom, WarningCode
from schema.kpis.comparisons import ChangeDrivers, Comparand
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import DimensionMeaning
from schema.kpis.target_progress import TargetProgress
from schema.kpis.variants import VariantRule
from schema.vocab import Currency, NotCountedReason, RecordSide, Unit


class DrillDown(Protocol):
    """A query for the records that a figure counts; `api/metrics/record_lists/` reads it page by page."""

    @property
    def table(self) -> str:
        """The table of the records."""

    @property
    def known_at(self) -> datetime | None:
        """The instant at which the facts were known that its query reads; None for all facts."""

    @property
    def contact_policy(self) -> ContactPolicy | None:
        """The policy that the people are measured against; None if the KPI does not count touches against it."""

    def rows(self, side: RecordSide, *, has_pressure: bool = False) -> Sql:
        """A select of the records of one side: `id, at, tie, value`; with `has_pressure` also a `ContactPressure`.

        Errors: BAD_INPUT if there is no such side. ValueError for `has_pressure` without a `contact_policy`.
        """


@dataclass(frozen=True, kw_only=True)
class ContactPressure:
    """The most touches that a person had at once while over the contact policy.

    At every instant the policy counts the touches of the rolling time before it. Of the instants of the figure's time
    at which the person was over the policy, this is the one with the most touches, and of several the first.
    """

    touches: int = described(
        "The number of touches, without those that the policy exempts. It is greater than `atMost`."
    )
    at_most: int = described("The highest number of touches within the policy.")
    within: timedelta = described("The length of the policy's rolling time.")
    first_touch_at: datetime = described("The first of the touches. It may lie before the figure's period.")
    last_touch_at: datetime = described(
        "The last of the touches. It lies before the figure's period if the person was over the policy when the period "
        "began, and less so later."
    )


@dataclass(frozen=True, kw_only=True)
class Distribution:
    """The distribution of durations or amounts, in the answer's unit. Percentiles are interpolated."""

    __graphql_name__ = "KpiDistribution"

    median: Decimal = described("Half of the values are at most this.")
    p75: Decimal = described("75 % of the values are at most this.")
    p90: Decimal = described("90 % of the values are at most this.")
    mean: Decimal = described("The average.")
    max: Decimal | None = described("The largest value; null for durations and amounts.", default=None)


@dataclass(frozen=True, kw_only=True)
class KeptApart:
    """Amounts of one currency that no exchange rate converts. They are not part of the value."""

    __graphql_name__ = "KpiAmountsApart"

    currency: Currency | None = described("Their currency; null if the source has none.")
    value: Decimal = described("Their sum or average, in their own currency.")
    n: int = described("The number of amounts.")


@dataclass(frozen=True, kw_only=True)
class KpiPart:
    """One of the parts from which a formula computes a value."""

    name: str = described("The part's name, such as `win_rate`. It is the same in every answer of the KPI.")
    title: str = described("What the part is, for display.")
    unit: Unit = described("The unit of its value. Money is in the answer's currency.")
    value: Decimal | None = described("Its value, rounded for display; null if it has none.")
    numerator: Decimal | None = described("The numerator of a share or an average; null otherwise.")
    denominator: Decimal | None = described("The denominator of a share or an average; null otherwise.")
    n: int = described("The number of records it counts; 0 for a value that the accord states.")
    drill_down: DrillDown | None = field(default=None, repr=False, compare=False)  # not a field of the GraphQL type


@dataclass(frozen=True, kw_only=True)
class Variant:
    """The value by one of several rival rules."""

    __graphql_name__ = "KpiVariant"

    rule: VariantRule = described("The rule.")
    value: Decimal | None = described("The value by this rule, in the answer's unit.")
    numerator: Decimal | None = described("The numerator of a ratio; null otherwise.")
    denominator: Decimal | None = described("The denominator of a ratio; null otherwise.")
    is_canonical: bool = described("Whether the figure's own value is by this rule.")
    reason: str | None = described("Why the value is null; null if it is not.", default=None)


@dataclass(frozen=True, kw_only=True)
class KpiFigure:
    """One value and the numbers it was computed from."""

    value: Decimal | None = described(
        "The value in the answer's unit: a count, a share between 0 and 1, money, or the median in seconds."
    )
    numerator: Decimal | None = described("The numerator of a ratio or an average; null otherwise.")
    denominator: Decimal | None = described("The denominator of a ratio or an average; null otherwise.")
    n: int = described("The denominator of a ratio, otherwise the number of counted rows, including those in `apart`.")
    implied: int = described("How many of n entered the stage only because they entered a higher one.")
    distribution: Distribution | None = described("The distribution of a duration or an average; null otherwise.")
    apart: tuple[KeptApart, ...] = described(
        "Amounts that no exchange rate converts to the answer's currency, by currency."
    )
    parts: tuple[KpiPart, ...] = described(
        "The parts from which the KPI's formula computes the value; empty for a KPI without a formula. The `n` and "
        "`records` of the figure are those of the first part.",
        default=(),
    )
    variants: tuple[Variant, ...] = described(
        "The value by each of several rival rules; empty for a KPI that has one rule.", default=()
    )
    drill_down: DrillDown | None = field(default=None, repr=False, compare=False)  # not a field of the GraphQL type


@dataclass(frozen=True, kw_only=True)
class AnsweredPeriod:
    """The days that an answer is about."""

    __graphql_name__ = "KpiPeriod"

    starts_on: date | None = described("The first day; null if the period has no start.")
    before: date | None = described("The first day after the period; null if it has no end.")
    timezone: str = described("The time zone in which the days begin and end (IANA name).")
    is_over: bool = described("Whether the whole period lies at or before `asOf`; false if it has no end.")


@dataclass(frozen=True, kw_only=True)
class Bucket(KpiFigure):
    """The figure of one bucket of time."""

    __graphql_name__ = "KpiBucket"

    period: str | None = described(
        "The bucket's name, such as `2026-Q1`, `2026-W10` or `FY2026-Q1`, which `period: {named: …}` accepts; null for "
        "a bucket that the requested period cuts, and for a week that begins on Sunday."
    )
    starts_at: datetime = described("The bucket's first instant.")
    before: datetime = described("The first instant after the bucket.")
    is_partial: bool = described("Whether the requested period cuts the bucket, so that it is shorter than others.")
    is_open: bool = described("Whether the bucket ends after `asOf`, so that its figure may still change.")


@dataclass(frozen=True, kw_only=True)
class BreakdownKey:
    """One value of one dimension."""

    dimension: Dimension = described("The dimension.")
    id: str | None = described(
        "The id of the record that is the value (a campaign, a company, …), to filter or fetch by; null for a text."
    )
    value: str | None = described("The value; null if the source has none.")
    label: str = described("The value as text for display.")
    is_other: bool = described("True for the group of all that are not among the `top` groups; it has no value.")


@dataclass(frozen=True, kw_only=True)
class Group(KpiFigure):
    """The figure of one combination of values of the requested dimensions."""

    __graphql_name__ = "KpiGroup"

    keys: tuple[BreakdownKey, ...] = described("The value of every requested dimension, in the requested order.")
    series: tuple[Bucket, ...] = described("The group's figure for every bucket, if a grain was requested.")


@dataclass(frozen=True, kw_only=True)
class AnswerWarning:
    """Something to know before using the value."""

    code: WarningCode = described("The kind of warning.")
    message: str = described("The warning in words, for this answer.")
    count: int | None = described("The number of rows it concerns; of `PERIOD_OPEN`, of days to come.")


@dataclass(frozen=True, kw_only=True)
class AccordUsed:
    """A version of the accord that produced the counted stage entries."""

    version: int = described("The version's number.")
    hash: str = described("The SHA-256 of its content, which signatures refer to.")
    is_signed: bool = described("Whether both teams signed it.")
    signed_at: datetime | None = described("When the second of the two teams signed it; null if it is not signed.")
    starts_at: datetime | None = described("The instant it came into force; null means the beginning of time.")
    fiscal_year: str | None = described(
        "When its fiscal years begin and how they are named, as a sentence; null if they are calendar years."
    )


@dataclass(frozen=True, kw_only=True)
class ExcludedCount:
    """How many records a number leaves out for one reason."""

    __graphql_name__ = "KpiExcludedCount"

    reason: NotCountedReason = described("The reason.")
    count: int = described("How many records it excludes. Each record is counted under one reason only.")


@dataclass(frozen=True, kw_only=True)
class Excluded:
    """The records that would be part of a number, but for who or what they are. The exclusions are those of today."""

    __graphql_name__ = "KpiExcluded"

    count: int = described("How many records are left out.")
    reasons: tuple[ExcludedCount, ...] = described(
        "The same by reason. A list with the same filter shows the counted records and those under `TEST`, `INTERNAL` "
        "and `NEGATIVE`; it leaves out the deleted and the merged ones."
    )


@dataclass(frozen=True, kw_only=True)
class Provenance:
    """What an answer was computed from."""

    warnings: tuple[AnswerWarning, ...] = described("What to know before using the value.")
    dimensions: tuple[DimensionMeaning, ...] = described(
        "What the dimensions of the breakdown, then those of the filter, mean in this answer."
    )
    excluded: Excluded = described(
        "The records that are left out for who or what they are. Otherwise they would be in `n`, or in the cohort of a "
        "funnel."
    )
    is_canonical: bool = described("Whether every switch has its default, and every record was read.")
    overrides: tuple[str, ...] = described(
        "The switches that do not have their default, such as `skip=EXCLUDE`, and `scope=TEAM` or `scope=OWN` if only "
        "the records within the caller's reach were read."
    )
    accords: tuple[AccordUsed, ...] = described("The versions of the accord that produced the counted stage entries.")
    period: AnsweredPeriod = described("The days that the requested period means.")
    as_of: datetime = described("Events at or before this instant count.")
    known_at: datetime | None = described("Facts recorded at or before this instant count; null: all facts.")
    evaluated_at: datetime | None = described(
        "When the counted stage entries were evaluated, of a reading other than IN_FORCE or with `knownAt`: they are"
        " kept as they were then. Null for entries that follow every write, and without stage entries."
    )
    answered_from: AnsweredFrom = described("Which rows the answer was computed from.")
    data_watermark: datetime | None = described(
        "When the newest fact that was read had been recorded. Of figures about people: null for whoever reaches only a"
        " part of the records."
    )
    sql: str = described("The SQL statement that computed the answer, for checking.")


@dataclass(frozen=True, kw_only=True)
class ComparedFigure(KpiFigure):
    """A figure that one of the answer is compared with. Of a target, only the value is known, and n is 0."""

    __graphql_name__ = "KpiComparedFigure"

    change: Decimal | None = described("The answer's value minus this one; null if one of them is null.")
    relative_change: Decimal | None = described(
        "The change divided by this value, so that 0.25 is 25 % more; null if there is no change or this value is not "
        "above 0."
    )


@dataclass(frozen=True, kw_only=True)
class ComparedBucket(ComparedFigure):
    """The figure of a bucket that one of the answer's series is compared with."""

    __graphql_name__ = "KpiComparedBucket"

    period: str | None = described("The name of this bucket, as in the answer's series; null if it has none.")
    starts_at: datetime | None = described("Its first instant; null if the answer's bucket has no counterpart.")
    before: datetime | None = described("The first instant after it.")


@dataclass(frozen=True, kw_only=True)
class ComparedGroup(ComparedFigure):
    """The figure of a group that one of the answer is compared with."""

    __graphql_name__ = "KpiComparedGroup"

    keys: tuple[BreakdownKey, ...] = described("The value of every requested dimension, in the requested order.")
    series: tuple[ComparedBucket, ...] = described("As the series of the whole comparison, of the group.")
    mix: Decimal | None = described(
        "Of the change of a rate: what the change of the group's share of the denominator adds to it; null if there "
        "are no `drivers`."
    )
    rate: Decimal | None = described(
        "Of the change of a rate: what the change of the group's own rate adds to it; null if there are no `drivers`."
    )


@dataclass(frozen=True, kw_only=True)
class KpiComparison(ComparedFigure):
    """What an answer is compared with, and how it differs."""

    compared_to: Comparand = described("What the answer is compared with.")
    period: AnsweredPeriod = described("The days that it is about.")
    is_to_date: bool = described(
        "Whether it is an earlier period of which only so much counts as has passed of the requested one."
    )
    as_of: datetime = described("Events at or before this instant count in it.")
    accords: tuple[AccordUsed, ...] = described("The versions of the accord that produced its stage entries.")
    series: tuple[ComparedBucket, ...] = described(
        "The bucket that each bucket of the answer's series is compared with, in the same order: the first with the "
        "first. If it has more of them, they follow, without a change."
    )
    breakdown: tuple[ComparedGroup, ...] = described(
        "The group that each group of the answer's breakdown is compared with, in the same order, then the groups that "
        "the answer does not have. A group that one side lacks has there the value of no records: 0 for a count, null "
        "for a rate."
    )
    drivers: ChangeDrivers | None = described(
        "The change of a rate or an average by its causes; null for other KPIs, if there is no change, and where the "
        "groups of the breakdown do not add up to the whole."
    )
    warnings: tuple[AnswerWarning, ...] = described("What to know before using the comparison.")


@dataclass(frozen=True, kw_only=True)
class KpiAnswer(KpiFigure, Provenance):
    """The answer to one KPI request."""

    key: str = described("The KPI's key.")
    title: str = described("The KPI's name for display.")
    definition: str = described("What the KPI counts.")
    unit: Unit = described("The unit of the value.")
    currency: Currency | None = described(
        "The currency of a money value, and of the numerator and denominator of a share of amounts: the accord's "
        "reporting currency, or without one the only currency of the data."
    )
    series: tuple[Bucket, ...] = described("The figure for every bucket, if a grain was requested.")
    breakdown: tuple[Group, ...] = described("The figure by the requested dimensions.")
    comparison: KpiComparison | None = described(
        "What the answer is compared with, if `compareTo` was given.", default=None
    )
    targets: tuple[TargetProgress, ...] = described(
        "The accord's targets for the requested figure, with `compareTo: {target: true}`: that of both teams first,"
        " then those of one. The first is the one that `comparison` compares with.",
        default=(),
    )
    request: KpiRequest = field(repr=False, compare=False)  # not a field of the GraphQL type
    # With `top`, the values of the groups beside Other; not a field of the GraphQL type.
    kept: tuple[tuple[object, ...], ...] | None = field(default=None, repr=False, compare=False)

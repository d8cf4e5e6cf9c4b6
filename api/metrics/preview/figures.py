"""The result of a preview: the figures of two versions of the accord over one period, and what lies between them.

GraphQL derives its types from these dataclasses, and a stored preview is their JSON. `Before` in a name stands for the
version that is compared to, `After` for the previewed one.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from api.metrics.answer import AnsweredPeriod, AnswerWarning
from schema.accord_vocab import PreviewCoverage, StageChange
from schema.described import described
from schema.vocab import Currency, Grain, TeamKind, Unit


@dataclass(frozen=True, slots=True)
class ChangedPeople:
    """Which changed people a list has: those of one stage in the period, or in one bucket of it."""

    preview_id: UUID
    stage: str
    starts_at: datetime | None = None
    before: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class PreviewBucket:
    """What two versions make of one stage in one bucket of time."""

    __graphql_name__ = "AccordPreviewBucket"

    period: str | None = described("The bucket's name, such as `2026-03`; null for one that the period cuts.")
    starts_at: datetime = described("The bucket's first instant.")
    before: datetime = described("The first instant after the bucket.")
    count_before: int | None = described(
        "How many people meet the stage's rule here for the first time by the version that is compared to; null if it"
        " does not have the stage."
    )
    count_after: int | None = described("The same by the previewed version.")
    gained: int = described("How many of `countAfter` the other version does not count in the period at all.")
    lost: int = described("How many of `countBefore` the previewed version does not count in the period at all.")
    moved: int = described("How many of `countAfter` the other version counts at another instant of the period.")
    people: ChangedPeople


@dataclass(frozen=True, kw_only=True)
class PreviewOutcome:
    """How well a stage predicts a higher one, under two versions.

    The higher stage is reached by its own rule, at or after the moment at which the person counts, up to now. Both
    versions are measured by what the version that is compared to says about the higher stage.
    """

    __graphql_name__ = "AccordPreviewOutcome"

    stage: str = described("The key of the higher stage.")
    title: str = described("Its title.")
    counted_before: int = described("How many people the version that is compared to counts in the period.")
    counted_after: int = described("How many people the previewed version counts in the period.")
    reached_before: int = described("How many of `countedBefore` reached the higher stage at or after that.")
    reached_after: int = described("How many of `countedAfter` reached the higher stage at or after that.")
    reached: int = described(
        "How many people, of those that at least one of the two versions counts in the period, reached the higher stage"
        " at or after the first of the two moments."
    )
    precision_before: Decimal | None = described("`reachedBefore` / `countedBefore`; null if nobody counts.")
    precision_after: Decimal | None = described("`reachedAfter` / `countedAfter`; null if nobody counts.")
    recall_before: Decimal | None = described("`reachedBefore` / `reached`; null if nobody reached the higher stage.")
    recall_after: Decimal | None = described("`reachedAfter` / `reached`; null if nobody reached the higher stage.")


@dataclass(frozen=True, kw_only=True)
class PreviewMoney:
    """The deals of the people whom a stage gains or loses, in the preview's currency. Each deal counts once."""

    __graphql_name__ = "AccordPreviewMoney"

    deals: int = described("The number of deals that these people have a role in and that are open or won.")
    pipeline: Decimal = described("The amounts of their open deals.")
    revenue: Decimal = described("The amounts of their won deals.")
    unknown: int = described("How many of the deals have no amount, or one that no exchange rate converts.")


@dataclass(frozen=True, kw_only=True)
class PreviewStage:
    """What two versions make of one stage in the period.

    A version counts a person at the first moment, ever, at which the stage's own rule is met. People who only enter
    because they enter a higher stage are in `entered…`, and in no other number.
    """

    __graphql_name__ = "AccordPreviewStage"

    key: str = described("The stage's key.")
    title: str = described("The stage's title in the previewed version, or else in the other one.")
    owner: TeamKind = described("The team that owns the stage.")
    change: StageChange = described("Whether both versions have the stage.")
    is_evaluated: bool = described(
        "Whether the versions can differ in when people meet the rule: false if the rule, the exits that close the"
        " stage and the stages that the rule names are the same in both."
    )
    count_before: int | None = described(
        "How many people the version that is compared to counts in the period; null if it does not have the stage."
    )
    count_after: int | None = described("The same by the previewed version.")
    entered_before: int | None = described(
        "How many people first entered the stage in the period, those who skipped it included, as the KPI STAGE_VOLUME"
        " counts, by the version that is compared to."
    )
    entered_after: int | None = described("The same by the previewed version.")
    gained: int = described("How many people only the previewed version counts in the period.")
    lost: int = described("How many people only the version that is compared to counts in the period.")
    moved: int = described("How many people both versions count in the period, at different instants.")
    gained_money: PreviewMoney = described("The deals of the people gained.")
    lost_money: PreviewMoney = described("The deals of the people lost.")
    buckets: tuple[PreviewBucket, ...] = described("The same for each month, or each week of a short period.")
    outcomes: tuple[PreviewOutcome, ...] = described(
        "For a stage whose people differ: how many of them reached each higher stage that both versions have."
    )
    people: ChangedPeople


@dataclass(frozen=True, kw_only=True)
class PreviewFigure:
    """The figure of a KPI under one version."""

    __graphql_name__ = "AccordPreviewFigure"

    value: Decimal | None = described("The value in the KPI's unit; the median in seconds for a duration.")
    numerator: Decimal | None = described("The numerator of a ratio or an average; null otherwise.")
    denominator: Decimal | None = described("The denominator of a ratio or an average; null otherwise.")
    n: int = described("The number of counted rows.")
    note: str | None = described("Why there is no value, as a sentence; null if there is one.")


@dataclass(frozen=True, kw_only=True)
class PreviewKpi:
    """A KPI that reads stages, under both versions, with its defaults and over the period."""

    __graphql_name__ = "AccordPreviewKpi"

    key: str = described("The KPI.")
    title: str = described("The KPI's name for display.")
    unit: Unit = described("The unit of the values.")
    currency: Currency | None = described("The currency of money values.")
    base_stage: str | None = described("The key of the lower stage, for a KPI between two stages; null otherwise.")
    target_stage: str | None = described("The key of the higher stage, for a KPI between two stages; null otherwise.")
    figure_before: PreviewFigure = described("The figure by the version that is compared to.")
    figure_after: PreviewFigure = described("The figure by the previewed version.")
    is_changed: bool = described("Whether the two figures differ.")


@dataclass(frozen=True, kw_only=True)
class PreviewTarget:
    """A target of the previewed version whose KPI reads stages, and what both versions make of the KPI."""

    __graphql_name__ = "AccordPreviewTarget"

    clause: str = described("The path of the target in the document, such as `targets.mqls`.")
    kpi: str = described("The KPI.")
    title: str = described("The target as a sentence.")
    unit: Unit = described("The unit of the values.")
    goal: Decimal = described("The value to reach in the target's period; in seconds for a duration.")
    measured: AnsweredPeriod = described(
        "The days of the two figures: those of the target's period, or of the preview's if that has not begun."
    )
    is_own_period: bool = described("Whether these are the days of the target's period.")
    figure_before: PreviewFigure = described("The KPI by the version that is compared to.")
    figure_after: PreviewFigure = described("The KPI by the previewed version.")


@dataclass(frozen=True, kw_only=True)
class PreviewDuty:
    """A duty of the previewed version, and what both versions make of it.

    The people of a duty of marketing are those whom a version counts in the duty's stage in the period. The people of a
    duty of sales are those whom it counts in the stage from which marketing hands over, and who were handed over at or
    after that: the first such handoff that was not returned for data counts. Both versions are measured by the duty of
    the previewed version, and by what really happened to their people up to now.
    """

    __graphql_name__ = "AccordPreviewDuty"

    clause: str = described("The path of the duty in the document, such as `handoff.marketing.volume.1`.")
    team: TeamKind = described("The team that owes it.")
    title: str = described("The duty as a sentence.")
    unit: Unit = described("The unit of the values: PEOPLE, or RATIO.")
    owed: Decimal = described("What is owed: people in each period of the duty, or a share.")
    due_before: int | None = described(
        "For how many people of the version that is compared to the duty falls due: those of whom it is known whether"
        " it was fulfilled. Whose time is not over yet is left out. Null for a volume."
    )
    due_after: int | None = described("The same by the previewed version.")
    value_before: Decimal | None = described(
        "What the version that is compared to gives. Of a volume: the people whom it counts, on average over the duty's"
        " periods that the preview's period holds entirely, for so many can be handed over at most. Of a share: the"
        " part of `dueBefore` for whom it was fulfilled. Null if there is no such period or person."
    )
    value_after: Decimal | None = described("The same by the previewed version.")


@dataclass(frozen=True, kw_only=True)
class PreviewWeek:
    """The load on one seller in one week."""

    __graphql_name__ = "AccordPreviewWeek"

    starts_on: date = described("The first day of the week; of the first week, the first day of the period.")
    count_before: int = described("How many people come to the seller by the version that is compared to.")
    count_after: int = described("The same by the previewed version.")


@dataclass(frozen=True, kw_only=True)
class PreviewSeller:
    """The people who come to one seller by the stages of sales.

    A person comes to sales at the first moment at which the rule of a sales stage is met, or of the stage just below
    the sales stages, from which marketing hands over. The seller is the person's owner at that moment, or if nobody
    owned them yet, the first owner after it.
    """

    __graphql_name__ = "AccordPreviewSeller"

    member_id: UUID | None
    name: str | None = described("The seller's name; null for people whom nobody ever owned.")
    count_before: int = described("How many people come in the period by the version that is compared to.")
    count_after: int = described("The same by the previewed version.")
    most_before: int = described("The most people in one week by the version that is compared to.")
    most_after: int = described("The same by the previewed version.")
    weeks: tuple[PreviewWeek, ...] = described("The weeks of the period, from the first to the last.")


@dataclass(frozen=True, kw_only=True)
class PreviewCoverageReport:
    """How much of the history that the evaluated rules read is really there, and not assumed.

    The people are those whom one of the versions counts in the period, for one of the evaluated stages.
    """

    __graphql_name__ = "AccordPreviewCoverage"

    grade: PreviewCoverage | None = described("The grade; null if there is nobody.")
    share: Decimal | None = described("`complete` / `people`; null if there is nobody.")
    people: int = described("The number of people.")
    complete: int = described("How many have all the history that the rules read, up to their moment.")
    assumed: int = described(
        "How many have values at their moment that a later import brought, because the source has no history."
    )
    undated: int = described("How many have a beginning or a role that nobody knows the date of.")


@dataclass(frozen=True, kw_only=True)
class Preview:
    """What a version of the accord would have changed over a period, in people and in money.

    Both versions judge the whole history by the values of each time, and their results in the period are compared.
    """

    __graphql_name__ = "AccordPreview"

    id: UUID
    version: int = described("The number of the previewed version.")
    hash: str = described("The SHA-256 of its content, which signatures name.")
    compared_version: int = described("The number of the version that it is compared to.")
    compared_hash: str = described("The SHA-256 of the content of that version.")
    period: AnsweredPeriod = described("The days of the period, in the time zone of the previewed version.")
    grain: Grain = described("The length of the buckets.")
    as_of: datetime = described("Facts at or before this instant count.")
    data_watermark: datetime | None = described("When the newest fact that was read had been recorded.")
    computed_at: datetime = described("When the preview was computed.")
    expires_at: datetime = described("Until when a signature can be given on this preview.")
    currency: Currency | None = described("The currency of the amounts; null if amounts of several are not added up.")
    stages: tuple[PreviewStage, ...] = described("The stages of both versions, from the lowest to the highest.")
    kpis: tuple[PreviewKpi, ...] = described(
        "Every KPI that reads stages; one between two stages of one's choice stands there for each step of the ladder"
        " that the change touches."
    )
    targets: tuple[PreviewTarget, ...] = described("The targets of the previewed version whose KPI reads stages.")
    duties: tuple[PreviewDuty, ...] = described(
        "The duties of the previewed version: those of marketing, then those of sales."
    )
    sellers: tuple[PreviewSeller, ...] = described("The load on each seller, most people first.")
    coverage: PreviewCoverageReport = described("How much of the history that was needed is really there.")
    warnings: tuple[AnswerWarning, ...] = described("What to know before signing on these figures.")

"""The plan of a revenue target, and the split of a change of revenue.

GraphQL derives its types from these dataclasses, as from those of `api.metrics.answer`.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from api.metrics.answer import AccordUsed, AnsweredPeriod, AnswerWarning, Distribution
from schema.described import described
from schema.kpis.planning import RevenueDriver, VarianceBaseline
from schema.vocab import Currency, TeamKind


@dataclass(frozen=True, kw_only=True)
class PlanRate:
    """A measured rate: what one entry of a step gives of the next step."""

    __graphql_name__ = "RevenuePlanRate"

    kpi: str = described(
        "The KPI that measures it. From people to deals, it is the KPI of the deals, divided by the entries."
    )
    value: Decimal | None = described("The rate, rounded to six places; of the last step, the average amount of a win.")
    numerator: Decimal | None = described("What it divides: the exact rate is numerator divided by denominator.")
    denominator: Decimal | None = described("What it divides by.")
    n: int = described("The number of records that it stands on.")
    period: AnsweredPeriod = described("The days that it was measured over.")
    warnings: tuple[AnswerWarning, ...] = described("What to know before using it, such as `LOW_SAMPLE`.")


@dataclass(frozen=True, kw_only=True)
class PlanLag:
    """The measured time from a step to the next one."""

    __graphql_name__ = "RevenuePlanLag"

    kpi: str = described("The KPI that measures it.")
    distribution: Distribution | None = described("The distribution, in seconds; null if nothing was measured.")
    n: int = described("The number of records that it stands on.")
    period: AnsweredPeriod = described("The days that it was measured over.")
    warnings: tuple[AnswerWarning, ...] = described("What to know before using it.")


@dataclass(frozen=True, kw_only=True)
class PlanBucket:
    """What a step owes in one bucket of time."""

    __graphql_name__ = "RevenuePlanBucket"

    period: str | None = described("The bucket's name, such as `2026-03`; null for a bucket that the plan cuts.")
    starts_on: date = described("The bucket's first day.")
    before: date = described("The first day after the bucket.")
    needed: int = described(
        "How many entries of the bucket the plan needs: those whose wins fall in the period of the plan. The buckets "
        "sum to `needed` of the step."
    )
    landing: Decimal = described(
        "The share of the bucket's entries, of those that win at all, whose wins fall in the period of the plan."
    )
    pace: int = described(
        "How many entries the bucket has in all at this pace, rounded up: the plan needs `landing` of them, and the "
        "others serve the periods before and after."
    )
    entered: int | None = described("How many entries it has had by `asOf`; null if it begins later.")
    owed: int = described(
        "How many of `needed` are still owed. What stands covers the earliest buckets first, so what a past bucket "
        "owes is overdue. The buckets sum to `owed` of the step."
    )


@dataclass(frozen=True, kw_only=True)
class PlanStep:
    """A step on the way to revenue: a stage of the accord, the deals opened, or the deals won."""

    __graphql_name__ = "RevenuePlanStep"

    title: str = described("The step's name for display.")
    stage: str | None = described("The key of the stage; null for deals.")
    kpi: str = described(
        "The KPI that counts its entries; of a stage, filter it by the dimension STAGE. Deals are those of new"
        " business: those opened and won, and their win rate, size and cycle. What deals of other pipelines bring is"
        " no part of the plan."
    )
    team: TeamKind = described("The team that owes the entries: the owner of the stage by the accord.")
    needed: int | None = described(
        "How many entries the target needs, rounded up; null if a rate from here on is unknown, as `missing` says."
    )
    standing: Decimal | None = described(
        "How many of the entries by `asOf` serve the plan: each day's entries times the share of its winners who win in"
        " the period, whatever has become of them since. Null if the lags are unknown."
    )
    owed: int | None = described("How many are still owed: needed less standing, rounded up, and never below 0.")
    rate: PlanRate = described("What an entry gives of the next step; of the deals won, of revenue.")
    lag: PlanLag | None = described("The time to the next step; null if the step and the next one are one event.")
    days_to_win: int | None = described("The days within which half of its winners win; null if the lags are unknown.")
    leads_to: Decimal | None = described(
        "The check: the revenue that `needed` entries lead to by the rates from here on, rounded down to the cent."
    )
    residual: Decimal | None = described("What `leads_to` exceeds the target by, through rounding up; never below 0.")
    buckets: tuple[PlanBucket, ...] = described(
        "The same by bucket, from the first day whose entries may win in the period; empty if the lags are unknown."
    )
    missing: AnswerWarning | None = described("Why figures are null; null if none is.")


@dataclass(frozen=True, kw_only=True)
class RevenuePlan:
    """What every step owes so that the revenue of a period reaches a target, by the measured rates, sizes and lags."""

    target: Decimal = described("The revenue to reach, in the plan's currency.")
    is_agreed: bool = described("Whether the target is the accord's, and not one of the request.")
    currency: Currency | None = described("The currency of all money of the plan.")
    period: AnsweredPeriod = described("The days in which the deals are won.")
    steps: tuple[PlanStep, ...] = described("The steps, from the first stage of the accord to the deals won.")
    warnings: tuple[AnswerWarning, ...] = described("What to know before using the plan.")
    is_canonical: bool = described("Whether every record was read, as of now, over the default periods.")
    overrides: tuple[str, ...] = described("What is not the default, such as `asOf=…` or `scope=TEAM`.")
    accords: tuple[AccordUsed, ...] = described("The versions of the accord whose stages the plan has.")
    as_of: datetime = described("Events at or before this instant count.")


@dataclass(frozen=True, kw_only=True)
class DriverPart:
    """The part of one driver in a change of revenue."""

    __graphql_name__ = "RevenueVariancePart"

    driver: RevenueDriver = described("The driver.")
    before: Decimal | None = described(
        "Its value in the baseline, rounded to six places; null if the baseline has none, such as a win rate without "
        "decisions: then it is taken to be as in the period, and its part is 0."
    )
    after: Decimal | None = described("Its value in the period; null if the period has none.")
    amount: Decimal = described("Its part of the change, in whole cents. The parts sum to the change.")


@dataclass(frozen=True, kw_only=True)
class RevenueVariance:
    """The change of revenue between a baseline and a period, split into what it comes from."""

    compare_to: VarianceBaseline = described("The baseline.")
    currency: Currency | None = described("The currency of all money.")
    before: Decimal | None = described("The revenue of the baseline, or the target.")
    after: Decimal | None = described("The revenue of the period.")
    change: Decimal | None = described("`after` less `before`; negative for a miss.")
    parts: tuple[DriverPart, ...] = described(
        "What the change comes from. Of volume, speed, rate and size each has the average effect over all orders in "
        "which the four could have changed (Shapley), so no order is preferred. Empty if a revenue is null."
    )
    period: AnsweredPeriod = described("The days of the period.")
    baseline: AnsweredPeriod = described(
        "The days of the baseline; of a target, the days over which speed, rate and size were measured."
    )
    warnings: tuple[AnswerWarning, ...] = described("What to know before using the split.")
    is_canonical: bool = described("Whether every record was read, as of now.")
    overrides: tuple[str, ...] = described("What is not the default, such as `asOf=…` or `scope=TEAM`.")
    as_of: datetime = described("Events at or before this instant count.")

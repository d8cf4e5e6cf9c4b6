"""Measure what a plan counts on: the rate of every step, its lag, and what has entered it. Each is a KPI's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from api.metrics.answer import AnswerWarning, KpiAnswer
from api.metrics.figure_table import share
from api.metrics.planning.histograms import read_days, read_lags
from api.metrics.planning.landing import NO_LAG, Lags
from api.metrics.planning.plan_answer import PlanLag, PlanRate
from api.metrics.planning.plan_frame import Days, PlanFrame, quotient
from api.metrics.planning.plan_ladder import LadderStep
from api.metrics.request import Period, StagePair
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.conversion import STAGE_CONVERSION, WIN_RATE
from schema.kpis.pipeline import AVG_DEAL_SIZE
from schema.kpis.velocity import SALES_CYCLE, TIME_TO_CONVERT
from schema.kpis.volume import DEALS_WON, OPPORTUNITIES_CREATED
from schema.vocab import Currency


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredStep:
    """A step with what was measured of it. `exact` is the rate; `lags` are those to the next step, None if unknown."""

    step: LadderStep
    rate: PlanRate
    exact: Fraction | None
    lag: PlanLag | None
    lags: Lags | None
    entered: Mapping[date, int]  # by day, up to `asOf`
    currency: Currency | None = None  # of the deals won: that of their amounts


async def measure_steps(
    frame: PlanFrame, ladder: Sequence[LadderStep], measured_over: Days | None
) -> tuple[MeasuredStep, ...]:
    """Measure every step of a ladder.

    Shapes: n steps -> n MeasuredSteps, in their order. Reads up to five statements for each.
    Errors: those of the KPIs.
    """
    following = [*ladder[1:], None]
    return tuple(
        [await _measure(frame, step, after, measured_over) for step, after in zip(ladder, following, strict=True)]
    )


async def _measure(
    frame: PlanFrame, step: LadderStep, after: LadderStep | None, measured_over: Days | None
) -> MeasuredStep:
    everything = frame.request(step.kpi, Period(), stage=step.stage)
    entered = await read_days(frame.session, everything, frame.context)
    if after is None:
        days = measured_over or frame.mature_quarters(None)
        answer = await frame.measure(AVG_DEAL_SIZE.key, days)
        rate, found = _rate(frame, answer, days)
        return MeasuredStep(
            step=step, rate=rate, exact=found, lag=None, lags=NO_LAG, entered=entered, currency=answer.currency
        )
    if step.stage is not None and after.stage is not None:
        pair = StagePair(step.stage, after.stage)
        days = measured_over or frame.mature_quarters(frame.context.accord.window(pair.base, pair.target))
        rate, found = _rate(frame, await frame.measure(STAGE_CONVERSION.key, days, pair=pair), days)
        lag, lags = await _lag(frame, TIME_TO_CONVERT.key, days, pair)
        return MeasuredStep(step=step, rate=rate, exact=found, lag=lag, lags=lags, entered=entered)
    days = measured_over or frame.mature_quarters(None)
    if step.stage is None:
        rate, found = _rate(frame, await frame.measure(WIN_RATE.key, days), days)
        lag, lags = await _lag(frame, SALES_CYCLE.key, days, None)
        return MeasuredStep(step=step, rate=rate, exact=found, lag=lag, lags=lags, entered=entered)
    rate, found = await _deals_per_person(frame, step, after, days)
    return MeasuredStep(step=step, rate=rate, exact=found, lag=None, lags=NO_LAG, entered=entered)


def _rate(frame: PlanFrame, answer: KpiAnswer, days: Days) -> tuple[PlanRate, Fraction | None]:
    """The rate of a KPI that is a quotient, rounded as the KPI and exact."""
    rate = PlanRate(
        kpi=answer.key,
        value=answer.value,
        numerator=answer.numerator,
        denominator=answer.denominator,
        n=answer.n,
        period=frame.answered(days),
        warnings=answer.warnings,
    )
    return rate, quotient(answer.numerator, answer.denominator)


async def _deals_per_person(
    frame: PlanFrame, step: LadderStep, after: LadderStep, days: Days
) -> tuple[PlanRate, Fraction | None]:
    """How many deals there are for each person who enters the stage in which people have deals."""
    key = OPPORTUNITIES_CREATED.key if after.kpi == OPPORTUNITIES_CREATED.key else DEALS_WON.key
    deals = await frame.measure(key, days)
    people = await frame.measure(step.kpi, days, stage=step.stage)
    exact = quotient(deals.value, people.value)
    warnings = tuple(dict.fromkeys((*people.warnings, *deals.warnings)))
    if exact is None and people.value == 0:
        warnings = (
            AnswerWarning(
                code=WarningCode.ZERO_DENOMINATOR,
                message=f"Nobody entered {step.stage} in the measured days, so there is nothing to divide by.",
                count=None,
            ),
            *warnings,
        )
    rate = PlanRate(
        kpi=key,
        value=None if exact is None else share(exact.numerator, exact.denominator),
        numerator=deals.value,
        denominator=people.value,
        n=int(people.value or Decimal(0)),
        period=frame.answered(days),
        warnings=warnings,
    )
    return rate, exact


async def _lag(frame: PlanFrame, key: str, days: Days, pair: StagePair | None) -> tuple[PlanLag, Lags | None]:
    """The distribution of a duration as the KPI states it, and its records by whole days."""
    answer = await frame.measure(key, days, pair=pair)
    lags = await read_lags(frame.session, frame.request(key, days.period, pair=pair), frame.context)
    lag = PlanLag(
        kpi=key,
        distribution=answer.distribution,
        n=answer.n,
        period=frame.answered(days),
        warnings=answer.warnings,
    )
    return lag, lags if lags.cases else None

"""The plan of a revenue target: what every step owes, counted back from the wins."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from itertools import groupby

from api.access.principal import Principal
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import AnswerWarning
from api.metrics.answer_warnings import LOW_SAMPLE
from api.metrics.periods.buckets import MOST_BUCKETS, bucket_name
from api.metrics.periods.calendar_units import day_of, first_day_of, midnight
from api.metrics.planning.landing import ONE_DAY, Lags, Landing, uncovered, whole_parts
from api.metrics.planning.measured_steps import MeasuredStep, measure_steps
from api.metrics.planning.plan_answer import PlanBucket, PlanStep, RevenuePlan
from api.metrics.planning.plan_frame import Days, PlanFrame, floor_cents, rounded
from api.metrics.planning.plan_ladder import ladder_of
from api.metrics.planning.plan_request import RevenuePlanRequest
from api.metrics.readings.reading_contexts import ContextReader
from api.metrics.request import Switches
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import Currency, Grain


async def query_revenue_plan(
    session: ReadSession, principal: Principal, request: RevenuePlanRequest, *, now: datetime | None = None
) -> RevenuePlan:
    """Compute what every step owes so that the deals won in the period reach the target.

    Shapes: one RevenuePlanRequest -> one RevenuePlan.
    Reads:  the KPIs of the rates and lags, all in one snapshot, within the principal's reach.
    Units:  money in the plan's currency; counts of people and deals; days of the accord's time zone.
    Errors: NO_ACCORD; NOT_EVALUATED; BAD_PERIOD; BAD_INPUT for an amount that is not above 0, for an accord without a
            target for the period, and for an `asOf` without a time zone.
    """
    contexts = await ContextReader.of(session, principal, now or datetime.now(UTC))
    context = await contexts.context(Switches(as_of=request.as_of))
    frame = await PlanFrame.of(session, context, request.as_of)
    days = frame.days(request.period)
    target = frame.agreed_revenue(days, "Give an amount") if request.amount is None else request.amount
    if target <= 0:
        raise AccordError(ErrorCode.BAD_INPUT, f"The target is {target}, which is not above 0.", "Give one above 0.")
    measured_over = None if request.measured_over is None else frame.days(request.measured_over)
    measured = await measure_steps(frame, ladder_of(context.accord), measured_over)
    steps = tuple(plan_steps(measured, PlanTarget(Fraction(target), days, request.grain, frame)))
    chosen = () if measured_over is None else (f"measuredOver={measured_over.starts_on}..{measured_over.before}",)
    overrides = (*chosen, *frame.overrides)
    return RevenuePlan(
        target=target,
        is_agreed=request.amount is None,
        currency=_currency(measured, frame),
        period=frame.answered(days),
        steps=steps,
        warnings=tuple(_warnings(steps)),
        is_canonical=not overrides,
        overrides=overrides,
        accords=context.accords_in(midnight(days.starts_on, frame.zone), midnight(days.before, frame.zone)),
        as_of=frame.as_of,
    )


@dataclass(frozen=True, slots=True)
class PlanTarget:
    """The revenue to reach in the days, and the grain of the plan's buckets."""

    amount: Fraction
    days: Days
    grain: Grain
    frame: PlanFrame


def plan_steps(measured: Sequence[MeasuredStep], target: PlanTarget) -> Iterator[PlanStep]:
    """The steps of a plan, in the order of the ladder.

    Counted back from the last one: what an entry leads to is its rate times what an entry of the next step leads to,
    and its lag is its own and that of the next step together.
    """
    found = []
    worth: Fraction | None = Fraction(1)  # the revenue that an entry of the next step leads to
    lags: Lags | None = Lags({0: 1})
    missing: AnswerWarning | None = None
    for step in reversed(measured):
        missing = missing or _missing_rate(step)
        worth = None if worth is None or not step.exact else worth * step.exact
        untimed = None if step.lags is not None else _missing_lag(step)
        lags = None if lags is None or step.lags is None else step.lags.then(lags)
        missing = missing or untimed
        found.append(_step(step, target, worth, lags, missing))
    yield from reversed(found)


def _step(
    measured: MeasuredStep,
    target: PlanTarget,
    worth: Fraction | None,
    lags: Lags | None,
    missing: AnswerWarning | None,
) -> PlanStep:
    exact = None if worth is None else target.amount / worth
    needed = None if exact is None else -(-exact.numerator // exact.denominator)
    leads_to = None if needed is None or worth is None else needed * worth
    landing = None if lags is None else Landing(target.days.starts_on, target.days.before, lags)
    shares = {} if landing is None or exact is None else landing.shares()
    standing = sum((shares[day] * count for day, count in measured.entered.items() if day in shares), Fraction(0))
    buckets = () if exact is None else tuple(_buckets(measured.entered, target, shares, exact, standing))
    return PlanStep(
        title=measured.step.title,
        stage=measured.step.stage,
        kpi=measured.step.kpi,
        team=measured.step.team,
        needed=needed,
        standing=rounded(standing) if shares else None,
        owed=sum(bucket.owed for bucket in buckets) if buckets else None,
        rate=measured.rate,
        lag=measured.lag,
        days_to_win=None if lags is None else lags.median,
        leads_to=None if leads_to is None else floor_cents(leads_to),
        residual=None if leads_to is None else floor_cents(leads_to - target.amount),
        buckets=buckets,
        missing=missing,
    )


def _buckets(
    entered: Mapping[date, int],
    target: PlanTarget,
    shares: Mapping[date, Fraction],
    exact: Fraction,
    standing: Fraction,
) -> Iterator[PlanBucket]:
    """The buckets of a step. Wins are spread evenly over the days of the plan, and so is the pace of all steps."""
    frame = target.frame
    a_day = exact / (target.days.before - target.days.starts_on).days
    grouped = groupby(sorted(shares), key=lambda day: first_day_of(target.grain, day, frame.reporting))
    buckets = [list(days) for _, days in grouped]
    if len(buckets) > MOST_BUCKETS:
        message = f"A step of the plan has more than {MOST_BUCKETS:,} buckets of the grain {target.grain}."
        raise AccordError(ErrorCode.BAD_PERIOD, message, "Use a coarser grain.")
    landed = [sum((shares[day] for day in days), Fraction(0)) for days in buckets]
    parts = [a_day * landing for landing in landed]
    today = day_of(frame.as_of, frame.zone)
    rows = zip(buckets, landed, whole_parts(parts), whole_parts([*uncovered(parts, standing)]), strict=True)
    for days, landing, needed, owed in rows:
        first, before = days[0], days[-1] + ONE_DAY
        pace = a_day * len(days)
        yield PlanBucket(
            period=_name(first, before, target),
            starts_on=first,
            before=before,
            needed=needed,
            landing=rounded(landing / len(days)) or Decimal(0),
            pace=-(-pace.numerator // pace.denominator),
            entered=None if first > today else sum(entered.get(day, 0) for day in days),
            owed=owed,
        )


def _name(first: date, before: date, target: PlanTarget) -> str | None:
    zone = target.frame.zone
    return bucket_name(midnight(first, zone), midnight(before, zone), target.grain, zone, target.frame.reporting)


def _missing_rate(step: MeasuredStep) -> AnswerWarning | None:
    """Why nothing can be divided by the rate of a step; None if it is above 0."""
    if step.exact:
        return None
    title = step.step.title
    if step.exact is not None:
        message = f"The measured rate of {title} is 0: no number of entries reaches the target."
        return AnswerWarning(code=WarningCode.ZERO_DENOMINATOR, message=message, count=None)
    reasons = [warning for warning in step.rate.warnings if warning.code in _NULL_REASONS]
    if reasons:
        return reasons[0]
    message = f"Nothing says what an entry of {title} leads to: {step.rate.kpi} has no value in the measured days."
    return AnswerWarning(code=WarningCode.ZERO_DENOMINATOR, message=message, count=None)


_NULL_REASONS = {
    WarningCode.NO_CONTACTS,
    WarningCode.PERIOD_NOT_BEGUN,
    WarningCode.PERIOD_BEFORE_DATA,
    WarningCode.ZERO_DENOMINATOR,
    WarningCode.MISSING_RATE,
}


def _missing_lag(step: MeasuredStep) -> AnswerWarning:
    """Why a step has no buckets."""
    message = f"Nothing says how long {step.step.title} takes to the next step, so the plan has no days for it."
    return AnswerWarning(code=WarningCode.NOT_RECORDED, message=message, count=None)


def _warnings(steps: Iterable[PlanStep]) -> Iterator[AnswerWarning]:
    """LOW_SAMPLE: on how few records a rate of the plan stands."""
    low = [step for step in steps if 0 < step.rate.n < LOW_SAMPLE]
    if low:
        names = ", ".join(f"{step.title} ({step.rate.n})" for step in low)
        message = f"Some rates stand on fewer than {LOW_SAMPLE} records, and everything below them does too: {names}."
        yield AnswerWarning(code=WarningCode.LOW_SAMPLE, message=message, count=len(low))


def _currency(measured: Sequence[MeasuredStep], frame: PlanFrame) -> Currency | None:
    return measured[-1].currency or frame.reporting.currency

"""Why the revenue of a period was not that of another one, or not the target: volume, speed, win rate, size."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction
from math import prod

from api.access.principal import Principal
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import AnswerWarning
from api.metrics.figure_table import CENT
from api.metrics.planning.plan_answer import DriverPart, RevenueVariance
from api.metrics.planning.plan_frame import (
    Days,
    PlanFrame,
    exact,
    quotient,
    rounded,
)
from api.metrics.planning.plan_request import RevenueVarianceRequest
from api.metrics.planning.variance_split import in_cents, shapley_parts
from api.metrics.readings.reading_contexts import ContextReader
from api.metrics.request import Switches
from schema.kpis.comparisons import Comparand
from schema.kpis.conversion import WIN_RATE
from schema.kpis.pipeline import AVG_DEAL_SIZE, REVENUE_WON
from schema.kpis.planning import RevenueDriver, VarianceBaseline
from schema.kpis.volume import OPPORTUNITIES_CREATED
from schema.vocab import Currency

_FACTORS = (RevenueDriver.VOLUME, RevenueDriver.SPEED, RevenueDriver.RATE, RevenueDriver.SIZE)


@dataclass(frozen=True, slots=True)
class RevenueDrivers:
    """The revenue of some days, and what it consists of; None for a driver that the days do not have."""

    revenue: Fraction | None
    volume: Fraction | None
    speed: Fraction | None
    rate: Fraction | None
    size: Fraction | None
    currency: Currency | None = None
    warnings: tuple[AnswerWarning, ...] = ()

    @property
    def factors(self) -> tuple[Fraction | None, ...]:
        """Volume, speed, rate and size."""
        return (self.volume, self.speed, self.rate, self.size)


async def query_revenue_variance(
    session: ReadSession, principal: Principal, request: RevenueVarianceRequest, *, now: datetime | None = None
) -> RevenueVariance:
    """Split the change of revenue between a baseline and a period into volume, speed, rate and size.

    Shapes: one RevenueVarianceRequest -> one RevenueVariance, whose parts sum to its change to the cent.
    Reads:  four KPIs of each of the two periods, in one snapshot, within the principal's reach.
    Errors: NO_ACCORD; BAD_PERIOD; BAD_INPUT for an accord without a target for the period, if that is the baseline;
            MIXED_CURRENCIES if the two periods have no currency in common.
    """
    contexts = await ContextReader.of(session, principal, now or datetime.now(UTC))
    context = await contexts.context(Switches(as_of=request.as_of))
    frame = await PlanFrame.of(session, context, request.as_of)
    days = frame.days(request.period)
    baseline = _baseline_days(frame, days, request.compare_to)
    after = await _drivers(frame, days)
    before = await _drivers(frame, baseline)
    if request.compare_to is VarianceBaseline.TARGET:
        agreed = frame.agreed_revenue(days, "Compare with an earlier period")
        before = at_target(before, Fraction(agreed.quantize(CENT)))
    _require_one_currency(before, after)
    change = None if before.revenue is None or after.revenue is None else after.revenue - before.revenue
    return RevenueVariance(
        compare_to=request.compare_to,
        currency=after.currency or before.currency or frame.reporting.currency,
        before=_cents(before.revenue),
        after=_cents(after.revenue),
        change=_cents(change),
        parts=split(before, after),
        period=frame.answered(days),
        baseline=frame.answered(baseline),
        warnings=tuple(dict.fromkeys((*after.warnings, *before.warnings))),
        is_canonical=not frame.overrides,
        overrides=frame.overrides,
        as_of=frame.as_of,
    )


def _require_one_currency(before: RevenueDrivers, after: RevenueDrivers) -> None:
    if before.currency is not None and after.currency is not None and before.currency is not after.currency:
        raise AccordError(
            ErrorCode.MIXED_CURRENCIES,
            f"The baseline is in {before.currency.value} and the period in {after.currency.value}.",
            "Agree on a reporting currency (reporting.currency), and import exchange rates.",
        )


def at_target(measured: RevenueDrivers, target: Fraction) -> RevenueDrivers:
    """The drivers behind a target: speed, rate and size as measured, and the volume that these need to reach it."""
    rest = [factor for factor in measured.factors[1:] if factor is not None]
    yields = prod(rest, start=Fraction(1)) if len(rest) == len(measured.factors) - 1 else Fraction(0)
    return RevenueDrivers(
        revenue=target,
        volume=target / yields if yields else None,
        speed=measured.speed,
        rate=measured.rate,
        size=measured.size,
        currency=measured.currency,
        warnings=measured.warnings,
    )


def split(before: RevenueDrivers, after: RevenueDrivers) -> tuple[DriverPart, ...]:
    """The parts of the change of revenue, in whole cents that sum to it; empty if a revenue is unknown.

    A driver that one of the two does not have is taken to be as in the other, so that its part is 0. What is no product
    of the four is the adjustment.
    """
    if before.revenue is None or after.revenue is None:
        return ()
    pairs = [_filled(old, new) for old, new in zip(before.factors, after.factors, strict=True)]
    old, new = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    parts = dict(zip((driver.value for driver in _FACTORS), shapley_parts(old, new), strict=True))
    adjusted = (before.revenue - prod(old, start=Fraction(1)), after.revenue - prod(new, start=Fraction(1)))
    parts[RevenueDriver.ADJUSTMENT.value] = adjusted[1] - adjusted[0]
    cents = in_cents(parts)
    values = [*zip(before.factors, after.factors, strict=True), adjusted]
    return tuple(
        DriverPart(
            driver=driver,
            before=rounded(value[0]),
            after=rounded(value[1]),
            amount=Decimal(cents[driver.value]).scaleb(-2),
        )
        for driver, value in zip((*_FACTORS, RevenueDriver.ADJUSTMENT), values, strict=True)
    )


def _filled(old: Fraction | None, new: Fraction | None) -> tuple[Fraction, Fraction]:
    found = old if old is not None else new if new is not None else Fraction(0)
    return found, found if new is None else new


def _baseline_days(frame: PlanFrame, days: Days, compare_to: VarianceBaseline) -> Days:
    match compare_to:
        case VarianceBaseline.PREVIOUS:
            return frame.earlier(days, Comparand.PREVIOUS_PERIOD)
        case VarianceBaseline.LAST_YEAR:
            return frame.earlier(days, Comparand.SAME_PERIOD_LAST_YEAR)
        case VarianceBaseline.TARGET:
            return frame.quarters_before(days.starts_on)


async def _drivers(frame: PlanFrame, days: Days) -> RevenueDrivers:
    """The drivers of days, each from its KPI."""
    revenue = await frame.measure(REVENUE_WON.key, days)
    opened = await frame.measure(OPPORTUNITIES_CREATED.key, days)
    decided = await frame.measure(WIN_RATE.key, days)
    size = await frame.measure(AVG_DEAL_SIZE.key, days)
    answers = (revenue, opened, decided, size)
    return RevenueDrivers(
        revenue=exact(revenue.value),
        volume=exact(opened.value),
        speed=quotient(decided.denominator, opened.value),
        rate=quotient(decided.numerator, decided.denominator),
        size=quotient(size.numerator, size.denominator),
        currency=revenue.currency,
        warnings=tuple(warning for answer in answers for warning in answer.warnings),
    )


def _cents(value: Fraction | None) -> Decimal | None:
    """A sum of cents as a decimal."""
    return None if value is None else Decimal(int(value * 100)).scaleb(-2)

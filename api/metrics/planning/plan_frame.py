"""What the requests of planning share: days, instants, and the KPIs that they measure."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import AnsweredPeriod, KpiAnswer
from api.metrics.comparisons.earlier_periods import earlier_period
from api.metrics.context import MetricContext
from api.metrics.periods.calendar_units import day_of, first_day_of, midnight, plus_months, plus_units
from api.metrics.periods.period_days import days_of
from api.metrics.query import compute_kpi
from api.metrics.request import KpiRequest, Period, StagePair, Switches, Where
from api.metrics.targets.agreed_targets import KpiTargets
from api.sql import Sql
from schema.clauses.reporting import Reporting
from schema.kpis import CATALOGUE
from schema.kpis.comparisons import Comparand, ComparedSpan
from schema.kpis.conversion import WIN_RATE
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.pipeline import AVG_DEAL_SIZE, REVENUE_WON
from schema.kpis.velocity import SALES_CYCLE
from schema.kpis.volume import DEALS_WON
from schema.vocab import Grain

_MEASURED_QUARTERS = 4
_FIRST_YEAR, _YEAR_AFTER = 1900, 3000
_MOST_YEARS = 10
_MILLIONTH = Decimal("0.000001")
# KPIs that count deals of every pipeline. `opportunities_created` is of new business by itself.
_OF_ALL_DEALS = frozenset(kpi.key for kpi in (AVG_DEAL_SIZE, DEALS_WON, SALES_CYCLE, WIN_RATE))


@dataclass(frozen=True, slots=True)
class Days:
    """The days `[starts_on, before)`."""

    starts_on: date
    before: date

    @property
    def period(self) -> Period:
        """The same as the period of a request."""
        return Period(self.starts_on, self.before)


@dataclass(frozen=True, slots=True)
class PlanFrame:
    """The context of a planning request, the instant as of which it is computed, and whether that is stated.

    `pipelines` are the ids of those of new business, and None for an unknown one; empty if there are no others.
    """

    session: ReadSession
    context: MetricContext
    as_of: datetime
    is_past: bool
    pipelines: tuple[str | None, ...] = ()

    @classmethod
    async def of(cls, session: ReadSession, context: MetricContext, as_of: datetime | None) -> "PlanFrame":
        """The frame of a request. Errors: BAD_INPUT for an `asOf` without a time zone, or outside 1900 to 2999."""
        if as_of is not None and (as_of.tzinfo is None or not _FIRST_YEAR <= as_of.year < _YEAR_AFTER):
            raise AccordError(
                ErrorCode.BAD_INPUT,
                f"asOf={as_of.isoformat()} has no time zone, or its year is not between {_FIRST_YEAR} and"
                f" {_YEAR_AFTER - 1}.",
                "Write an instant with its zone, like 2026-04-01T00:00:00Z.",
            )
        rows = await session.rows(Sql("select id, is_new_business from pipeline order by id"))
        new = tuple(str(row["id"]) for row in rows if row["is_new_business"])
        pipelines = () if len(new) == len(rows) else (*new, None)
        return cls(session, context, as_of or context.now, as_of is not None, pipelines)

    @property
    def reporting(self) -> Reporting:
        """How the accord reports."""
        return self.context.accord.reporting

    @property
    def zone(self) -> ZoneInfo:
        """The time zone in which days begin."""
        return ZoneInfo(self.reporting.timezone)

    @property
    def overrides(self) -> tuple[str, ...]:
        """What is not the default."""
        stated = (f"asOf={self.as_of.isoformat().replace('+00:00', 'Z')}",) if self.is_past else ()
        return (*stated, *self.context.overrides)

    def days(self, period: Period) -> Days:
        """The days of a period. Errors: BAD_PERIOD if it has no start or no end, or is longer than ten years."""
        found = days_of(period, self.zone, self.as_of, self.reporting)
        if found.starts_on is None or found.before is None:
            raise AccordError(
                ErrorCode.BAD_PERIOD,
                "A plan needs a period with a first and a last day.",
                "Name one, such as 2026-Q3, or give both dates.",
            )
        if found.before > plus_months(found.starts_on, _MOST_YEARS * 12):
            message = f"The period from {found.starts_on} before {found.before} is longer than {_MOST_YEARS} years."
            raise AccordError(ErrorCode.BAD_PERIOD, message, "Name a shorter one, such as 2026-Q3.")
        return Days(found.starts_on, found.before)

    def answered(self, days: Days) -> AnsweredPeriod:
        """Days as answers state them."""
        return AnsweredPeriod(
            starts_on=days.starts_on,
            before=days.before,
            timezone=self.zone.key,
            is_over=midnight(days.before, self.zone) <= self.as_of,
        )

    def quarters_before(self, day: date) -> Days:
        """The last four whole quarters before a day."""
        before = first_day_of(Grain.QUARTER, day, self.reporting)
        return Days(plus_units(before, Grain.QUARTER, -_MEASURED_QUARTERS), before)

    def mature_quarters(self, window: timedelta | None) -> Days:
        """The last four whole quarters whose events have had a window's time until `asOf`."""
        return self.quarters_before(day_of(self.as_of - (window or timedelta(0)), self.zone))

    async def measure(
        self, key: str, days: Days, *, pair: StagePair | None = None, stage: str | None = None
    ) -> KpiAnswer:
        """Compute a KPI over days. Errors: those of the KPI."""
        return await compute_kpi(
            self.session,
            CATALOGUE[key],
            self.request(key, days.period, pair=pair, stage=stage),
            self.context,
            counts_excluded=False,
        )

    def request(
        self, key: str, period: Period, *, pair: StagePair | None = None, stage: str | None = None
    ) -> KpiRequest:
        """The request for a KPI; `stage` selects one, where the KPI counts entries into all.

        What is measured of deals is of those of new business, as the deals opened are.
        """
        where = Where() if stage is None else Where(tests=((Dimension.STAGE, (stage,)),))
        if self.pipelines and key in _OF_ALL_DEALS:
            where = Where(tests=((Dimension.PIPELINE, self.pipelines),))
        switches = Switches(as_of=self.as_of if self.is_past else None)
        return KpiRequest(key, period=period, stages=pair, where=where, switches=switches)

    def agreed_revenue(self, days: Days, instead: str) -> Decimal:
        """The accord's target for the revenue of the days, or the sum of the targets for parts that they consist of.

        `instead` is what a request without a target can do, in words. Errors: BAD_INPUT if the accord has none.
        """
        targets = KpiTargets.of(REVENUE_WON, self.context.accord, self.zone, self.as_of)
        found = targets.only_agreed(days.starts_on, days.before, ())
        if found is None:
            raise AccordError(
                ErrorCode.BAD_INPUT,
                f"The accord has no target of revenue_won from {days.starts_on} before {days.before}.",
                f"{instead}, or agree on a target: a section [[targets]] with kpi, period and value.",
            )
        return found.value

    def earlier(self, days: Days, comparand: Comparand) -> Days:
        """The earlier days that a comparison with the previous period, or with last year, takes. Errors: BAD_PERIOD."""
        found = earlier_period(days.period, self.answered(days), comparand, ComparedSpan.WHOLE, self.as_of)
        return self.days(found.days)


def exact(value: Decimal | None) -> Fraction | None:
    """A figure as a fraction."""
    return None if value is None else Fraction(value)


def quotient(numerator: Decimal | None, denominator: Decimal | None) -> Fraction | None:
    """A numerator divided by a denominator; None if one of them is unknown, or the denominator is 0."""
    if numerator is None or not denominator:
        return None
    return Fraction(numerator) / Fraction(denominator)


def rounded(value: Fraction | None) -> Decimal | None:
    """A fraction rounded to six places."""
    return None if value is None else (Decimal(value.numerator) / Decimal(value.denominator)).quantize(_MILLIONTH)


def floor_cents(value: Fraction) -> Decimal:
    """A fraction rounded down to the cent."""
    cents = value * 100
    return Decimal(cents.numerator // cents.denominator).scaleb(-2)

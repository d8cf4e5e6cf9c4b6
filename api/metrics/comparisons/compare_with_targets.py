"""Compare an answer with the targets of the accord: attainment, pace and forecast."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import (
    AnswerWarning,
    Bucket,
    ComparedBucket,
    ComparedGroup,
    Group,
    KpiAnswer,
    KpiComparison,
    KpiFigure,
)
from api.metrics.answer_warnings import in_order, number_of
from api.metrics.comparisons.changes import NO_FIGURE, ComparedValues, compared_values, exact_value
from api.metrics.comparisons.compare import Compute
from api.metrics.comparisons.past_pace import (
    Elapsed,
    PastPeriod,
    earlier_spans,
    forecast_of,
    pace_of,
    past_periods,
)
from api.metrics.context import MetricContext
from api.metrics.dimensions import RECORD_DIMENSIONS
from api.metrics.figure_table import MILLIONTH, quantized
from api.metrics.periods.calendar_units import day_of
from api.metrics.request import Period
from api.metrics.targets.agreed_targets import (
    ADDING_UP,
    AgreedTarget,
    KpiTargets,
    Part,
    part_of_filter,
    part_of_group,
    unknown_target_warnings,
)
from api.sql import Sql, name
from schema.access.rights import Reach
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.comparisons import Comparand
from schema.kpis.kpi import Kpi
from schema.kpis.target_progress import TargetProgress
from schema.vocab import Grain, Unit

_FEW_PERIODS = 4


@dataclass(frozen=True, slots=True)
class _TargetSide:
    """The targets beside the figures of an answer. Those of a partial reach are not compared with them."""

    targets: KpiTargets
    zone: ZoneInfo
    is_partial: bool

    def values(self, figure: KpiFigure, agreed: Sequence[AgreedTarget]) -> ComparedValues:
        """The first target, and how a figure differs from it."""
        target = replace(NO_FIGURE, value=agreed[0].value) if agreed else NO_FIGURE
        return compared_values(NO_FIGURE if self.is_partial else figure, target)

    def buckets(self, series: Iterable[Bucket], part: Part | None) -> tuple[ComparedBucket, ...]:
        """The targets for the buckets of a series."""
        found = []
        for bucket in series:
            start, before = day_of(bucket.starts_at, self.zone), day_of(bucket.before, self.zone)
            values = self.values(bucket, self.targets.agreed(start, before, part))
            found.append(
                ComparedBucket(**values, period=bucket.period, starts_at=bucket.starts_at, before=bucket.before)
            )
        return tuple(found)

    def group(self, group: Group, days: Period, part: Part | None) -> ComparedGroup:
        """The target for a group and its buckets."""
        is_other = any(key.is_other for key in group.keys)  # no target is for the rest
        keys = tuple((key.dimension, key.value) for key in group.keys)
        own = None if part is None or is_other else part_of_group(part, keys)
        agreed = self.targets.agreed(days.starts_on, days.before, own)
        return ComparedGroup(
            **self.values(group, agreed),
            keys=group.keys,
            series=self.buckets(group.series, own),
            mix=None,
            rate=None,
        )


async def compare_with_targets(
    session: ReadSession, kpi: Kpi, answer: KpiAnswer, context: MetricContext, compute: Compute
) -> KpiAnswer:
    """Compare an answer with the accord's targets for its period, its buckets and its groups.

    Shapes: one answer -> the same with its `targets` and `comparison`. In a period that is not over, one more request
            is computed, for the days of earlier periods.
    Errors: those of that request; NO_REPORTING_CURRENCY for a target that is an amount without a currency.
    """
    zone, days = ZoneInfo(answer.period.timezone), Period(answer.period.starts_on, answer.period.before)
    side = _TargetSide(
        KpiTargets.of(kpi, context.accord, zone, answer.as_of), zone, context.principal.reach is not Reach.ALL
    )
    part = await _with_names(session, part_of_filter(answer.request.where))
    agreed = side.targets.agreed(days.starts_on, days.before, part)
    if agreed and kpi.unit is Unit.MONEY and context.accord.reporting.currency is None:
        message = f"The target of {kpi.key} is an amount, and the accord does not state its currency."
        raise AccordError(ErrorCode.NO_REPORTING_CURRENCY, message, "State reporting.currency in the accord.")
    warnings = [*unknown_target_warnings(context.accord), *_not_compared(side, agreed)]
    past: tuple[PastPeriod, ...] = ()
    if agreed and not side.is_partial and _is_running(answer):
        past = await _past_periods(kpi, answer, zone, compute)
        warnings += _about_pace(kpi, past)
    progress = tuple(_progress(answer, target, past, is_partial=side.is_partial) for target in agreed)
    if past and progress[0].forecast is None:
        message = "In the earlier periods nothing stood by this time, so that no forecast follows from the value."
        warnings.append(AnswerWarning(code=WarningCode.NO_PACE, message=message, count=len(past)))
    comparison = KpiComparison(
        **side.values(answer, agreed),
        compared_to=Comparand.TARGET,
        period=answer.period,
        is_to_date=False,
        as_of=answer.as_of,
        accords=answer.accords,
        series=side.buckets(answer.series, part),
        breakdown=tuple(side.group(group, days, part) for group in answer.breakdown),
        drivers=None,
        warnings=in_order(warnings),
    )
    return replace(answer, targets=progress, comparison=comparison)


async def _with_names(session: ReadSession, part: Part | None) -> Part | None:
    """The part with the names of records, as targets state them, in place of ids."""
    if part is None:
        return None
    found = []
    for dimension, value in part:
        table = RECORD_DIMENSIONS.get(dimension)
        id_ = None if table is None or value is None else _id_of(table, value)
        if table is not None and id_ is not None:
            named = await session.value(Sql("select r.name from {} r where r.id = {}", name(table), id_))
            found.append((dimension, named))
        else:
            found.append((dimension, value))
    return tuple(found)


def _id_of(table: str, value: str) -> UUID | None:
    """The id of a record in a filter; None for a name."""
    try:
        return UUID(value.removeprefix(f"{table}_"))
    except ValueError:
        return None


def _is_running(answer: KpiAnswer) -> bool:
    start, zone = answer.period.starts_on, ZoneInfo(answer.period.timezone)
    return not answer.period.is_over and start is not None and start <= day_of(answer.as_of, zone)


async def _past_periods(kpi: Kpi, answer: KpiAnswer, zone: ZoneInfo, compute: Compute) -> tuple[PastPeriod, ...]:
    """The earlier periods from which the pace follows; none for a KPI that does not add up."""
    start, before = answer.period.starts_on, answer.period.before
    if kpi.kind not in ADDING_UP or start is None or before is None:
        return ()
    spans = earlier_spans(start, before)
    if not spans:
        return ()
    days = Period(spans[-1][0], start)
    request = replace(answer.request, period=days, grain=Grain.DAY, by=(), top=None, compare_to=None)
    series = (await compute(request)).series
    return past_periods(spans, series, Elapsed.of(start, answer.as_of, zone), zone)


def _not_compared(side: _TargetSide, agreed: Sequence[AgreedTarget]) -> Iterable[AnswerWarning]:
    """NO_TARGET and PARTIAL_REACH."""
    if not agreed:
        known = ", ".join(dict.fromkeys(side.targets.periods)) or "none"
        message = (
            f"The accord has no target of {side.targets.kpi.key} for this period and filter; it has some for: {known}."
            " A target is for a whole year, quarter or month, and for all of the KPI or one value of a dimension."
        )
        yield AnswerWarning(code=WarningCode.NO_TARGET, message=message, count=None)
    if side.is_partial:
        message = "The value counts only records within your reach, and a target is for all: they are not compared."
        yield AnswerWarning(code=WarningCode.PARTIAL_REACH, message=message, count=None)


def _about_pace(kpi: Kpi, past: Sequence[PastPeriod]) -> Iterable[AnswerWarning]:
    """NO_PACE, or LOW_SAMPLE for a pace that follows from few periods."""
    if kpi.kind not in ADDING_UP:
        message = f"The values of {kpi.key} do not add up over days, so that nothing says what should stand by now."
        yield AnswerWarning(code=WarningCode.NO_PACE, message=message, count=None)
    elif not past:
        message = "No earlier period of the same length has data from before its start on, to take the pace from."
        yield AnswerWarning(code=WarningCode.NO_PACE, message=message, count=0)
    elif len(past) < _FEW_PERIODS:
        message = f"Pace and forecast follow from {number_of(len(past), 'earlier period')} only."
        yield AnswerWarning(code=WarningCode.LOW_SAMPLE, message=message, count=len(past))


def _progress(
    answer: KpiAnswer, target: AgreedTarget, past: Sequence[PastPeriod], *, is_partial: bool
) -> TargetProgress:
    value = None if is_partial else answer.value
    exact = None if is_partial else exact_value(answer)
    return TargetProgress(
        value=target.value,
        team=target.team,
        summed_from=target.summed_from,
        attainment=None if exact is None or not target.value else quantized(exact / Fraction(target.value), MILLIONTH),
        pace=pace_of(target.value, value, answer.as_of, past) if past else None,
        forecast=forecast_of(target.value, value, past) if past and value is not None else None,
    )

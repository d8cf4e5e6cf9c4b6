"""What a version would have made of the targets of its document: their KPIs, as either version computes them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from api.accord.clause_paths import item_steps
from api.metrics.answer import AnsweredPeriod
from api.metrics.periods.period_days import days_of, interval_of
from api.metrics.periods.period_names import named_period
from api.metrics.preview.figures import PreviewTarget
from api.metrics.preview.kpi_effects import KpiFigures, KpiPair, preview_figure, reads_stages
from api.metrics.preview.preview_frame import PreviewFrame
from api.metrics.request import KpiRequest, Period, Where
from api.metrics.targets.agreed_targets import part_of_target
from schema.accord import Accord
from schema.clauses.targets import Target
from schema.kpis import CATALOGUE
from schema.sentences.result_sentences import target_sentence


@dataclass(frozen=True, slots=True)
class MeasuredTarget:
    """A target, the path of its clause, and the request that measures it."""

    clause: str
    target: Target
    pair: KpiPair
    measured: AnsweredPeriod
    is_own_period: bool


def measured_targets(accord: Accord, frame: PreviewFrame) -> Iterator[MeasuredTarget]:
    """The targets whose KPI reads stages, each with its request."""
    for step, target in zip(item_steps(accord.targets), accord.targets, strict=True):
        # A stored document may name a KPI, a dimension or a period of another release.
        kpi, part = CATALOGUE.get(target.kpi), part_of_target(target)
        if kpi is None or part is None or not reads_stages(kpi):
            continue
        days = days_of(named_period(target.period), frame.zone, frame.as_of, frame.reporting)
        interval = interval_of(days, frame.zone)
        is_own = interval.start is not None and interval.start <= frame.as_of
        shown = frame.period if not is_own else _period(days, frame, is_over=_is_over(days, frame))
        where = Where(tests=tuple((dimension, (value,)) for dimension, value in part))
        request = KpiRequest(kpi.key, period=days if is_own else frame.days, where=where)
        yield MeasuredTarget(f"targets.{step}", target, KpiPair(kpi, request), shown, is_own)


def _is_over(days: Period, frame: PreviewFrame) -> bool:
    end = interval_of(days, frame.zone).end
    return end is not None and end <= frame.as_of


def _period(days: Period, frame: PreviewFrame, *, is_over: bool) -> AnsweredPeriod:
    return AnsweredPeriod(starts_on=days.starts_on, before=days.before, timezone=frame.zone.key, is_over=is_over)


def preview_targets(
    measured: tuple[MeasuredTarget, ...], figures: Mapping[KpiPair, KpiFigures], accord: Accord
) -> Iterator[PreviewTarget]:
    """The targets with their figures. Errors: KeyError for a request without figures."""
    for found in measured:
        target, both = found.target, figures[found.pair]
        yield PreviewTarget(
            clause=found.clause,
            kpi=found.pair.kpi.key,
            title=target_sentence(target, accord),
            unit=found.pair.kpi.unit,
            goal=_goal(target),
            measured=found.measured,
            is_own_period=found.is_own_period,
            figure_before=preview_figure(both.before),
            figure_after=preview_figure(both.after),
        )


def _goal(target: Target) -> Decimal:
    if target.duration is not None:
        return Decimal(str(target.duration.total_seconds()))
    if target.value is None:
        raise ValueError("a target has a value or a duration")
    return target.value

"""Whether a target fits the KPI that it names."""

from collections.abc import Iterator, Mapping, Sequence

from schema.clauses.document_parts import Location, not_known
from schema.clauses.targets import Target, TargetSlice
from schema.kpis import CATALOGUE
from schema.kpis.company_sizes import COMPANY_SIZES
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Kind
from schema.kpis.kpi import Kpi
from schema.kpis.measures.stages import Conversion, Duration
from schema.vocab import Channel, DealType, Unit

_MAY_EXCEED_1 = (Kind.ATTAINMENT, Kind.FORMULA)  # ratios that are no shares
_WORDS: dict[str, tuple[str, ...]] = {
    Dimension.CHANNEL: tuple(channel.value for channel in Channel),
    Dimension.DEAL_TYPE: tuple(kind.value for kind in DealType),
    Dimension.COMPANY_SIZE: tuple(size.value for size in COMPANY_SIZES),
}


def target_mistakes(
    target: Target, stages: Sequence[str], reasons: Sequence[str], *, has_currency: bool
) -> Iterator[tuple[Location, str]]:
    """Yield what is wrong with a target in an accord with these stages and reject reasons.

    Shapes: a target and keys -> where in the target, and a sentence without a full stop.
    """
    kpi = CATALOGUE.get(target.kpi)
    if kpi is None:  # `unknown_kpi` says so, also if the target has other mistakes
        return
    if isinstance(kpi.measure, Conversion | Duration) and kpi.measure.base is None:
        yield ("kpi",), f"the KPI {kpi.key} needs two stages in each request; choose a KPI of one pair of stages"
    for stage in (fact.removeprefix("stage ") for fact in kpi.reads if fact.startswith("stage ")):
        if stage not in stages:
            yield ("kpi",), f"the KPI {kpi.key} reads the stage {stage}, which this accord does not have"
    yield from _value(target, kpi, has_currency=has_currency)
    if target.only is not None:
        closed: dict[str, Sequence[str]] = {**_WORDS, Dimension.STAGE: stages, Dimension.REJECT_REASON: reasons}
        yield from _part(target.only, kpi, closed)


def unknown_kpi(key: str) -> str | None:
    """Return that there is no KPI of a key, as a sentence without a full stop; None if there is one."""
    return None if key in CATALOGUE else not_known(key, "KPI", CATALOGUE)


def _part(only: TargetSlice, kpi: Kpi, closed: Mapping[str, Sequence[str]]) -> Iterator[tuple[Location, str]]:
    if only.dimension not in kpi.dimensions:
        known = ", ".join(dimension.value for dimension in kpi.dimensions)
        yield ("only", "dimension"), f"the KPI {kpi.key} cannot be broken down by {only.dimension}; it has {known}"
    elif only.value not in closed.get(only.dimension, (only.value,)):
        noun = only.dimension.lower().replace("_", " ")
        yield ("only", "value"), not_known(only.value, noun, closed[only.dimension])


def _value(target: Target, kpi: Kpi, *, has_currency: bool) -> Iterator[tuple[Location, str]]:
    is_duration = kpi.unit is Unit.SECONDS
    if is_duration != (target.duration is not None):
        stated, needed = ("value", "duration") if is_duration else ("duration", "value")
        yield (stated,), f"the KPI {kpi.key} is {'a' if is_duration else 'no'} duration; state {needed} instead"
    elif target.value is not None and target.value < 0:
        yield ("value",), f"{target.value} is below 0; a target is at least 0"
    elif kpi.unit is Unit.RATIO and kpi.kind not in _MAY_EXCEED_1 and target.value is not None and target.value > 1:
        yield ("value",), f"{target.value} is no share; write one from 0 to 1, such as 0.25 for 25 %"
    elif kpi.unit in (Unit.MONEY, Unit.MONEY_PER_DAY) and not has_currency:
        yield ("value",), f"the KPI {kpi.key} is money, and the accord names no currency; state reporting.currency"

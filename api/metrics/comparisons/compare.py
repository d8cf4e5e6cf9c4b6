"""Compare an answer with what its request names: the same request is computed once more for the other side."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from decimal import Decimal

from api.errors import AccordError, ErrorCode
from api.metrics.answer import AnswerWarning, ComparedGroup, KpiAnswer, KpiComparison
from api.metrics.answer_warnings import in_order, number_of
from api.metrics.comparisons.change_drivers import Rate, RatePair, SplitChange, split_change
from api.metrics.comparisons.changes import GroupKey, compared_values, group_key, group_pairs, side_by_side
from api.metrics.comparisons.earlier_periods import EarlierPeriod, earlier_period
from api.metrics.figure_table import CENT, MILLIONTH
from api.metrics.readings.reading_contexts import version_switches
from api.metrics.request import ComparedTo, KpiRequest, Period
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.comparisons import Comparand, ComparedSpan
from schema.kpis.kinds import Kind
from schema.kpis.kpi import Kpi
from schema.vocab import Unit

Compute = Callable[[KpiRequest], Awaitable[KpiAnswer]]


async def compare_with_earlier(kpi: Kpi, answer: KpiAnswer, compared_to: ComparedTo, compute: Compute) -> KpiAnswer:
    """Compare an answer with an earlier period.

    Shapes: one answer -> the same with its `comparison`; computes one more request.
    Errors: BAD_PERIOD if there is no earlier period; MIXED_CURRENCIES; those of the other request.
    """
    request = answer.request
    comparand, span = compared_to.comparand, compared_to.span
    earlier = earlier_period(request.period, answer.period, comparand, span, answer.as_of)
    switches = request.switches if earlier.as_of is None else replace(request.switches, as_of=earlier.as_of)
    other = await compute(replace(request, period=earlier.days, switches=switches, compare_to=None, kept=answer.kept))
    warnings = (*_unequal_days(kpi, earlier), *_unequal_age(answer, span))
    found = _comparison(kpi, answer, other, comparand, warnings)
    return replace(answer, comparison=replace(found, is_to_date=earlier.is_to_date))


async def compare_with_version(kpi: Kpi, answer: KpiAnswer, compute: Compute) -> KpiAnswer:
    """Compare an answer with that of another version of the accord, for the same days.

    Shapes: one answer -> the same with its `comparison`; computes one more request.
    Errors: BAD_INPUT for a KPI that depends on `reporting` alone; MIXED_CURRENCIES; those of the other request.
    """
    if not kpi.switches.has_reading:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"The KPI {kpi.key} is defined by no clause of the accord but [reporting], so it cannot be computed by"
            " another version of the others.",
            "Compare it with an earlier period or with targets.",
        )
    days = Period(answer.period.starts_on, answer.period.before)
    compared_to = answer.request.compare_to
    version = None if compared_to is None else compared_to.accord_version
    switches = replace(version_switches(answer.request.switches, version), timezone=answer.period.timezone)
    other = await compute(replace(answer.request, period=days, switches=switches, compare_to=None, kept=answer.kept))
    return replace(answer, comparison=_comparison(kpi, answer, other, Comparand.ACCORD_VERSION, ()))


def require_one_currency(answer: KpiAnswer, other: KpiAnswer) -> None:
    """Refuse to compare amounts of two currencies, or shares of them. Errors: MIXED_CURRENCIES."""
    if not (answer.n and other.n) or answer.value is None or other.value is None:
        return
    if answer.currency is not other.currency:
        one, two = (side.currency.value if side.currency else "an unknown currency" for side in (answer, other))
        raise AccordError(
            ErrorCode.MIXED_CURRENCIES,
            f"The answer is in {one}, and what it is compared with is in {two}.",
            "State reporting.currency and exchange rates in the accord, so that both are converted to one currency.",
        )


def _comparison(
    kpi: Kpi, answer: KpiAnswer, other: KpiAnswer, comparand: Comparand, warnings: tuple[AnswerWarning, ...]
) -> KpiComparison:
    require_one_currency(answer, other)
    split = _split(answer, other)
    is_same_time = comparand is Comparand.ACCORD_VERSION
    groups = []
    for pair in group_pairs(kpi, answer, other):
        mix, rate = split.groups[group_key(pair.keys)] if split and split.groups else (None, None)
        groups.append(
            ComparedGroup(
                **compared_values(pair.figure, pair.other),
                keys=pair.keys,
                series=side_by_side(pair.series, pair.other_series, is_same_time=is_same_time),
                mix=mix,
                rate=rate,
            )
        )
    return KpiComparison(
        **compared_values(answer, other),
        compared_to=comparand,
        period=other.period,
        is_to_date=False,
        as_of=other.as_of,
        accords=other.accords,
        series=side_by_side(answer.series, other.series, is_same_time=is_same_time),
        breakdown=tuple(groups),
        drivers=split.drivers if split else None,
        warnings=in_order((*other.warnings, *warnings)),
    )


def _split(answer: KpiAnswer, other: KpiAnswer) -> SplitChange[GroupKey] | None:
    before, after = _rate(other), _rate(answer)
    if before is None or after is None:
        return None
    nothing = (None, None)
    sides = [
        {group_key(group.keys): (group.numerator, group.denominator) for group in side.breakdown}
        for side in (other, answer)
    ]
    groups = {}
    for key in dict.fromkeys((*sides[1], *sides[0])):
        numerators, denominators = zip(*(side.get(key, nothing) for side in sides), strict=True)
        zero = Decimal(0)
        groups[key] = RatePair(
            (numerators[0] or zero, numerators[1] or zero), (denominators[0] or zero, denominators[1] or zero)
        )
    return split_change(before, after, groups, CENT if answer.unit is Unit.MONEY else MILLIONTH)


def _rate(answer: KpiAnswer) -> Rate | None:
    if answer.value is None or answer.numerator is None or answer.denominator is None:
        return None
    return Rate(answer.numerator, answer.denominator, answer.value)


def _unequal_days(kpi: Kpi, earlier: EarlierPeriod) -> Iterator[AnswerWarning]:
    """UNEQUAL_PERIODS, with the difference in days, for a KPI that is more in more days."""
    difference = earlier.compared_days - earlier.days_counted
    if difference and kpi.kind in (Kind.COUNT, Kind.SUM, Kind.TIME):
        message = (
            f"{number_of(earlier.compared_days, 'day')} of the period are compared with "
            f"{number_of(earlier.days_counted, 'day')} of the earlier one: a part of the change is due to that."
        )
        yield AnswerWarning(code=WarningCode.UNEQUAL_PERIODS, message=message, count=abs(difference))


def _unequal_age(answer: KpiAnswer, span: ComparedSpan) -> Iterator[AnswerWarning]:
    """OPEN_COHORT: the earlier cohort has had longer to convert."""
    still_open = next((found for found in answer.warnings if found.code is WarningCode.OPEN_COHORT), None)
    if still_open is not None and span is not ComparedSpan.SAME_AGE:
        message = (
            "The earlier cohort has had longer to convert than that of the answer, which is still open: compare at the "
            "same age, with SAME_AGE."
        )
        yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=still_open.count)

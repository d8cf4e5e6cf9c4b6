"""The figures of two answers side by side: buckets and groups in the same order, with the changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from itertools import zip_longest
from typing import TypeAlias

from api.metrics.answer import BreakdownKey, Bucket, ComparedBucket, DrillDown, Group, KpiAnswer, KpiFigure
from api.metrics.figure_table import MILLIONTH, FigureCell, quantized
from api.metrics.kind_of import kind_of
from api.metrics.kinds.kind import FigureValues
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Kind
from schema.kpis.kpi import Kpi

# Dimension, id and value, and whether it is the group Other: labels change.
GroupKey: TypeAlias = tuple[tuple[Dimension, str | None, str | None, bool], ...]
NO_FIGURE = KpiFigure(value=None, numerator=None, denominator=None, n=0, implied=0, distribution=None, apart=())
_NO_VALUES = {WarningCode.NO_CONTACTS, WarningCode.PERIOD_NOT_BEGUN, WarningCode.PERIOD_BEFORE_DATA}


class ComparedValues(FigureValues):
    """The fields of a `ComparedFigure`."""

    drill_down: DrillDown | None
    change: Decimal | None
    relative_change: Decimal | None


@dataclass(frozen=True, slots=True)
class GroupPair:
    """A group of the answer and the one that it is compared with, each with its series."""

    keys: tuple[BreakdownKey, ...]
    figure: KpiFigure
    other: KpiFigure
    series: tuple[Bucket, ...]
    other_series: tuple[Bucket, ...]


def change_of(value: Decimal | None, other: Decimal | None) -> Decimal | None:
    """The value minus the other one; None if one of them is not known."""
    return None if value is None or other is None else value - other


def exact_value(figure: KpiFigure) -> Fraction | None:
    """The value as it was before it was rounded for display: that of its numerator and denominator, if it has them."""
    if figure.value is None:
        return None
    if not figure.denominator or figure.numerator is None:
        return Fraction(figure.value)
    exact = Fraction(figure.numerator) / Fraction(figure.denominator)
    exponent = figure.value.as_tuple().exponent
    if not isinstance(exponent, int):
        raise TypeError(f"not a finite value: {figure.value}")
    # A formula may have a numerator and denominator of its own, whose quotient is not the value.
    return (
        exact
        if abs(exact - Fraction(figure.value)) <= Fraction(10) ** min(exponent, -2) / 2
        else Fraction(figure.value)
    )


def relative_change(figure: KpiFigure, other: KpiFigure) -> Decimal | None:
    """The change as a share of the other value, to six places; None if that is not above 0."""
    value, base = exact_value(figure), exact_value(other)
    if value is None or base is None or base <= 0:
        return None
    return quantized((value - base) / base, MILLIONTH)


def compared_values(figure: KpiFigure, other: KpiFigure) -> ComparedValues:
    """The other figure, and how the figure differs from it."""
    return {
        **_values(other),
        "drill_down": other.drill_down,
        "change": change_of(figure.value, other.value),
        "relative_change": relative_change(figure, other),
    }


def side_by_side(
    series: Sequence[Bucket], other: Sequence[Bucket], *, is_same_time: bool = False
) -> tuple[ComparedBucket, ...]:
    """The buckets that those of a series are compared with, see `KpiComparison.series`.

    Buckets of the same time stand beside each other by their starts, others by their place.
    """
    pairs: list[tuple[Bucket | None, Bucket | None]] = list(zip_longest(series, other))
    if is_same_time:
        by_start = {bucket.starts_at: bucket for bucket in other}
        pairs = [(bucket, by_start.pop(bucket.starts_at, None)) for bucket in series]
        pairs += [(None, bucket) for bucket in by_start.values()]
    return tuple(
        ComparedBucket(
            **compared_values(bucket or NO_FIGURE, counterpart or NO_FIGURE),
            period=counterpart.period if counterpart else None,
            starts_at=counterpart.starts_at if counterpart else None,
            before=counterpart.before if counterpart else None,
        )
        for bucket, counterpart in pairs
    )


def group_pairs(kpi: Kpi, answer: KpiAnswer, other: KpiAnswer) -> tuple[GroupPair, ...]:
    """The groups of both answers, those of the answer first. A side that lacks a group has its figure of no records."""
    groups = {group_key(group.keys): group for group in answer.breakdown}
    others = {group_key(group.keys): group for group in other.breakdown}
    return tuple(
        GroupPair(
            keys=(groups.get(key) or others[key]).keys,
            figure=groups.get(key) or _without_records(kpi, answer, answer),
            other=others.get(key) or _without_records(kpi, other, other),
            series=_series(kpi, answer, groups.get(key)),
            other_series=_series(kpi, other, others.get(key)),
        )
        for key in dict.fromkeys((*groups, *others))
    )


def group_key(keys: tuple[BreakdownKey, ...]) -> GroupKey:
    """What a group is recognized by on both sides."""
    return tuple((key.dimension, key.id, key.value, key.is_other) for key in keys)


def has_no_values(answer: KpiAnswer) -> bool:
    """Whether the value is null because nothing is known of the period, so that no group is 0 either."""
    return answer.value is None and any(warning.code in _NO_VALUES for warning in answer.warnings)


def _series(kpi: Kpi, answer: KpiAnswer, group: Group | None) -> tuple[Bucket, ...]:
    if group is not None:
        return group.series
    return tuple(
        Bucket(
            **_values(_without_records(kpi, answer, bucket)),
            period=bucket.period,
            starts_at=bucket.starts_at,
            before=bucket.before,
            is_partial=bucket.is_partial,
            is_open=bucket.is_open,
        )
        for bucket in answer.series
    )


def _without_records(kpi: Kpi, answer: KpiAnswer, whole: KpiFigure) -> KpiFigure:
    """The figure of a group that an answer does not have; `whole` is that of all groups, or of one of its buckets."""
    if has_no_values(answer):
        return NO_FIGURE
    if _is_share_of_whole(kpi, answer):
        return KpiFigure(
            value=None if not whole.denominator else Decimal(0),
            numerator=Decimal(0),
            denominator=whole.denominator,
            n=0 if kpi.kind is Kind.ATTAINMENT else whole.n,
            implied=0,
            distribution=None,
            apart=(),
            parts=(),
            variants=(),
        )
    return KpiFigure(**kind_of(kpi.measure).figure(FigureCell()))


def _is_share_of_whole(kpi: Kpi, answer: KpiAnswer) -> bool:
    """Whether every group has the denominator of the whole: the volume owed, or all decisions."""
    return kpi.kind is Kind.ATTAINMENT or answer.request.by == (Dimension.REJECT_REASON,)


def _values(figure: KpiFigure) -> FigureValues:
    return FigureValues(
        value=figure.value,
        numerator=figure.numerator,
        denominator=figure.denominator,
        n=figure.n,
        implied=figure.implied,
        distribution=figure.distribution,
        apart=figure.apart,
        parts=figure.parts,
        variants=figure.variants,
    )

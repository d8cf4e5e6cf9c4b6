"""The figures of an answer: its series, and its breakdown by the requested dimensions."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from api.metrics.answer import BreakdownKey, Bucket, DrillDown, Group
from api.metrics.breakdowns.top_groups import OTHER_LABEL, kept_first
from api.metrics.dimensions import EMPTY_LABEL, dimension_table
from api.metrics.drill_down import FigureDrillDown
from api.metrics.figure_table import ALL, FigureCell, FigureTable, Keys
from api.metrics.kinds.kind import FigureValues, KpiKind
from api.metrics.periods.buckets import bucket_name, is_cut, pairs
from api.metrics.request import Where
from api.metrics.resolved_request import ResolvedKpiRequest, dimensions_of
from schema.kpis.company_sizes import COMPANY_SIZES, company_size
from schema.kpis.declared_dimensions import DECLARED_DIMENSIONS
from schema.kpis.dimension_vocab import Dimension


@dataclass(frozen=True, slots=True)
class ShownBucket:
    """What a bucket is in every group: its name and its instants."""

    period: str | None
    starts_at: datetime
    before: datetime
    is_partial: bool
    is_open: bool


class DrilledFigure(FigureValues):
    """The fields of a `KpiFigure`, with the queries for the records behind it and behind its parts."""

    drill_down: DrillDown


def drilled_figure(kind: KpiKind, cell: FigureCell, drill_down: FigureDrillDown) -> DrilledFigure:
    """The figure of a cell, and the records that it counts."""
    figure = kind.figure(cell)
    parts = tuple(replace(part, drill_down=drill_down.of_part(part.name)) for part in figure["parts"])
    return DrilledFigure(**(figure | {"parts": parts}), drill_down=drill_down)


def shown_buckets(request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> tuple[ShownBucket, ...]:
    """The buckets between the boundaries, in order. They are the same for all groups."""
    grain, zone, reporting = request.grain, request.frame.zone, request.context.accord.reporting
    return tuple(
        ShownBucket(
            period=None if grain is None else bucket_name(start, before, grain, zone, reporting),
            starts_at=start,
            before=before,
            is_partial=grain is not None and is_cut(start, before, grain, zone, reporting),
            is_open=before > request.frame.until,
        )
        for start, before in pairs(boundaries)
    )


def series(
    table: FigureTable, kind: KpiKind, buckets: tuple[ShownBucket, ...], whole: FigureDrillDown, skipped: int
) -> tuple[Bucket, ...]:
    """A figure per bucket in order, empty buckets included, without the `skipped` first ones.

    Shapes: one table -> one Bucket per bucket, of the whole or of the group whose drill-down is given.
    """
    keys: Keys | Literal["all"] = ALL if whole.keys is None else whole.keys
    return tuple(
        Bucket(
            **drilled_figure(
                kind,
                table.cell((keys, place)),
                whole.in_bucket(bucket.starts_at, bucket.before),
            ),
            period=bucket.period,
            starts_at=bucket.starts_at,
            before=bucket.before,
            is_partial=bucket.is_partial,
            is_open=bucket.is_open,
        )
        for place, bucket in enumerate(buckets, start=1)
        if place > skipped
    )


def buckets_before_first(table: FigureTable, boundaries: tuple[datetime, ...]) -> int:
    """The number of buckets before the first one in which anything was counted; of all buckets if nothing was."""
    filled = (
        bucket
        for (keys, bucket), cell in table.cells.items()
        if keys == ALL and isinstance(bucket, int) and cell.is_filled
    )
    return min(filled, default=len(boundaries)) - 1


def breakdown(
    request: ResolvedKpiRequest, kind: KpiKind, table: FigureTable, buckets: tuple[ShownBucket, ...], skipped: int
) -> tuple[Group, ...]:
    """A figure per combination of values of the requested dimensions, in the order in which they are displayed.

    Shapes: one table -> one Group per combination, with its series if there are buckets.
    """
    if not request.by:
        return ()
    is_by_stage = request.by == (Dimension.STAGE,) and not request.has_other
    shown = [(stage,) for stage in _stages_shown(request, table.keys)] if is_by_stage else table.keys
    if request.has_other:
        shown = kept_first(request, table.keys)
    groups = []
    for keys in shown:
        whole = FigureDrillDown(request, keys, kept_currency=table.kept_currency)
        groups.append(
            Group(
                **drilled_figure(kind, table.cell((keys, ALL)), whole),
                keys=tuple(
                    other_key(dimension)
                    if request.is_other(keys)
                    else breakdown_key(request, dimension, key, table.labels)
                    for dimension, key in zip(request.by, keys, strict=not request.has_other)
                ),
                series=series(table, kind, buckets, whole, skipped),
            )
        )
    return tuple(groups if is_by_stage or request.has_other else _in_display_order(request, groups))


def breakdown_key(
    request: ResolvedKpiRequest, dimension: Dimension, key: object, labels: Mapping[object, str]
) -> BreakdownKey:
    """A value of a dimension with its label: the name of a record, or the words of the accord for a code."""
    table = dimension_table(request.kpi.subject, dimension)
    if key is None:
        return BreakdownKey(dimension=dimension, id=None, value=None, label=EMPTY_LABEL, is_other=False)
    if table is not None:
        name = labels.get(key, str(key))
        return BreakdownKey(dimension=dimension, id=f"{table}_{key}", value=name, label=name, is_other=False)
    text = label = str(key)
    accord = request.context.accord
    if dimension is Dimension.COMPANY_SIZE and (size := company_size(text)) is not None:
        label = size.label
    declared = DECLARED_DIMENSIONS.get(dimension.value)
    if declared is not None and declared.column.python is bool:
        label = {"true": "Yes", "false": "No"}[text]
    is_word = declared is not None and declared.column.note.vocab is not None
    if is_word or dimension in (Dimension.CHANNEL, Dimension.DEAL_TYPE):
        label = text.replace("_", " ").capitalize()
    if dimension is Dimension.REJECT_REASON:
        label = next((reason.label for reason in accord.reject_reasons if reason.code == text), text)
    if dimension is Dimension.STAGE:
        label = next((stage.title for stage in accord.stages if stage.key == text), text)
    return BreakdownKey(dimension=dimension, id=None, value=text, label=label, is_other=False)


def other_key(dimension: Dimension) -> BreakdownKey:
    """The key of the group Other: any value of the dimension."""
    return BreakdownKey(dimension=dimension, id=None, value=None, label=OTHER_LABEL, is_other=True)


def _in_display_order(request: ResolvedKpiRequest, groups: list[Group]) -> list[Group]:
    """Sort groups from the largest down, or in the order of the dimension.

    Those with the same first values stay together.
    """
    size = Counter[tuple[BreakdownKey, ...]]()
    for group in groups:
        for length in range(1, len(group.keys) + 1):
            size[group.keys[:length]] += _size(request, group)

    orders = _orders(request)

    def place(group: Group) -> list[tuple[int, str, str]]:
        return [
            (_rank(orders, key, size[group.keys[:length]]), key.label, key.id or "")
            for length, key in enumerate(group.keys, start=1)
        ]

    return sorted(groups, key=place)


def _size(request: ResolvedKpiRequest, group: Group) -> int:
    """The size of a group. All reject reasons have the same n, so their numerators decide."""
    return int(group.numerator or 0) if Dimension.REJECT_REASON in request.by else group.n


def _orders(request: ResolvedKpiRequest) -> Mapping[Dimension, Sequence[str]]:
    """The dimensions whose values have an order of their own: stages and their groups from the first, sizes."""
    return {
        Dimension.STAGE: request.stages,
        Dimension.STAGE_GROUP: [stage.group for stage in request.context.accord.stages],
        Dimension.COMPANY_SIZE: [size.value for size in COMPANY_SIZES],
    }


def _rank(orders: Mapping[Dimension, Sequence[str]], key: BreakdownKey, large: int) -> int:
    """The place of a key; one without a value comes after all that have an order."""
    order = orders.get(key.dimension)
    if order is None:
        return -large
    return order.index(key.value) if key.value in order else len(order)


def _stages_shown(request: ResolvedKpiRequest, keys: Iterable[Keys]) -> list[str]:
    """All stages, including those that nobody entered; with a filter by stage, those that it selects."""
    if Dimension.STAGE not in dimensions_of(request.where):
        return list(request.stages)
    shown = {*(stage for (stage,) in keys), *_named_stages(request.where)}
    return [stage for stage in request.stages if stage in shown]


def _named_stages(where: Where) -> Iterator[str | None]:
    yield from (value for dimension, values in where.tests if dimension is Dimension.STAGE for value in values)
    for part in where.all_of:
        yield from _named_stages(part)

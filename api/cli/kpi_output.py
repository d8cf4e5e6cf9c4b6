"""KPI results for programs: JSON with the fields of the GraphQL result, and CSV with a line for every figure."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum

import orjson

from api.csv_text import CsvWriter
from api.metrics.answer import (
    AnsweredPeriod,
    BreakdownKey,
    Bucket,
    ComparedBucket,
    ComparedFigure,
    ComparedGroup,
    KpiAnswer,
    KpiComparison,
    KpiFigure,
    Provenance,
)
from api.metrics.funnels.funnel_answer import FunnelAnswer, FunnelStep

FIGURE = ("value", "numerator", "denominator", "n", "implied", "median", "p75", "p90", "mean", "max", "apart", "parts")
HEAD = ("key", "title", "definition", "unit", "currency")
CHANGE = ("compared_value", "change", "relative_change")
KEY = ("dimension", "id", "key", "label")
STEP = ("reached", "implied", "open", "step", "overall", "entered", "entered_implied")


def print_json(result: KpiAnswer | FunnelAnswer) -> None:
    """Print the whole result. Decimals are strings, as in GraphQL, so that no digit is lost."""
    # The definition of the KPI comes first, the provenance last.
    last = {field.name for field in fields(Provenance)}
    names = [field.name for field in fields(result) if field.metadata]
    order = [
        *(name for name in names if name in HEAD),
        *(name for name in names if name not in HEAD and name not in last),
        *(name for name in names if name not in HEAD and name in last),
    ]
    document = {_camel(name): json_value(getattr(result, name)) for name in order}
    sys.stdout.write(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode() + "\n")


def print_kpi_csv(result: KpiAnswer) -> None:
    """Print a line for every group and bucket, and the total last.

    The column `row` says what a line is, because the kinds of lines overlap: GROUP for a combination of the dimensions,
    GROUP_BUCKET for one of its buckets, BUCKET for one of all groups, TOTAL for everything.
    """
    dimensions = max((len(group.keys) for group in result.breakdown), default=1)
    compared = result.comparison
    lines: list[list[object]] = []
    for place, group in enumerate(result.breakdown):
        other = compared.breakdown[place] if compared else None
        lines.append(["GROUP", *_figure_line(group, group.keys, dimensions, None), *_change_cells(other)])
        lines += [
            ["GROUP_BUCKET", *_figure_line(bucket, group.keys, dimensions, bucket), *_change_cells(counterpart)]
            for bucket, counterpart in _with_counterparts(group.series, other)
        ]
    for gone in compared.breakdown[len(result.breakdown) :] if compared else ():
        unknown = [None] * (4 + len(FIGURE))
        lines.append(["GROUP", *_key_cells(gone.keys, dimensions), *unknown, *_change_cells(gone)])
    lines += [
        ["BUCKET", *_figure_line(bucket, (), dimensions, bucket), *_change_cells(counterpart)]
        for bucket, counterpart in _with_counterparts(result.series, compared)
    ]
    lines.append(["TOTAL", *_figure_line(result, (), dimensions, None), *_change_cells(compared)])
    names = ("row", *_key_names(dimensions), "from", "before", "is_partial", "is_open", *FIGURE)
    if compared is None:
        lines = [line[: len(names)] for line in lines]
    _print_csv((*names, *(CHANGE if compared else ())), lines, result.period)


def _with_counterparts(
    series: tuple[Bucket, ...], other: KpiComparison | ComparedGroup | None
) -> Iterator[tuple[Bucket, ComparedBucket | None]]:
    """The buckets of a series with those that they are compared with."""
    for place, bucket in enumerate(series):
        yield bucket, other.series[place] if other else None


def _change_cells(other: ComparedFigure | None) -> tuple[object, ...]:
    return (None, None, None) if other is None else (other.value, other.change, other.relative_change)


def print_funnel_csv(result: FunnelAnswer) -> None:
    """Print a line for every stage of every group, and those of the whole funnel last.

    The column `row` says what a line is: GROUP for a stage of a group, TOTAL for a stage of the whole funnel.
    """
    dimensions = max((len(group.keys) for group in result.breakdown), default=1)
    lines = [
        ["GROUP", *_step_line(group.keys, dimensions, step)] for group in result.breakdown for step in group.stages
    ]
    lines += [["TOTAL", *_step_line((), dimensions, step)] for step in result.stages]
    _print_csv(("row", *_key_names(dimensions), "stage", *STEP), lines, result.period)


def json_value(value: object) -> object:
    """A value as orjson takes it. Fields without metadata are internal and left out."""
    if is_dataclass(value) and not isinstance(value, type):
        return {_camel(field.name): json_value(getattr(value, field.name)) for field in fields(value) if field.metadata}
    if isinstance(value, tuple | list):
        return [json_value(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Decimal | date):
        return _text(value)
    return value


def _camel(name: str) -> str:
    if name in ("starts_at", "starts_on"):
        return "from"
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def _figure_line(
    figure: KpiFigure, keys: tuple[BreakdownKey, ...], dimensions: int, bucket: Bucket | None
) -> list[object]:
    spread = figure.distribution
    return [
        *_key_cells(keys, dimensions),
        *((bucket.starts_at, bucket.before, *_truths(bucket)) if bucket else [None] * 4),
        *(figure.value, figure.numerator, figure.denominator, figure.n, figure.implied),
        *((spread.median, spread.p75, spread.p90, spread.mean, spread.max) if spread else [None] * 5),
        "; ".join(
            f"{_text(amount.value)} {amount.currency.value if amount.currency else '?'}" for amount in figure.apart
        ),
        "; ".join(f"{part.name}={_text(part.value)}" for part in figure.parts),
    ]


def _truths(bucket: Bucket) -> tuple[str, str]:
    """Whether the period cuts the bucket and whether it may still grow, in the words of JSON."""
    return str(bucket.is_partial).lower(), str(bucket.is_open).lower()


def _step_line(keys: tuple[BreakdownKey, ...], dimensions: int, step: FunnelStep) -> list[object]:
    return [*_key_cells(keys, dimensions), step.key, *(getattr(step, name) for name in STEP)]


def _key_names(dimensions: int) -> tuple[str, ...]:
    """The names of the columns of the group keys."""
    return (*KEY, *(f"{name}_2" for name in KEY)) if dimensions > 1 else KEY


def _key_cells(keys: tuple[BreakdownKey, ...], dimensions: int) -> list[object]:
    """The cells of the group keys; empty cells without a key."""
    cells: list[object] = []
    for key in keys:
        cells += [key.dimension.value, key.id, key.value, key.label]
    return cells or [None] * (len(KEY) * dimensions)


def _print_csv(names: Iterable[str], lines: Iterable[list[object]], period: AnsweredPeriod) -> None:
    """Print the lines, each with the days of the whole period, so that files of several periods can be joined."""
    writer = CsvWriter(sys.stdout, line_end="\n")
    writer.row((*names, "period_from", "period_before", "timezone"))
    days = (period.starts_on, period.before, period.timezone)
    writer.rows([_text(cell) for cell in (*line, *days)] for line in lines)


def _text(value: object) -> str:
    """A value as text: instants in UTC, decimals without an exponent."""
    match value:
        case None:
            return ""
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case Decimal():
            return f"{value:f}"
        case _:
            return str(value)

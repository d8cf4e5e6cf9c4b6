"""What a KPI is compared with, for people: the change in words, by group or bucket, its causes, and the targets."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import zip_longest

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.cli.kpi_tables import NO_VALUE, value_in_words
from api.metrics.answer import Bucket, ComparedBucket, ComparedFigure, KpiAnswer, KpiComparison, KpiFigure
from schema.kpis.comparisons import ChangeParts, Comparand
from schema.kpis.target_progress import TargetProgress
from schema.vocab import Unit

_WITH = {
    Comparand.PREVIOUS_PERIOD: "the previous period",
    Comparand.SAME_PERIOD_LAST_YEAR: "the same period last year",
    Comparand.TARGET: "the target",
    Comparand.ACCORD_VERSION: "the other version of the accord",
}


def show_comparison(console: Console, result: KpiAnswer, comparison: KpiComparison) -> None:
    """Show what a result is compared with, below the result itself."""
    value = value_in_words(comparison.value, result.unit, result.currency)
    console.print()
    console.print(
        f"[bold]Compared with {_compared_with(comparison)}: {value}, change {_change(result, comparison)}[/bold]"
    )
    if result.breakdown:
        console.print(_group_table(result, comparison))
    elif result.series:
        console.print(_bucket_table(result, comparison))
    if comparison.drivers is not None:
        console.print(f"change of the value: {_parts(comparison.drivers.value, result.unit)}")
        console.print(f"change of the numerator: {_parts(comparison.drivers.numerator, Unit.COUNT)}")
    for target in result.targets:
        for line in _target_lines(result, target):
            console.print(line)
    for warning in comparison.warnings:
        console.print(f"[yellow]! {escape(warning.message)}[/yellow]")


def _compared_with(comparison: KpiComparison) -> str:
    words = _WITH[comparison.compared_to]
    if comparison.compared_to is Comparand.ACCORD_VERSION:
        return f"version {', '.join(str(accord.version) for accord in comparison.accords)} of the accord"
    if comparison.compared_to is Comparand.TARGET or comparison.period.before is None:
        return words
    last = comparison.period.before - timedelta(days=1)
    cut = ", the part that has passed of this one" if comparison.is_to_date else ""
    return f"{words} ({comparison.period.starts_on} to {last}{cut})"


def _change(result: KpiAnswer, figure: ComparedFigure) -> str:
    """The change with its sign, and in percent; of shares in percentage points."""
    if figure.change is None:
        return NO_VALUE
    sign = "+" if figure.change > 0 else "-" if figure.change < 0 else ""
    shown = f"{sign}{_size(abs(figure.change), result)}"
    if figure.relative_change is None:
        return shown
    percent = (figure.relative_change * 100).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return f"{shown} ({percent:+f} %)"


def _size(amount: Decimal, result: KpiAnswer) -> str:
    shown = value_in_words(amount, result.unit, result.currency)
    return f"{shown.removesuffix(' %')} points" if result.unit is Unit.RATIO else shown


def _parts(parts: ChangeParts, unit: Unit) -> str:
    def shown(part: Decimal) -> str:
        amount = (part * 100 if unit is Unit.RATIO else part).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return f"{amount:+,f}{' points' if unit is Unit.RATIO else ''}"

    return f"volume {shown(parts.volume)}, mix {shown(parts.mix)}, rate {shown(parts.rate)}"


def _table(names: list[str]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    for name in ("value", "compared with", "change"):
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _cells(result: KpiAnswer, figure: KpiFigure | None, other: ComparedFigure) -> Iterator[str]:
    for value in (figure.value if figure else None, other.value):
        yield value_in_words(value, result.unit, result.currency)
    yield _change(result, other)


def _group_table(result: KpiAnswer, comparison: KpiComparison) -> Table:
    table = _table([key.dimension.value.lower() for key in result.breakdown[0].keys])
    for group, other in zip_longest(result.breakdown, comparison.breakdown):
        if other is not None:
            table.add_row(*(escape(key.label) for key in other.keys), *_cells(result, group, other))
    return table


def _bucket_table(result: KpiAnswer, comparison: KpiComparison) -> Table:
    table = _table(["bucket", "with"])
    for bucket, other in zip_longest(result.series, comparison.series):
        if other is not None:
            table.add_row(_bucket_name(bucket), _bucket_name(other), *_cells(result, bucket, other))
    return table


def _bucket_name(bucket: Bucket | ComparedBucket | None) -> str:
    if bucket is None or bucket.starts_at is None:
        return NO_VALUE
    return bucket.period or f"{bucket.starts_at:%Y-%m-%d}"


def _target_lines(result: KpiAnswer, target: TargetProgress) -> Iterator[str]:
    def shown(value: Decimal | None) -> str:
        return value_in_words(value, result.unit, result.currency)

    team = "" if target.team is None else f" of {target.team.value.lower()}"
    summed = f", summed from {', '.join(target.summed_from)}" if target.summed_from else ""
    attained = value_in_words(target.attainment, Unit.RATIO, None)
    yield f"target{team} {shown(target.value)}{summed}: {attained} attained"
    if target.pace is not None:
        share = value_in_words(target.pace.share, Unit.RATIO, None)
        periods = f"{len(target.pace.based_on)} earlier periods"
        yield f"  pace: {shown(target.pace.expected)} should stand by now ({share}, as in {periods})"
    if target.forecast is not None:
        high = shown(target.forecast.high) if target.forecast.high is not None else "unknown"
        error = target.forecast.error
        wrong = f", {value_in_words(error, Unit.RATIO, None)} wrong in the past on average" if error is not None else ""
        yield f"  forecast: {shown(target.forecast.value)} ({shown(target.forecast.low)} to {high}{wrong})"

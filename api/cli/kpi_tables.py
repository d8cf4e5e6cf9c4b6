"""KPI results for people: tables, the funnel as bars, warnings, and the provenance of the numbers."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.cli.record_output import RecordList, show_records
from api.metrics.answer import AnsweredPeriod, BreakdownKey, Bucket, KpiAnswer, KpiFigure, Provenance, Variant
from api.metrics.answer_warnings import length_in_words
from api.metrics.funnels.funnel_answer import FunnelAnswer, FunnelStep
from api.metrics.kind_of import kind_of
from schema.durations import format_duration, parse_iso_duration
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import dimension_doc
from schema.kpis.kinds import Kind
from schema.vocab import Currency, Unit

BAR_WIDTH = 32
NO_VALUE = "-"
EMPTY_RUN = 4  # from this many on, empty buckets at the end are shown as one line


def show_catalogue() -> None:
    """List the KPIs with their dimensions and switches."""
    console = _console()
    for kpi in CATALOGUE.values():
        console.print(f"[bold]{kpi.key}[/bold]  {kpi.title}")
        console.print(f"  {escape(kpi.definition)}")
        console.print(f"  [dim]formula: {escape(kpi.formula)}[/dim]")
        console.print(f"  [dim]reads {', '.join(kpi.reads)}; accord {', '.join(kpi.accord_clauses)}[/dim]")
        if kpi.guard:
            console.print(f"  [dim]watch beside it {kpi.guard}[/dim]")
        console.print(f"  [dim]by {', '.join(word.value.lower() for word in kpi.dimensions)}[/dim]")
        switches = "; ".join(f"{switch.name}: {switch.default.removesuffix('.')}" for switch in kpi.switches.defaults)
        console.print(f"  [dim]switches {escape(switches)}[/dim]\n")
    console.print("[bold]Dimensions[/bold]")
    for dimension in Dimension:
        console.print(f"  {dimension.value.lower()}: [dim]{escape(dimension_doc(dimension))}[/dim]")
    console.print()
    console.print("Example: [bold]accord kpi mql_to_customer --period 2026-Q1 --by channel[/bold]")


def show_kpi(result: KpiAnswer, zone: ZoneInfo, records: RecordList | None = None) -> Console:
    """Show a result: the number, its breakdown or series, and its records if they are listed; return the terminal."""
    console = _console()
    console.print(f"[bold]{escape(result.title)}: {_headline(result, result)}[/bold]")
    console.print(f"[dim]{escape(result.definition)}[/dim]")
    if result.parts:
        console.print(_part_table(result))
    if result.breakdown:
        console.print(_kpi_table(result, zone))
    elif result.series:
        console.print(_series_table(result, zone))
    for variant in result.variants:
        console.print(_variant_line(variant, result))
    if records is not None:
        show_records(records, zone, console, lambda value: value_in_words(value, records.unit, result.currency))
    _show_provenance(console, result, zone)
    return console


def show_funnel(result: FunnelAnswer, zone: ZoneInfo) -> None:
    """Show a funnel as bars, and below it the funnel of every group."""
    console = _console()
    console.print(_funnel_table(result.stages))
    for group in result.breakdown:
        console.print(f"[bold]{escape(', '.join(key.label for key in group.keys))}[/bold]")
        console.print(_funnel_table(group.stages))
    console.print(
        "[dim]Reached: of the people who entered the first stage in the period, those who got here by the time below, "
        "so no bar is longer than the one before. Entered: everyone who first entered this stage in the period, which "
        "is another population.[/dim]"
    )
    _show_provenance(console, result, zone)


def value_in_words(value: Decimal | None, unit: Unit, currency: Currency | None) -> str:
    """A value with its unit."""
    if value is None:
        return NO_VALUE
    match unit:
        case Unit.RATIO:
            return f"{(value * 100).quantize(Decimal('0.01'), ROUND_HALF_UP)} %"
        case Unit.SECONDS:
            return length_in_words(timedelta(seconds=float(value)))
        case Unit.MONEY:
            return f"{value:,.2f} {currency.value if currency else ''}".rstrip()
        case Unit.MONEY_PER_DAY:
            return f"{value_in_words(value, Unit.MONEY, currency)} per day"
        case Unit.MONTHS:
            return f"{round(value, 1):,f} months"
        case _:
            return f"{value.to_integral_value() if value == value.to_integral_value() else round(value, 2):,f}"


def _headline(figure: KpiFigure, result: KpiAnswer) -> str:
    """The number with what it is made of."""
    shown = value_in_words(figure.value, result.unit, result.currency)
    if figure.distribution is not None:
        spread = figure.distribution
        median, p75, p90, mean = (
            value_in_words(value, result.unit, None) for value in (spread.median, spread.p75, spread.p90, spread.mean)
        )
        rows = kind_of(CATALOGUE[result.key].measure).row_noun
        if _is_average(result):
            most = f", at most {value_in_words(spread.max, result.unit, None)}" if spread.max is not None else ""
            of = figure.n if figure.denominator is None else int(figure.denominator)
            shown += f" on average (median {median}, p75 {p75}, p90 {p90}{most}; {of:,} {rows})"
        else:
            shown += f" in the middle (p75 {p75}, p90 {p90}, mean {mean}; {figure.n:,} {rows})"
    elif figure.denominator is not None and not figure.parts:
        shown += f" ({figure.numerator:,f} of {figure.denominator:,f})"
    elif figure.implied:
        shown += f" ({figure.implied:,} by skipping)"
    return f"{shown}, and apart {_apart(figure)}" if figure.apart else shown


def _variant_line(variant: Variant, result: KpiAnswer) -> str:
    """The value by one of several rules: `by FIRST_TOUCH 50.00 %, which counts`."""
    counts = ", which counts" if variant.is_canonical else ""
    reason = f" [dim]({escape(variant.reason)})[/dim]" if variant.reason else ""
    value = value_in_words(variant.value, result.unit, result.currency)
    return f"by {variant.rule.value} {value}{counts}{reason}"


def _apart(figure: KpiFigure) -> str:
    """The amounts that no exchange rate converts, by currency."""
    return ", ".join(
        value_in_words(amount.value, Unit.MONEY, amount.currency)
        + ("" if amount.currency else " of an unknown currency")
        for amount in figure.apart
    )


def _part_table(result: KpiAnswer) -> Table:
    """The parts of a formula, with their values."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in ("part", "name"):
        table.add_column(name)
    for name in ("value", "n"):
        table.add_column(name, justify="right", no_wrap=True)
    for part in result.parts:
        shown = value_in_words(part.value, part.unit, result.currency)
        table.add_row(escape(part.title), part.name, shown, f"{part.n:,}")
    return table


def _empty_table(result: KpiAnswer, *names: str) -> Table:
    """A table without rows, with the columns of the KPI's kind."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    more = {Unit.RATIO: ("value", "part", "of"), Unit.SECONDS: ("median", "p75", "p90", "mean", "n")}
    money = ("average", "median", "n") if _is_average(result) else ("value",)
    for name in more.get(result.unit, money):
        table.add_column(name, justify="right", no_wrap=True)
    if _has_apart(result):
        table.add_column("apart", justify="right")
    table.add_column("")
    return table


def _cells(figure: KpiFigure, result: KpiAnswer, largest: Decimal) -> Iterator[str]:
    yield value_in_words(figure.value, result.unit, result.currency)
    if result.unit is Unit.RATIO:
        yield from (NO_VALUE if part is None else f"{part:,f}" for part in (figure.numerator, figure.denominator))
    if result.unit is Unit.SECONDS:
        spread = figure.distribution
        yield from (
            value_in_words(value, Unit.SECONDS, None)
            for value in ((spread.p75, spread.p90, spread.mean) if spread else (None, None, None))
        )
        yield f"{figure.n:,}"
    if _is_average(result):
        yield value_in_words(figure.distribution.median if figure.distribution else None, result.unit, None)
        yield f"{figure.n:,}"
    if _has_apart(result):
        yield _apart(figure)
    yield _bar(figure.value, largest)


def _has_apart(result: KpiAnswer) -> bool:
    """Whether any figure of the result has unconverted amounts: of a snapshot, only earlier buckets may have some."""
    within = (bucket for group in result.breakdown for bucket in (group, *group.series))
    return any(figure.apart for figure in (result, *result.series, *within))


def _is_average(result: KpiAnswer) -> bool:
    return CATALOGUE[result.key].kind in (Kind.AVERAGE, Kind.SPREAD)


def _kpi_table(result: KpiAnswer, zone: ZoneInfo) -> Table:
    dimensions = [key.dimension.value.lower() for key in result.breakdown[0].keys]
    has_series = any(group.series for group in result.breakdown)
    table = _empty_table(result, *dimensions, *(("from",) if has_series else ()))
    parts = [bucket for group in result.breakdown for bucket in group.series] if has_series else result.breakdown
    largest = _largest(parts)
    previous: tuple[BreakdownKey, ...] = ()
    for group in result.breakdown:
        # Groups with the same value of the first dimension are adjacent: the value is shown once.
        is_repeated = len(group.keys) > 1 and group.keys[:1] == previous[:1]
        labels = ["" if is_repeated and not index else escape(key.label) for index, key in enumerate(group.keys)]
        previous = group.keys
        if not has_series:
            table.add_row(*labels, *_cells(group, result, largest))
        for bucket in group.series if has_series else ():
            table.add_row(*labels, _bucket_name(bucket, zone), *_cells(bucket, result, largest))
            labels = [""] * len(labels)
    return table


def _series_table(result: KpiAnswer, zone: ZoneInfo) -> Table:
    table = _empty_table(result, "from")
    largest = _largest(result.series)
    end = _shown_buckets(result)
    for bucket in result.series[:end]:
        table.add_row(_bucket_name(bucket, zone), *_cells(bucket, result, largest))
    if rest := result.series[end:]:
        first, last = (_bucket_name(bucket, zone) for bucket in (rest[0], rest[-1]))
        table.add_row(f"{first} to {last}: {len(rest)} empty buckets")
    return table


def _shown_buckets(result: KpiAnswer) -> int:
    """The number of buckets to show one by one: a long run of empty ones at the end is shown as one line."""
    # The sum of no rows is 0. A sum without a value has rows, none of which has a known amount.
    is_sum = CATALOGUE[result.key].kind in (Kind.SUM, Kind.SNAPSHOT)
    filled = [
        number
        for number, bucket in enumerate(result.series, start=1)
        if bucket.n or bucket.numerator or (is_sum and bucket.value is None)
    ]
    end = max(filled, default=0)
    return end if len(result.series) - end >= EMPTY_RUN else len(result.series)


def _funnel_table(stages: tuple[FunnelStep, ...]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("stage", no_wrap=True)
    table.add_column("", width=BAR_WIDTH, no_wrap=True)
    for name in ("reached", "implied", "open", "step", "overall", "entered"):
        table.add_column(name, justify="right", no_wrap=True)
    first = Decimal(stages[0].reached or 0)
    for step in stages:
        shares = (value_in_words(share, Unit.RATIO, None) for share in (step.step, step.overall))
        counts = (_count(count) for count in (step.reached, step.implied, step.open))
        bar = _bar(Decimal(step.reached or 0), first)
        table.add_row(escape(step.title), bar, *counts, *shares, _count(step.entered))
    return table


def _count(value: int | None) -> str:
    return NO_VALUE if value is None else f"{value:,}"


def _largest(figures: tuple[KpiFigure, ...] | list[Bucket]) -> Decimal:
    return max((figure.value for figure in figures if figure.value is not None), default=Decimal(0))


def _bar(value: Decimal | None, largest: Decimal) -> str:
    """A bar with a resolution of an eighth of a character; every value above zero is visible."""
    if value is None or value <= 0 or largest <= 0:
        return ""
    eighths = max(1, round(value / largest * BAR_WIDTH * 8))
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]


def _bucket_name(bucket: Bucket, zone: ZoneInfo) -> str:
    """The name of a bucket, such as 2026-Q1, or else its first day; with a note if it is cut or may still grow."""
    name = bucket.period or bucket.starts_at.astimezone(zone).date().isoformat()
    notes = [word for word, holds in (("partial", bucket.is_partial), ("open", bucket.is_open)) if holds]
    return f"{name} ({', '.join(notes)})" if notes else name


def _show_provenance(console: Console, result: Provenance, zone: ZoneInfo) -> None:
    console.print(f"[dim]{_period_in_words(result.period)}[/dim]")
    for warning in result.warnings:
        console.print(f"[yellow]! {escape(warning.message)}[/yellow]")
    for meaning in result.dimensions:
        console.print(f"[dim]{meaning.dimension.value.lower()}: {escape(meaning.sentences)}[/dim]")
    if result.excluded.count:
        reasons = ", ".join(f"{part.count:,} {part.reason.value.lower()}" for part in result.excluded.reasons)
        console.print(f"[dim]Not counted for who or what they are: {result.excluded.count:,} ({reasons}).[/dim]")
    if result.overrides:
        overrides = ", ".join(map(_override_in_words, result.overrides))
        console.print(f"[yellow]! Not as agreed: {escape(overrides)}.[/yellow]")
    used = ", ".join(
        f"version {accord.version} ({accord.hash[:12]}, {'signed' if accord.is_signed else 'provisional'})"
        for accord in result.accords
    )
    watermark = f"data to {_moment(result.data_watermark, zone)}" if result.data_watermark else "no data yet"
    console.print(f"[dim]accord {used} · as of {_moment(result.as_of, zone)} · {watermark}[/dim]")
    for sentence in {accord.fiscal_year for accord in result.accords if accord.fiscal_year is not None}:
        console.print(f"[dim]{sentence}[/dim]")


def _override_in_words(override: str) -> str:
    """An override as the options of the command are written: `window=30 days` for `window=P30D`."""
    name, _, value = override.partition("=")
    is_length = name == "window" and value != "none"
    return f"{name}={format_duration(parse_iso_duration(value))}" if is_length else override


def _period_in_words(period: AnsweredPeriod) -> str:
    """The days of a period, the last one included."""
    last = None if period.before is None else period.before - timedelta(days=1)
    first = period.starts_on
    if first is None:
        days = "all history" if last is None else f"to {last}"
    elif first == last:
        days = f"{first}"
    else:
        days = f"from {first}" if last is None else f"{first} to {last}"
    return f"period {days} {period.timezone}"


def _moment(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"


def _console() -> Console:
    """The terminal. Output to a file or a pipe is wide enough to keep lines whole."""
    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=140)

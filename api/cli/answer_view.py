"""Answers for people: tables, the funnel as bars, warnings in words, and what the numbers were computed from."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.cli.record_output import RecordList, show_list
from api.metrics.answer import BreakdownKey, Bucket, FunnelAnswer, FunnelStep, KpiAnswer, KpiFigure, Provenance
from api.metrics.answer_warnings import length_in_words
from api.metrics.kinds import kind_of
from schema.kpis import CATALOGUE
from schema.kpis.kinds import Kind
from schema.vocab import Currency, Grain, Unit

BAR = 32
NOTHING = "-"
EMPTY_RUN = 4  # so many empty buckets at the end are shown as one line


def show_catalogue() -> None:
    """List the KPIs with what may be asked of them."""
    console = _console()
    for kpi in CATALOGUE.values():
        console.print(f"[bold]{kpi.key}[/bold]  {kpi.title}")
        console.print(f"  {escape(kpi.definition)}")
        console.print(f"  [dim]by {', '.join(word.value.lower() for word in kpi.dimensions)}[/dim]")
        console.print(f"  [dim]switches {', '.join(kpi.switches.names)}[/dim]\n")
    console.print("Ask one: [bold]accord kpi mql_to_customer --period 2026-Q1 --by channel[/bold]")


def show_kpi(answer: KpiAnswer, grain: Grain | None, zone: ZoneInfo, listed: RecordList | None = None) -> None:
    """Show an answer: the number, its parts, its course, and the records behind it."""
    console = _console()
    console.print(f"[bold]{escape(answer.title)}: {_whole(answer, answer)}[/bold]")
    console.print(f"[dim]{escape(answer.definition)}[/dim]")
    if answer.breakdown:
        console.print(_kpi_table(answer, grain, zone))
    elif answer.series:
        console.print(_series_table(answer, grain, zone))
    if listed is not None:
        show_list(listed, zone, console)
    _show_provenance(console, answer, zone)


def show_funnel(answer: FunnelAnswer, zone: ZoneInfo) -> None:
    """Show a funnel as bars, and below it the funnel of each group."""
    console = _console()
    console.print(_funnel_table(answer.stages))
    for group in answer.breakdown:
        console.print(f"[bold]{escape(group.keys[0].label)}[/bold]")
        console.print(_funnel_table(group.stages))
    console.print(
        "[dim]Reached: of those who entered the first stage in the period, up to the moment below. "
        "Entered: whoever first entered the stage in the period, other people among them.[/dim]"
    )
    _show_provenance(console, answer, zone)


def value_in_words(value: Decimal | None, unit: Unit, currency: Currency | None) -> str:
    """A value as people read it."""
    if value is None:
        return NOTHING
    match unit:
        case Unit.RATIO:
            return f"{(value * 100).quantize(Decimal('0.01'), ROUND_HALF_UP)} %"
        case Unit.SECONDS:
            return length_in_words(timedelta(seconds=float(value)))
        case Unit.MONEY:
            return f"{value:,.2f} {currency.value if currency else ''}".rstrip()
        case _:
            return f"{value if value == value.to_integral_value() else round(value, 2):,f}"


def _whole(figure: KpiFigure, answer: KpiAnswer) -> str:
    shown = value_in_words(figure.value, answer.unit, answer.currency)
    if figure.distribution is not None:
        spread = figure.distribution
        median, p75, p90, mean = (
            value_in_words(each, answer.unit, None) for each in (spread.median, spread.p75, spread.p90, spread.mean)
        )
        rows = kind_of(CATALOGUE[answer.key].measure).row_noun
        if _is_average(answer):
            most = f", at most {value_in_words(spread.max, answer.unit, None)}" if spread.max is not None else ""
            of = figure.n if figure.denominator is None else int(figure.denominator)
            shown += f" on average (median {median}, p75 {p75}, p90 {p90}{most}; {of:,} {rows})"
        else:
            shown += f" in the middle (p75 {p75}, p90 {p90}, mean {mean}; {figure.n:,} {rows})"
    elif figure.denominator is not None:
        shown += f" ({figure.numerator:,f} of {figure.denominator:,f})"
    elif figure.implied:
        shown += f" ({figure.implied:,} by skipping)"
    return f"{shown}, and apart {_apart(figure)}" if figure.apart else shown


def _apart(figure: KpiFigure) -> str:
    """What no rate converts, by its own currency."""
    return ", ".join(
        f"{value_in_words(each.value, Unit.MONEY, each.currency)}{'' if each.currency else ' of an unknown currency'}"
        for each in figure.apart
    )


def _columns(answer: KpiAnswer, *names: str) -> Table:
    """An empty table with the columns that the answer's kind fills."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold")
    more = {Unit.RATIO: ("value", "part", "of"), Unit.SECONDS: ("median", "p75", "p90", "mean", "n")}
    money = ("average", "median", "n") if _is_average(answer) else ("value",)
    for name in more.get(answer.unit, money):
        table.add_column(name, justify="right", no_wrap=True)
    if _has_apart(answer):
        table.add_column("apart", justify="right")
    table.add_column("")
    return table


def _cells(figure: KpiFigure, answer: KpiAnswer, largest: Decimal) -> Iterator[str]:
    yield value_in_words(figure.value, answer.unit, answer.currency)
    if answer.unit is Unit.RATIO:
        yield from (NOTHING if each is None else f"{each:,f}" for each in (figure.numerator, figure.denominator))
    if answer.unit is Unit.SECONDS:
        spread = figure.distribution
        yield from (
            value_in_words(each, Unit.SECONDS, None)
            for each in ((spread.p75, spread.p90, spread.mean) if spread else (None, None, None))
        )
        yield f"{figure.n:,}"
    if _is_average(answer):
        yield value_in_words(figure.distribution.median if figure.distribution else None, answer.unit, None)
        yield f"{figure.n:,}"
    if _has_apart(answer):
        yield _apart(figure)
    yield _bar(figure.value, largest)


def _has_apart(answer: KpiAnswer) -> bool:
    """Whether amounts are kept apart anywhere in what is shown: of a state, earlier buckets may have some alone."""
    within = (bucket for group in answer.breakdown for bucket in (group, *group.series))
    return any(figure.apart for figure in (answer, *answer.series, *within))


def _is_average(answer: KpiAnswer) -> bool:
    return CATALOGUE[answer.key].kind in (Kind.AVERAGE, Kind.SPREAD)


def _kpi_table(answer: KpiAnswer, grain: Grain | None, zone: ZoneInfo) -> Table:
    dimensions = [key.dimension.value.lower() for key in answer.breakdown[0].keys]
    has_series = grain is not None and any(group.series for group in answer.breakdown)
    table = _columns(answer, *dimensions, *(("from",) if has_series else ()))
    parts = [bucket for group in answer.breakdown for bucket in group.series] if has_series else answer.breakdown
    largest = _largest(parts)
    above: tuple[BreakdownKey, ...] = ()
    for group in answer.breakdown:
        # What belongs to one value of the first dimension stands together: the value is said once.
        is_said = len(group.keys) > 1 and group.keys[:1] == above[:1]
        labels = ["" if is_said and not place else escape(key.label) for place, key in enumerate(group.keys)]
        above = group.keys
        if not has_series:
            table.add_row(*labels, *_cells(group, answer, largest))
        for bucket in group.series if has_series else ():
            table.add_row(*labels, _bucket_name(bucket.starts_at, grain, zone), *_cells(bucket, answer, largest))
            labels = [""] * len(labels)
    return table


def _series_table(answer: KpiAnswer, grain: Grain | None, zone: ZoneInfo) -> Table:
    table = _columns(answer, "from")
    largest = _largest(answer.series)
    end = _end_of_news(answer)
    for bucket in answer.series[:end]:
        table.add_row(_bucket_name(bucket.starts_at, grain, zone), *_cells(bucket, answer, largest))
    if rest := answer.series[end:]:
        first, last = (_bucket_name(each.starts_at, grain, zone) for each in (rest[0], rest[-1]))
        table.add_row(f"{first} to {last}: nothing in these {len(rest)}")
    return table


def _end_of_news(answer: KpiAnswer) -> int:
    """How many buckets to show one by one: a long emptiness at the end is told in one line."""
    # A sum of nothing is 0: without a value there is something, of which no amount is known.
    is_sum = CATALOGUE[answer.key].kind in (Kind.SUM, Kind.SNAPSHOT)
    filled = [
        place
        for place, bucket in enumerate(answer.series, start=1)
        if bucket.n or bucket.numerator or (is_sum and bucket.value is None)
    ]
    end = max(filled, default=0)
    return end if len(answer.series) - end >= EMPTY_RUN else len(answer.series)


def _funnel_table(stages: tuple[FunnelStep, ...]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("stage", no_wrap=True)
    table.add_column("", width=BAR, no_wrap=True)
    for name in ("reached", "implied", "open", "step", "overall", "entered"):
        table.add_column(name, justify="right", no_wrap=True)
    first = Decimal(stages[0].reached or 0)
    for step in stages:
        shares = (value_in_words(each, Unit.RATIO, None) for each in (step.step, step.overall))
        counts = (_count(each) for each in (step.reached, step.implied, step.open))
        bar = _bar(Decimal(step.reached or 0), first)
        table.add_row(escape(step.title), bar, *counts, *shares, _count(step.entered))
    return table


def _count(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"


def _largest(figures: tuple[KpiFigure, ...] | list[Bucket]) -> Decimal:
    return max((figure.value for figure in figures if figure.value is not None), default=Decimal(0))


def _bar(value: Decimal | None, largest: Decimal) -> str:
    """A bar in eighths of a character; anything above nothing shows."""
    if value is None or value <= 0 or largest <= 0:
        return ""
    eighths = max(1, round(value / largest * BAR * 8))
    return "█" * (eighths // 8) + ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉")[eighths % 8]


def _bucket_name(start: datetime, grain: Grain | None, zone: ZoneInfo) -> str:
    """What a bucket is called; one that the period cut is called by its first day."""
    day = start.astimezone(zone).date()
    if grain is Grain.YEAR and (day.month, day.day) == (1, 1):
        return f"{day.year}"
    if grain is Grain.QUARTER and day.month % 3 == 1 and day.day == 1:
        return f"{day.year}-Q{(day.month + 2) // 3}"
    if grain is Grain.MONTH and day.day == 1:
        return f"{day:%Y-%m}"
    return day.isoformat()


def _show_provenance(console: Console, answer: Provenance, zone: ZoneInfo) -> None:
    for warning in answer.warnings:
        console.print(f"[yellow]! {escape(warning.message)}[/yellow]")
    if answer.overrides:
        console.print(f"[yellow]! Not as agreed: {escape(', '.join(answer.overrides))}.[/yellow]")
    used = ", ".join(
        f"version {each.version} ({each.hash[:12]}, {'signed' if each.is_signed else 'provisional'})"
        for each in answer.accords
    )
    told = f"data to {_moment(answer.data_watermark, zone)}" if answer.data_watermark else "no data yet"
    console.print(f"[dim]accord {used} · as of {_moment(answer.as_of, zone)} · {told}[/dim]")


def _moment(instant: datetime, zone: ZoneInfo) -> str:
    return f"{instant.astimezone(zone):%Y-%m-%d %H:%M} {zone.key}"


def _console() -> Console:
    """The terminal; where the output goes elsewhere, wide enough to keep lines whole."""
    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=140)

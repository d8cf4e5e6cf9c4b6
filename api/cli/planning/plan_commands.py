"""`accord plan revenue` and `accord plan variance`."""

import asyncio
import sys
from decimal import Decimal, InvalidOperation
from typing import Annotated

import orjson
import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from api.access.principal import LOCAL_OPERATOR
from api.cli.kpi_output import json_value
from api.cli.kpi_tables import NO_VALUE, value_in_words
from api.cli.kpi_values import bad_input, parse_instant, parse_period, parse_word
from api.cli.options import Data
from api.cli.session import open_database
from api.metrics.answer import AnswerWarning
from api.metrics.planning.plan_answer import PlanStep, RevenuePlan, RevenueVariance
from api.metrics.planning.plan_request import RevenuePlanRequest, RevenueVarianceRequest
from api.metrics.planning.revenue_plan import query_revenue_plan
from api.metrics.planning.revenue_variance import query_revenue_variance
from schema.kpis.planning import VarianceBaseline
from schema.vocab import Grain, Unit

_FILE_WIDTH = 140

Days = Annotated[str, typer.Option("--period", metavar="PERIOD", help="The days of the revenue, like 2026-Q3.")]
AsOf = Annotated[
    str | None,
    typer.Option("--as-of", metavar="INSTANT", help="Count only what happened by then, like 2026-04-01T00:00:00Z."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the whole result as JSON.")]


def revenue(
    *,
    period: Days,
    amount: Annotated[
        str | None,
        typer.Option("--amount", metavar="AMOUNT", help="The revenue to reach; default: the accord's target."),
    ] = None,
    grain: Annotated[str, typer.Option("--grain", metavar="GRAIN", help="The length of the plan's buckets.")] = "month",
    measured_over: Annotated[
        str | None,
        typer.Option(
            "--measured-over",
            metavar="PERIOD",
            help="Where rates and lags are measured; default: the last 4 whole quarters whose outcome is known.",
        ),
    ] = None,
    as_of: AsOf = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Show what every stage and team owes for a revenue target.

    The plan counts back from the deals won, by the measured rates, deal sizes and lags.
    """
    request = RevenuePlanRequest(
        period=parse_period(period),
        amount=None if amount is None else _amount(amount),
        grain=parse_word(Grain, "--grain", grain),
        measured_over=None if measured_over is None else parse_period(measured_over),
        as_of=parse_instant("--as-of", as_of),
    )

    async def computed() -> RevenuePlan:
        async with open_database(data) as database, database.read() as session:
            return await query_revenue_plan(session, LOCAL_OPERATOR, request)

    plan = asyncio.run(computed())
    _print_json(plan) if as_json else _show_plan(plan)


def variance(
    *,
    period: Days,
    compare_to: Annotated[
        str, typer.Option("--compare-to", metavar="BASELINE", help="previous, last-year or target.")
    ] = "previous",
    as_of: AsOf = None,
    as_json: Json = False,
    data: Data = None,
) -> None:
    """Split the change of revenue into volume, speed, win rate and size.

    The parts sum to the change, to the cent.
    """
    request = RevenueVarianceRequest(
        period=parse_period(period),
        compare_to=parse_word(VarianceBaseline, "--compare-to", compare_to),
        as_of=parse_instant("--as-of", as_of),
    )

    async def computed() -> RevenueVariance:
        async with open_database(data) as database, database.read() as session:
            return await query_revenue_variance(session, LOCAL_OPERATOR, request)

    found = asyncio.run(computed())
    _print_json(found) if as_json else _show_variance(found)


def _amount(text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation as error:
        raise bad_input(f"--amount does not accept '{text}'.", "Write a number like 500000.") from error
    if not amount.is_finite():
        raise bad_input(f"--amount does not accept '{text}'.", "Write a number like 500000.")
    return amount


def _print_json(result: RevenuePlan | RevenueVariance) -> None:
    sys.stdout.write(orjson.dumps(json_value(result), option=orjson.OPT_INDENT_2).decode() + "\n")


def _show_plan(plan: RevenuePlan) -> None:
    """The steps, then what each of them owes by bucket."""
    console = _console()
    target = value_in_words(plan.target, Unit.MONEY, plan.currency)
    console.print(f"[bold]{target} from {plan.period.starts_on} before {plan.period.before}[/bold]")
    table = _table("step", "team", "needed", "standing", "owed", "rate", "n", "days to win", "leads to")
    for step in plan.steps:
        unit = Unit.MONEY if step is plan.steps[-1] else Unit.RATIO
        table.add_row(
            escape(step.title),
            step.team.value.lower(),
            *(_count(count) for count in (step.needed, step.standing, step.owed)),
            value_in_words(step.rate.value, unit, plan.currency),
            _count(step.rate.n),
            _count(step.days_to_win),
            value_in_words(step.leads_to, Unit.MONEY, plan.currency),
        )
    console.print(table)
    for step in plan.steps:
        if step.missing is not None:
            console.print(f"[yellow]! {escape(step.title)}: {escape(step.missing.message)}[/yellow]")
    for step in plan.steps:
        if step.buckets:
            console.print(f"[bold]{escape(step.title)}[/bold]")
            console.print(_bucket_table(step))
    console.print(
        "[dim]Needed: the entries whose wins fall in the period. Pace: all entries of the bucket at that pace; of its "
        "winners, the share `landing` wins in the period.[/dim]"
    )
    _show_notes(console, plan.warnings, plan.overrides)


def _bucket_table(step: PlanStep) -> Table:
    table = _table("from", "needed", "owed", "pace", "entered", "landing")
    for bucket in step.buckets:
        table.add_row(
            bucket.period or bucket.starts_on.isoformat(),
            *(_count(count) for count in (bucket.needed, bucket.owed, bucket.pace, bucket.entered)),
            value_in_words(bucket.landing, Unit.RATIO, None),
        )
    return table


def _show_variance(found: RevenueVariance) -> None:
    console = _console()
    before, after, change = (
        value_in_words(value, Unit.MONEY, found.currency) for value in (found.before, found.after, found.change)
    )
    baseline = found.compare_to.value.lower().replace("_", " ")
    console.print(f"[bold]{after} against {before} ({baseline}): {change}[/bold]")
    table = _table("driver", "before", "after", "part")
    for part in found.parts:
        values = (NO_VALUE if value is None else f"{value.normalize():,f}" for value in (part.before, part.after))
        table.add_row(part.driver.value.lower(), *values, value_in_words(part.amount, Unit.MONEY, found.currency))
    console.print(table)
    _show_notes(console, found.warnings, found.overrides)


def _show_notes(console: Console, warnings: tuple[AnswerWarning, ...], overrides: tuple[str, ...]) -> None:
    for warning in warnings:
        console.print(f"[yellow]! {escape(warning.message)}[/yellow]")
    if overrides:
        console.print(f"[yellow]! Not as agreed: {escape(', '.join(overrides))}.[/yellow]")


def _table(first: str, *columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column(first, overflow="fold")
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table


def _count(count: Decimal | int | None) -> str:
    return NO_VALUE if count is None else f"{round(count):,}"


def _console() -> Console:
    """The terminal. Output to a file or a pipe is wide enough to keep lines whole."""
    console = Console(highlight=False, soft_wrap=False)
    return console if console.is_terminal else Console(highlight=False, width=_FILE_WIDTH)

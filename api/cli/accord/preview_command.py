"""`accord preview`: what a version would have changed, before anybody signs it."""

import asyncio
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.access.principal import LOCAL_OPERATOR
from api.cli.accord.version_commands import VersionNumber
from api.cli.kpi_values import parse_period
from api.cli.options import Data
from api.cli.progress_bar import progress_bar
from api.cli.session import open_database
from api.metrics.preview.figures import Preview, PreviewFigure
from api.metrics.preview.preview_frame import LAST_THREE_MONTHS
from api.metrics.preview.requested import PreviewRequest, requested_preview
from schema.vocab import Unit

_NONE = "-"


def preview(
    version: VersionNumber,
    period: Annotated[
        str | None,
        typer.Option("--period", metavar="PERIOD", help="The days, like 2026-Q1. Left out: the last 3 whole months."),
    ] = None,
    compare_to: Annotated[
        int | None,
        typer.Option("--compare-to", min=1, metavar="VERSION", help="Left out: the version in force."),
    ] = None,
    data: Data = None,
) -> None:
    """Show what a version of the accord would have changed.

    Both versions judge all of the history, and what they make of the period is compared. The preview is stored; a
    signature on the pages names one.
    """
    days = LAST_THREE_MONTHS if period is None else parse_period(period)
    found = asyncio.run(_preview(PreviewRequest(version, compare_to, days), data))
    typer.echo(
        f"Version {found.version} compared with version {found.compared_version}, from {found.period.starts_on} before"
        f" {found.period.before} ({found.period.timezone}):"
    )
    console = Console()
    console.print(_stages(found))
    console.print(_kpis(found))
    for line in _lines(found):
        typer.echo(line)


async def _preview(request: PreviewRequest, data: Path | None) -> Preview:
    async with open_database(data) as database:
        with progress_bar() as progress:
            return await requested_preview(database, LOCAL_OPERATOR, request, wait=None, progress=progress)


def _stages(found: Preview) -> Table:
    """The people whom each version counts in each stage."""
    table = _table("Stage", "before", "after", "gained", "lost", "moved")
    for stage in found.stages:
        counts = (stage.count_before, stage.count_after, stage.gained, stage.lost, stage.moved)
        table.add_row(stage.title, *(_NONE if count is None else f"{count:,}" for count in counts))
    return table


def _kpis(found: Preview) -> Table:
    """The KPIs that differ between the versions."""
    table = _table("KPI", "before", "after")
    for kpi in found.kpis:
        if kpi.is_changed:
            pair = "" if kpi.base_stage is None else f", {kpi.base_stage} to {kpi.target_stage}"
            figures = (_value(figure, kpi.unit) for figure in (kpi.figure_before, kpi.figure_after))
            table.add_row(f"{kpi.title}{pair}", *figures)
    return table


def _lines(found: Preview) -> Iterator[str]:
    """What the tables do not show: precision and recall, coverage, warnings."""
    for stage in found.stages:
        for outcome in stage.outcomes:
            yield (
                f"{stage.title} to {outcome.title}: precision {_share(outcome.precision_before)} before,"
                f" {_share(outcome.precision_after)} after; recall {_share(outcome.recall_before)} before,"
                f" {_share(outcome.recall_after)} after"
            )
    coverage = found.coverage
    yield f"History: {coverage.grade.value}, complete for {coverage.complete:,} of {coverage.people:,} people."
    for warning in found.warnings:
        yield f"{warning.code.value}: {warning.message}"


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(first)
    for other in others:
        table.add_column(other, justify="right")
    return table


def _value(figure: PreviewFigure, unit: Unit) -> str:
    if figure.value is None:
        return _NONE
    return _share(figure.value) if unit is Unit.RATIO else f"{figure.value.normalize():,f}"


def _share(value: Decimal | None) -> str:
    return _NONE if value is None else f"{value:.1%}"

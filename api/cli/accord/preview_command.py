"""`accord preview`: what a version would have changed, before anybody signs it."""

import asyncio
from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from api.access.principal import LOCAL_OPERATOR
from api.cli.accord.preview_tables import ChangedList, people_lines, preview_tables
from api.cli.accord.version_commands import VersionNumber
from api.cli.kpi_values import parse_period, require_number
from api.cli.options import Data
from api.cli.progress_bar import progress_bar
from api.cli.session import open_database
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.preview.figures import Preview, PreviewStage
from api.metrics.preview.people_pages import read_people
from api.metrics.preview.preview_frame import LAST_THREE_MONTHS
from api.metrics.preview.reasons import reasons_of
from api.metrics.preview.requested import PreviewRequest, requested_preview
from api.plan.record_labels import record_labels
from schema.accord_vocab import PersonChange
from schema.nearest_words import suggestion

_NONE = "-"
_MOST_LISTED = 500


def preview(
    version: VersionNumber,
    period: Annotated[
        str | None,
        typer.Option("--period", metavar="PERIOD", help="The days, like 2026-Q1. Left out: the last 3 whole months."),
    ] = None,
    compare_to: Annotated[
        int | None,
        typer.Option("--compare-to", metavar="VERSION", help="Left out: the version in force."),
    ] = None,
    people: Annotated[
        str | None,
        typer.Option("--people", metavar="STAGE", help="Also list who this stage gains, loses and moves, and why."),
    ] = None,
    first: Annotated[int, typer.Option("--first", help="With --people: how many of each list.")] = 20,
    data: Data = None,
) -> None:
    """Show what a version of the accord would have changed.

    Both versions judge all of the history, and what they make of the period is compared. The preview is stored; a
    signature on the pages names one.
    """
    require_number("--first", first, 1, _MOST_LISTED)
    days = LAST_THREE_MONTHS if period is None else parse_period(period)
    found, lists = asyncio.run(_preview(PreviewRequest(version, compare_to, days), people, first, data))
    typer.echo(
        f"Version {found.version} compared with version {found.compared_version}, from {found.period.starts_on} before"
        f" {found.period.before} ({found.period.timezone}):"
    )
    _print((*preview_tables(found), *_lines(found), *people_lines(lists, people or "")))


def _print(parts: Iterable[Table | str]) -> None:
    """Print tables and lines. Output to a file or a pipe is wide enough to keep lines whole."""
    console = Console(highlight=False)
    wide = console if console.is_terminal else Console(highlight=False, width=200)
    for part in parts:
        if isinstance(part, str):
            typer.echo(part)
        else:
            wide.print(part)


async def _preview(
    request: PreviewRequest, stage: str | None, first: int, data: Path | None
) -> tuple[Preview, tuple[ChangedList, ...]]:
    """Compute a preview, and read the people of a stage. Errors: UNKNOWN_STAGE if neither version has it."""
    async with open_database(data) as database:
        with progress_bar() as progress:
            found = await requested_preview(database, LOCAL_OPERATOR, request, wait=None, progress=progress)
        if stage is None:
            return found, ()
        of_stage = _stage(found, stage)
        async with database.read() as session:
            return found, tuple([await _people(session, of_stage, change, first) for change in PersonChange])


def _stage(found: Preview, key: str) -> PreviewStage:
    stages = {stage.key: stage for stage in found.stages}
    if key not in stages:
        message = f"Neither version has the stage '{key}'."
        raise AccordError(ErrorCode.UNKNOWN_STAGE, message, suggestion(key, stages, "stages"))
    return stages[key]


async def _people(session: ReadSession, stage: PreviewStage, change: PersonChange, first: int) -> ChangedList:
    page = await read_people(session, stage.people, change, size=first, needs_total=True)
    names = await record_labels(session, LOCAL_OPERATOR, "contact", [person.id for person in page.people])
    return ChangedList(change, page, names, await reasons_of(session, stage.people, page.people))


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
    if coverage.people:
        yield f"History: {coverage.grade}, complete for {coverage.complete:,} of {coverage.people:,} people."
    else:
        yield "History: no stage that the versions judge differently counts anybody in the period."
    for warning in found.warnings:
        yield f"{warning.code.value}: {warning.message}"


def _share(value: Decimal | None) -> str:
    return _NONE if value is None else f"{value:.1%}"

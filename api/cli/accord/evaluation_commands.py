"""`accord evaluate` and `accord check`."""

import asyncio
import time
from pathlib import Path

import typer

from api.cli.options import Data
from api.cli.progress_bar import progress_bar
from api.cli.session import open_database
from api.funnel.drift import DriftCheck, check_entries
from api.funnel.evaluate import EvaluationResult, discard_former_entries
from api.funnel.evaluate import evaluate as evaluate_entries
from api.metrics.summing.check_sums import check_day_sums


def evaluate(data: Data = None) -> None:
    """Evaluate the stage entries of all contacts again.

    Prints the number of entries of every stage, of all people.
    """
    began = time.monotonic()
    evaluated = asyncio.run(_evaluate(data))
    width = max(len(stage) for stage in evaluated.entries)
    typer.echo("Entries of all people, every time they entered a stage (`accord funnel` counts people instead):")
    for stage, entries in evaluated.entries.items():
        typer.echo(f"{stage:{width}}  {entries:>12,}")
    watermark = f"{evaluated.watermark:%Y-%m-%d %H:%M:%S} UTC" if evaluated.watermark else "none"
    total, seconds = sum(evaluated.entries.values()), time.monotonic() - began
    typer.echo(f"{total:,} entries in {seconds:.1f} s; last fact recorded: {watermark}.")


def check(data: Data = None) -> None:
    """Verify that the stored stage entries equal a rebuild.

    Nothing is changed.
    """
    found = asyncio.run(_check(data))
    typer.echo(f"{found.entries:,} stored entries equal a rebuild.")
    if found.due:
        typer.echo(f"Not compared: {found.due:,} people whose next evaluation is due. `accord worker` evaluates them.")


async def _evaluate(data: Path | None) -> EvaluationResult:
    async with open_database(data) as database:
        with progress_bar() as progress:
            async with database.write() as session:
                evaluated = await evaluate_entries(session, progress=progress)
            async with database.write() as session:
                await discard_former_entries(session)
        return evaluated


async def _check(data: Path | None) -> DriftCheck:
    async with open_database(data) as database:
        with progress_bar() as progress:
            async with database.scratch() as session:
                found = await check_entries(session, progress)
                await check_day_sums(session)
                return found

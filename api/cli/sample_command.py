"""`accord sample`."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import Data, next_command

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from api.workflows.make_sample import SampleMade


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("sample")(sample)


def sample(
    contacts: Annotated[int, typer.Option(metavar="N", help="How many people to make.")] = 2000,
    seed: Annotated[int, typer.Option(metavar="S", help="Which story: the same seed tells the same one.")] = 1,
    until: Annotated[
        datetime | None,
        typer.Option(
            metavar="DATE",
            formats=["%Y-%m-%d"],
            help="The day before which the story ends (today, in UTC). It spans 24 months.",
            show_default=False,
        ),
    ] = None,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Leave a database that has records or an accord as it is.")
    ] = False,
    data: Data = None,
) -> None:
    """Make a sample company in an empty database: the same number, seed and date give the same records."""
    import asyncio
    import time

    from schema.base import now

    began = time.monotonic()
    made = asyncio.run(_make(contacts, seed, until.date() if until else now().date(), data, if_empty=if_empty))
    if made is not None:
        _tell(made, time.monotonic() - began, data)


async def _make(contacts: int, seed: int, until: "date", data: "Path | None", *, if_empty: bool) -> "SampleMade | None":
    import asyncpg

    from api.cli.progress_bar import told_progress
    from api.cli.session import opened
    from api.errors import AccordError, ErrorCode
    from api.workflows.make_sample import has_records, make_sample

    async with opened(data, sets_up=True) as database:
        if if_empty:
            async with database.read() as looking:
                if await has_records(looking):
                    return None
        try:
            with told_progress() as progress:
                async with database.write() as session:
                    return await make_sample(session, contacts=contacts, seed=seed, until=until, progress=progress)
        except asyncpg.DiskFullError as error:
            refused = str(error).partition("\n")[0].rstrip(".")
            raise AccordError(
                ErrorCode.DISK_FULL,
                f"The disk of the database is full ({refused}). Nothing was made.",
                "Make room there, or ask for fewer people (--contacts): a million take about 8 GB.",
            ) from error


def _tell(made: "SampleMade", seconds: float, data: "Path | None") -> None:
    """Say what was made, in the words of the trade."""
    shown = {"contact": "people", "company": "companies", "touchpoint": "touchpoints", "handoff": "handoffs"}
    counts = ", ".join(f"{made.rows.get(table, 0):,} {word}" for table, word in shown.items())
    total = sum(made.rows.values())
    typer.echo(f"Made a sample company: {counts}, {made.rows.get('deal', 0):,} deals.")
    typer.echo(f"{total:,} rows in {seconds:.1f} s; seed {made.seed}, 24 months until {made.until}.")
    reached = ", ".join(f"{stage} {entries:,}" for stage, entries in made.evaluated.entries.items())
    typer.echo(f"Judged by the standard accord (entries): {reached}.")
    typer.echo(f"See it with: {next_command('accord funnel', data)}")

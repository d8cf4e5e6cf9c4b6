"""`accord sample`."""

import asyncio
import time
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

import typer

from api.access.credentials.key_lookup import count_real_keys
from api.access.principal import LOCAL_OPERATOR
from api.cli.options import Data, next_command
from api.cli.progress_bar import progress_bar
from api.cli.session import open_database
from api.db import DiskFullError
from api.errors import AccordError, ErrorCode
from api.metrics.funnels.funnel_answer import FunnelStep
from api.metrics.query import query_funnel
from api.metrics.request import FunnelRequest
from api.sample.demo_people import demo_people
from api.workflows.make_sample import SampleMade, has_records, make_sample
from schema.base import now


def sample(
    contacts: Annotated[int, typer.Option(metavar="N", help="The number of people.")] = 2000,
    seed: Annotated[int, typer.Option(metavar="S", help="The random seed; the same seed makes the same records.")] = 1,
    until: Annotated[
        datetime | None,
        typer.Option(
            metavar="DATE",
            formats=["%Y-%m-%d"],
            help="The day after the last one with records (default: today, in UTC). They span 24 months.",
            show_default=False,
        ),
    ] = None,
    if_empty: Annotated[
        bool, typer.Option("--if-empty", help="Do nothing if the database has records or an accord.")
    ] = False,
    data: Data = None,
) -> None:
    """Make a sample company in an empty database.

    The same number, seed and date make the same records.
    """
    began = time.monotonic()
    last_day = until.date() if until else now().date()
    made = asyncio.run(_make(contacts, seed, last_day, data, if_empty=if_empty))
    if made is not None:
        _print_made(made.rows, made.stages, time.monotonic() - began, data)
        if not made.real_keys:
            _print_demo_keys(data)


@dataclass(frozen=True, slots=True)
class _Shown:
    """What is printed of a sample: its rows, its funnel, and the number of keys beside which demo keys do not work."""

    rows: SampleMade
    stages: tuple[FunnelStep, ...]
    real_keys: int


async def _make(contacts: int, seed: int, until: date, data: Path | None, *, if_empty: bool) -> _Shown | None:
    """Make the sample and read its funnel, so that the first numbers shown are those that `accord funnel` shows."""
    async with open_database(data, sets_up=True) as database:
        if if_empty:
            async with database.read() as session:
                if await has_records(session):
                    return None
        try:
            with progress_bar() as progress:
                async with database.write() as write_session:
                    made = await make_sample(
                        write_session, contacts=contacts, seed=seed, until=until, progress=progress
                    )
        except DiskFullError as error:
            reason = str(error).partition("\n")[0].rstrip(".")
            raise AccordError(
                ErrorCode.DISK_FULL,
                f"The disk of the database is full ({reason}). Nothing was made.",
                "Free some space there, or make fewer people (--contacts): a million need about 8 GB.",
            ) from error
        async with database.read() as session:
            stages = (await query_funnel(session, LOCAL_OPERATOR, FunnelRequest())).stages
        return _Shown(made, stages, await count_real_keys(database))


def _print_made(made: SampleMade, stages: tuple[FunnelStep, ...], seconds: float, data: Path | None) -> None:
    """Print how many records were made, and how many people reached every stage."""
    words = {"contact": "people", "company": "companies", "touchpoint": "touchpoints", "handoff": "handoffs"}
    counts = ", ".join(f"{made.rows.get(table, 0):,} {word}" for table, word in words.items())
    total = sum(made.rows.values())
    typer.echo(f"Made a sample company: {counts}, {made.rows.get('deal', 0):,} deals.")
    typer.echo(f"{total:,} rows in {seconds:.1f} s; seed {made.seed}, 24 months until {made.until}.")
    reached = ", ".join(f"{stage.key} {stage.reached or 0:,}" for stage in stages)
    typer.echo(f"People who reached each stage, without tests and our own people: {reached}.")
    typer.echo(f"See it with: {next_command('accord funnel', data)}")


def _print_demo_keys(data: Path | None) -> None:
    """Print the people with demo keys, and their tokens."""
    people = tuple(demo_people())
    width = max(len(f"{person.name}, {person.title}") for person in people)
    typer.echo(
        "Demo keys, to see what others see: `Authorization: Bearer …`, on this machine only, until there is a key"
    )
    typer.echo(f"of your own ({next_command('accord key create NAME', data)}):")
    for person in people:
        typer.echo(f"  {f'{person.name}, {person.title}':{width}}  {person.grant}")
        typer.echo(f"      {person.token.text}")
    signers = " and ".join(f"{person.name} ({person.title})" for person in people if person.signs)
    typer.echo(f"{signers} sign the accord at /accord: they sign in at /sign-in with their keys.")

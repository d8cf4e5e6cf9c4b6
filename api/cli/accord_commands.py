"""`accord init`, `accord show`, `accord evaluate` and `accord check`."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import typer

from api.accord.documents import read_accord
from api.accord.in_force import AccordInForce, accord_in_force
from api.accord.reporting_settings import ReportingSettings
from api.cli.options import Data, expand_options, next_command
from api.cli.progress_bar import progress_bar
from api.cli.session import open_database
from api.funnel.drift import DriftCheck, check_entries
from api.funnel.evaluate import EvaluationResult, discard_former_entries
from api.funnel.evaluate import evaluate as evaluate_entries
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.clauses.stages import Stage
from schema.sentences.clause_sentences import (
    exit_sentence,
    policy_sentences,
    reason_sentence,
    reporting_sentences,
    stage_sentence,
    window_sentence,
)
from schema.sentences.duty_sentences import calendar_sentences, duty_sentences
from schema.sentences.result_sentences import attribution_sentences, target_sentence
from schema.sentences.words import team_name
from schema.toml_text import accord_toml


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingOptions:
    """How a firm reports. What is not stated stays as the accord has it."""

    timezone: Annotated[
        str | None, typer.Option("--timezone", metavar="ZONE", help="The time zone of your days, like Europe/Berlin.")
    ] = None
    currency: Annotated[
        str | None, typer.Option("--currency", metavar="CODE", help="The currency of your reports, like EUR, or none.")
    ] = None
    week_start: Annotated[
        str | None, typer.Option("--week-start", metavar="DAY", help="The first day of your weeks: monday or sunday.")
    ] = None
    fiscal_year_start: Annotated[
        str | None,
        typer.Option("--fiscal-year-start", metavar="MONTH", help="The first month of your fiscal years: february, 2."),
    ] = None
    fiscal_year_named_by: Annotated[
        str | None,
        typer.Option(
            "--fiscal-year-named-by",
            metavar="START|END",
            help="Whether a fiscal year has the name of the year in which it starts or ends (as CRMs do).",
        ),
    ] = None

    def settings(self) -> ReportingSettings:
        """The settings that the options state."""
        return ReportingSettings(**{field.name: getattr(self, field.name) for field in fields(self)})


@expand_options
def init(
    accord: Annotated[
        str, typer.Option(metavar="NAME|FILE.toml", help="standard, olist, maven, or a file of your own.")
    ] = "standard",
    *,
    reporting: ReportingOptions,
    data: Data = None,
) -> None:
    """Adopt the first version of the accord.

    It is in force from the beginning of time, and provisional until both teams sign it.
    """
    version = asyncio.run(_adopt(accord, reporting.settings(), data))
    typer.echo(
        f"Version {version.number} of the accord is in force: '{version.accord.title}' ({version.content_hash[:12]})."
    )
    for sentence in reporting_sentences(version.accord):
        typer.echo(f"  {sentence}")
    unstated = [
        f"--{field.name.replace('_', '-')}" for field in fields(reporting) if not getattr(reporting, field.name)
    ]
    if unstated:
        typer.echo(f"Not stated, so as '{accord}' has it: {', '.join(unstated)}.")
    typer.echo(f"It is provisional until both teams sign it. Read it with: {next_command('accord show', data)}")


def show(
    as_toml: Annotated[bool, typer.Option("--toml", help="Print the document as TOML, to edit and adopt.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the canonical JSON, which the hash is made of.")
    ] = False,
    data: Data = None,
) -> None:
    """Print the accord in force in plain sentences."""
    version = asyncio.run(_read_version(data))
    if as_json:
        typer.echo(version.accord.canonical())
    elif as_toml:
        typer.echo(accord_toml(version.accord), nl=False)
    else:
        for line in _accord_lines(version):
            typer.echo(line)


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


async def _adopt(accord: str, settings: ReportingSettings, data: Path | None) -> AccordInForce:
    document = settings.applied(read_accord(accord))
    async with open_database(data, sets_up=True) as database, database.write() as session:
        adopted = await adopt_accord(session, document)
        # From here on, stage entries follow what mutations change.
        await evaluate_entries(session)
        return adopted


async def _read_version(data: Path | None) -> AccordInForce:
    async with open_database(data) as database, database.read() as session:
        return await accord_in_force(session)


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
                return await check_entries(session, progress)


def _accord_lines(version: AccordInForce) -> Iterator[str]:
    """The lines of the whole accord, stage by stage."""
    accord = version.accord
    since = f"{version.starts_at:%Y-%m-%d %H:%M} UTC" if version.starts_at else "the beginning of time"
    signed = "signed by both teams" if version.is_signed else "not signed yet: provisional until both teams sign it"
    yield accord.title
    yield f"Version {version.number}, in force from {since}; {signed}."
    yield f"Content hash (SHA-256): {version.content_hash}"
    for rank, stage in enumerate(accord.stages, start=1):
        yield from _stage_lines(rank, stage, accord)
    yield ""
    yield "How entries end"
    yield "  An entry ends when a higher stage is entered."
    yield from (f"  {exit_sentence(stage_exit, accord)}" for stage_exit in accord.exits)
    if accord.reject_reasons:
        yield ""
        yield "Why sales may reject a handoff"
        yield from (f"  {reason_sentence(reason)}" for reason in accord.reject_reasons)
    if accord.contact_policy is not None:
        yield ""
        yield "How often a person may be touched"
        yield from (f"  {sentence}" for sentence in policy_sentences(accord.contact_policy, accord))
    for calendar in accord.calendars:
        yield ""
        yield f"Business calendar {calendar.title} ({calendar.key})"
        yield from (f"  {sentence}" for sentence in calendar_sentences(calendar, accord))
    if accord.handoff is not None:
        yield ""
        yield "What the teams owe each other"
        yield from (f"  {sentence}" for sentence in duty_sentences(accord.handoff, accord))
    if accord.attribution is not None:
        yield ""
        yield "How the credit for deals is shared out"
        yield from (f"  {sentence}" for sentence in attribution_sentences(accord.attribution, accord))
    if accord.targets:
        yield ""
        yield "Targets"
        yield from (f"  {target_sentence(target, accord)}" for target in accord.targets)
    yield ""
    yield "Reporting"
    yield from (f"  {sentence}" for sentence in reporting_sentences(accord))


def _stage_lines(rank: int, stage: Stage, accord: Accord) -> Iterator[str]:
    """The lines of one stage."""
    yield ""
    yield f"{rank}. {stage.title} ({stage.key}) · {stage.group} · owned by {team_name(stage.owner)}"
    yield f"   {stage.meaning}"
    yield f"   {stage_sentence(stage, accord)}"
    yield f"   {window_sentence(stage, accord)}"
    if stage.needs:
        yield f"   Needs filled in: {', '.join(stage.needs)}."

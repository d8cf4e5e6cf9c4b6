"""`accord init`."""

import asyncio
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import typer

from api.accord.documents import read_accord
from api.accord.in_force import AccordInForce, active_version
from api.accord.reporting_settings import ReportingSettings
from api.cli.accord.version_commands import ProposedVersion, print_proposed, propose_document
from api.cli.options import Data, expand_options, next_command
from api.cli.session import open_database
from api.db import Database
from api.funnel.evaluate import evaluate as evaluate_entries
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.sentences.clause_sentences import reporting_sentences


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
        str,
        typer.Option(
            metavar="NAME|FILE.toml", help="standard, hubspot, salesforce, olist, maven, or a file of your own."
        ),
    ] = "standard",
    *,
    reporting: ReportingOptions,
    data: Data = None,
) -> None:
    """Adopt the first version of the accord, or propose the next.

    The first one is in force from the beginning of time, and provisional until both teams sign it. Where there is one,
    the document is proposed as a draft of the next version.
    """
    version = asyncio.run(_adopt(accord, reporting.settings(), data))
    if isinstance(version, ProposedVersion):
        print_proposed(version, data)
        return
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


async def _adopt(accord: str, settings: ReportingSettings, data: Path | None) -> AccordInForce | ProposedVersion:
    """Adopt the document, or propose it if the database has an accord."""
    document = settings.applied(read_accord(accord))
    async with open_database(data, sets_up=True) as database:
        async with database.read() as session:
            has_accord = await active_version(session) is not None
        if has_accord:
            return await propose_document(database, document)
        return await _adopt_first(database, document)


async def _adopt_first(database: Database, document: Accord) -> AccordInForce:
    async with database.write() as session:
        adopted = await adopt_accord(session, document)
        # From here on, stage entries follow what mutations change.
        await evaluate_entries(session)
        return adopted

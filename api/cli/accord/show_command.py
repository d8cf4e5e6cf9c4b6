"""`accord show`."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from api.accord.stored_versions import StoredVersion, requested_version
from api.accord.version_warnings import version_warnings
from api.cli.access.access_options import instant_text
from api.cli.options import Data
from api.cli.session import open_database
from schema.accord import Accord
from schema.accord_vocab import AccordStatus
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
from schema.sentences.economics_sentences import economics_sentences
from schema.sentences.result_sentences import attribution_sentences, target_sentence
from schema.sentences.words import team_name
from schema.toml_text import accord_toml


def show(
    number: Annotated[
        int | None, typer.Argument(metavar="[VERSION]", help="The number of the version. Left out: the one in force.")
    ] = None,
    as_toml: Annotated[bool, typer.Option("--toml", help="Print the document as TOML, to edit and adopt.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the canonical JSON, which the hash is made of.")
    ] = False,
    data: Data = None,
) -> None:
    """Print the accord in plain sentences.

    Before them stands what to know about the version.
    """
    version, warnings = asyncio.run(_read(number, data))
    if as_json:
        typer.echo(version.document.text)
    elif as_toml:
        typer.echo(accord_toml(version.document.accord), nl=False)
    else:
        for line in _accord_lines(version, warnings):
            typer.echo(line)


async def _read(number: int | None, data: Path | None) -> tuple[StoredVersion, tuple[str, ...]]:
    """Read a version, and what to know about it."""
    async with open_database(data) as database, database.read() as session:
        version = await requested_version(session, number)
        return version, (await version_warnings(session, (version,)))[version.number]


def _accord_lines(version: StoredVersion, warnings: tuple[str, ...]) -> Iterator[str]:
    """The lines of the whole accord, stage by stage."""
    accord = version.document.accord
    signed = "signed by both teams" if version.is_signed else "not signed yet"
    yield accord.title
    yield f"Version {version.number}, {_status(version)}; {signed}."
    yield f"Content hash (SHA-256): {version.content_hash}"
    yield from warnings
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
    if accord.economics is not None:
        yield ""
        yield "Economics"
        yield from (f"  {sentence}" for sentence in economics_sentences(accord.economics, accord))
    yield ""
    yield "Reporting"
    yield from (f"  {sentence}" for sentence in reporting_sentences(accord))


def _status(version: StoredVersion) -> str:
    """Since when a version is or was in force, or else its status in lower case, such as `in review`."""
    if version.status not in (AccordStatus.ACTIVE, AccordStatus.SUPERSEDED):
        return str(version.status).lower().replace("_", " ")
    since = f"{instant_text(version.in_force_from)} UTC" if version.in_force_from else "the beginning of time"
    until = f" until {instant_text(version.in_force_until)} UTC" if version.in_force_until else ""
    return f"in force from {since}{until}"


def _stage_lines(rank: int, stage: Stage, accord: Accord) -> Iterator[str]:
    """The lines of one stage."""
    yield ""
    yield f"{rank}. {stage.title} ({stage.key}) · {stage.group} · owned by {team_name(stage.owner)}"
    yield f"   {stage.meaning}"
    yield f"   {stage_sentence(stage, accord)}"
    yield f"   {window_sentence(stage, accord)}"
    if stage.needs:
        yield f"   Needs filled in: {', '.join(stage.needs)}."

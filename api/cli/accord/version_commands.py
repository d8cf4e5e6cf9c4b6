"""`accord propose`, `edit`, `submit`, `withdraw` and `activate`. A signature is given on the pages only."""

import asyncio
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from api.accord.documents import read_accord
from api.accord.stored_versions import StoredVersion, stored_version, stored_versions
from api.accord.version_warnings import version_warnings
from api.cli.access.access_options import instant_text, performed
from api.cli.kpi_values import bad_input
from api.cli.options import Data, next_command
from api.cli.progress_bar import progress_bar
from api.cli.session import open_database
from api.db import Database
from api.workflows.accord.activate_accord import ActivateAccord, activate_accord
from api.workflows.accord.activate_due import activate_due
from api.workflows.accord.edit_accord import EditAccord, edit_accord
from api.workflows.accord.propose_accord import ProposeAccord, propose_accord
from api.workflows.accord.submit_accord import SubmitAccord, submit_accord
from api.workflows.accord.versions import NUMBER
from api.workflows.accord.withdraw_accord import WithdrawAccord, withdraw_accord
from api.workflows.commands import NOT_GIVEN
from api.workflows.outcome import Outcome
from schema.accord import Accord
from schema.accord_vocab import AccordStatus
from schema.instants import read_rfc3339

VersionNumber = Annotated[
    int, typer.Argument(metavar="VERSION", help="The number of the version, from `accord versions`.")
]


@dataclass(frozen=True, slots=True)
class ProposedVersion:
    """The number of a version that was proposed, and what to know about it."""

    number: int
    warnings: tuple[str, ...]


DocumentName = Annotated[
    str,
    typer.Argument(
        metavar="FILE|NAME", help="A file with TOML or JSON, as `accord export` prints it, or a built-in accord."
    ),
]
Note = Annotated[str | None, typer.Option("--note", metavar="TEXT", help="What it changes, and why.")]


def propose(
    accord: DocumentName,
    note: Note = None,
    data: Data = None,
) -> None:
    """Propose a version of the accord.

    It is a draft until it is submitted, and changes nothing until both teams have signed it and it is activated.
    """

    async def run() -> ProposedVersion:
        async with open_database(data) as database:
            return await propose_document(database, read_accord(accord), note)

    print_proposed(asyncio.run(run()), data)


def edit(
    version: VersionNumber,
    accord: DocumentName,
    note: Note = None,
    data: Data = None,
) -> None:
    """Replace the document of a version that has not been in force.

    Another document makes it a draft again, and voids its signatures. To edit the version in force proposes a new one.
    """

    async def run() -> tuple[int, AccordStatus, tuple[str, ...]]:
        async with open_database(data) as database:
            do = EditAccord(version, read_accord(accord).canonical(), NOT_GIVEN if note is None else note)
            number = _number(await performed(database, "editAccord", partial(edit_accord, do=do)))
            async with database.read() as session:
                found = (await stored_versions(session, {number}))[number]
            return number, found.status, await _warnings(database, number)

    number, status, warnings = asyncio.run(run())
    if number != version:
        print_proposed(ProposedVersion(number, warnings), data)
        return
    typer.echo(f"Version {number} of the accord is edited. Its status is {status.value}.")
    for warning in warnings:
        typer.echo(f"  {warning}")
    if status in (AccordStatus.DRAFT, AccordStatus.CHANGES_REQUESTED):
        typer.echo(f"Submit it for review with: {next_command(f'accord submit {number}', data)}")


async def propose_document(database: Database, document: Accord, note: str | None = None) -> ProposedVersion:
    """Propose a document as the local operator. Errors: BAD_INPUT with all that is wrong."""
    do = ProposeAccord(document.canonical(), note)
    outcome = await performed(database, "proposeAccord", partial(propose_accord, do=do))
    number = _number(outcome)
    return ProposedVersion(number, await _warnings(database, number))


def _number(outcome: Outcome) -> int:
    """The number of the version that a verb made or changed."""
    number = outcome.values[NUMBER]
    if not isinstance(number, int):
        raise TypeError("a version has a number")
    return number


async def _warnings(database: Database, number: int) -> tuple[str, ...]:
    """Read what to know about a version."""
    async with database.read() as session:
        found = await stored_versions(session, {number})
        return (await version_warnings(session, tuple(found.values())))[number]


def print_proposed(proposed: ProposedVersion, data: Path | None) -> None:
    """Print the number of a version that was proposed, what to know about it, and what to do next."""
    typer.echo(f"Version {proposed.number} of the accord is proposed, as a draft.")
    for warning in proposed.warnings:
        typer.echo(f"  {warning}")
    typer.echo(f"Submit it for review with: {next_command(f'accord submit {proposed.number}', data)}")


def submit(version: VersionNumber, data: Data = None) -> None:
    """Submit a version of the accord for review.

    From then on both teams may sign it.
    """

    async def run() -> tuple[str, ...]:
        async with open_database(data) as database:
            await performed(database, "submitAccord", partial(submit_accord, do=SubmitAccord(version)))
            return await _warnings(database, version)

    warnings = asyncio.run(run())
    typer.echo(f"Version {version} is in review. Members of both teams sign it at /accord.")
    for warning in warnings:
        typer.echo(f"  {warning}")


def withdraw(
    version: VersionNumber,
    reason: Annotated[str | None, typer.Option("--reason", metavar="TEXT", help="Why it is withdrawn.")] = None,
    data: Data = None,
) -> None:
    """Withdraw a version of the accord.

    It must not have been in force.
    """

    async def run() -> None:
        async with open_database(data) as database:
            await performed(database, "withdrawAccord", partial(withdraw_accord, do=WithdrawAccord(version, reason)))

    asyncio.run(run())
    typer.echo(f"Version {version} is withdrawn.")


def activate(
    version: VersionNumber,
    at: Annotated[
        str | None,
        typer.Option("--at", metavar="INSTANT", help="An instant ahead, like 2027-01-01T00:00:00Z. Left out: now."),
    ] = None,
    data: Data = None,
) -> None:
    """Activate a version that both teams signed.

    Now: everybody is evaluated by it, which the command waits for. At an instant ahead: a server or `accord worker`
    does it then.
    """
    activated = asyncio.run(_activate(version, at, data))
    if activated.status is AccordStatus.ACTIVE:
        typer.echo(f"Version {version} is in force since {instant_text(activated.in_force_from)} UTC.")
    else:
        typer.echo(f"Version {version} comes into force at {instant_text(activated.activates_at)} UTC.")
        typer.echo("A server (`accord serve`) or `accord worker` has to run then.")


async def _activate(number: int, at: str | None, data: Path | None) -> StoredVersion:
    try:
        instant = None if at is None else read_rfc3339(at)
    except ValueError as error:
        raise bad_input(f"--at: '{at}' {error}.", "Write an instant like 2027-01-01T00:00:00Z.") from error
    async with open_database(data) as database:
        await performed(database, "activateAccord", partial(activate_accord, do=ActivateAccord(number, instant)))
        if instant is None:
            with progress_bar() as progress:
                # A server may be first: then this waits for it, and finds nothing to do.
                await activate_due(database, progress)
        async with database.read() as session:
            found = await stored_version(session, number)
    if found is None:
        raise LookupError(f"version {number} was there a moment ago")
    return found

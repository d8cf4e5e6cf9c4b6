"""`accord verify`."""

import asyncio
from pathlib import Path

import typer

from api.accord.verification import Verification, verify_versions
from api.cli.options import Data
from api.cli.progress_bar import progress_bar
from api.cli.session import open_database
from api.errors import AccordError, ErrorCode
from api.funnel.drift import DriftCheck, check_entries


def verify(data: Data = None) -> None:
    """Verify the hashes, chain, signatures and entries of all versions.

    Hashes, chain, ranges and signatures of all versions, the triggers that keep them, and the entries of the whole
    history. Nothing is changed.
    """
    verified, entries = asyncio.run(_verify(data))
    typer.echo(f"{verified.versions:,} versions and {verified.signatures:,} signatures are as they were given.")
    typer.echo(f"{entries.entries:,} stored entries follow from the versions in force.")
    if entries.due:
        typer.echo(
            f"Not compared: {entries.due:,} people whose next evaluation is due. `accord worker` evaluates them."
        )


async def _verify(data: Path | None) -> tuple[Verification, DriftCheck]:
    async with open_database(data) as database:
        async with database.read() as session:
            verified = await verify_versions(session)
        if verified.problems:
            raise AccordError(
                ErrorCode.NOT_VERIFIED,
                " ".join(verified.problems),
                "Somebody wrote to the database by hand, or a restored backup is not complete. Restore a sound one.",
            )
        with progress_bar() as progress:
            async with database.scratch() as session:
                return verified, await check_entries(session, progress)

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
from api.metrics.answer_warnings import number_of
from api.metrics.summing.check_sums import check_day_sums


def verify(data: Data = None) -> None:
    """Verify the hashes, chain, signatures and entries of all versions.

    Hashes, chain, ranges and signatures of all versions, the triggers that keep them, and the entries of the whole
    history. Nothing is changed.
    """
    verified, entries = asyncio.run(_verify(data))
    counted = f"{number_of(verified.versions, 'version')} and {number_of(verified.signatures, 'signature')}"
    typer.echo(f"Verified as they were given: {counted}.")
    typer.echo(f"Stored entries that follow from the versions in force: {entries.entries:,}.")
    if entries.due:
        typer.echo(f"Not compared, because their next evaluation is due: {entries.due:,} people. Run `accord worker`.")


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
                found = await check_entries(session, progress)
                await check_day_sums(session)
                return verified, found

"""`accord worker`."""

import asyncio
import logging

import typer

from api.cli.options import Data
from api.settings import Settings
from api.worker import work


def worker(data: Data = None) -> None:
    """Run the background jobs until interrupted, if no other process does.

    They evaluate people whose stage changes by time alone, and delete what is no longer needed. `accord serve` runs
    them too; of all processes of a database, one does it at a time.
    """
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    typer.echo("Accord runs the background jobs, or waits for the process that does. Ctrl-C stops it.")
    try:
        asyncio.run(work(Settings.load(data_dir=data)))
    except KeyboardInterrupt:
        typer.echo("Stopped.")

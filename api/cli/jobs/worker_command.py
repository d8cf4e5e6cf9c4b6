"""`accord worker`."""

import asyncio
import contextlib
import signal
import socket

import typer

from api.cli.jobs.metrics_listener import metrics_listener
from api.cli.options import Data
from api.settings import Settings
from api.telemetry.log_lines import configure_logging
from api.worker import work


def worker(data: Data = None) -> None:
    """Run the background jobs until interrupted, if no other process does.

    They evaluate people whose stage changes by time alone, and delete what is no longer needed. `accord serve` runs
    them too; of all processes of a database, one does it at a time.
    """
    settings = Settings.load(data_dir=data)
    configure_logging(settings.log_format, settings.log_level)
    typer.echo("Accord runs the background jobs, or waits for the process that does. Ctrl-C stops it.")
    try:
        with metrics_listener(settings) as listener:
            is_terminated = asyncio.run(_work_until_terminated(settings, listener))
    except KeyboardInterrupt:
        typer.echo("Stopped.")
        return
    if is_terminated:
        raise typer.Exit(128 + signal.SIGTERM)


async def _work_until_terminated(settings: Settings, listener: socket.socket | None) -> bool:
    """Work until SIGTERM comes, and return whether it came."""
    working, terminated = asyncio.create_task(work(settings, listener)), asyncio.Event()

    def terminate() -> None:
        terminated.set()
        working.cancel()

    # In the event loop, between two callbacks: an exception that a signal raises anywhere else leaves asyncpg halfway.
    with contextlib.suppress(NotImplementedError):  # Windows has no such signals
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, terminate)
    try:
        await working
    except asyncio.CancelledError:
        if not terminated.is_set():  # Ctrl-C
            raise
    return terminated.is_set()

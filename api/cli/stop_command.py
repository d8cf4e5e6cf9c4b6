"""`accord stop`."""

import typer

from api.cli.options import Data
from api.cli.pidfile import stop_all
from api.cli.serving import AFTER_GRACE_SECONDS
from api.embedded import stop as stop_postgresql
from api.settings import Settings


def stop(data: Data = None) -> None:
    """Stop the servers and the private PostgreSQL of a data folder."""
    settings = Settings.load(data_dir=data)
    stopped = [
        f"server (process {pid})"
        for pid in stop_all(settings.data_dir, settings.stop_seconds + AFTER_GRACE_SECONDS + 5)
    ]
    if stop_postgresql(settings.data_dir):
        stopped.append("private PostgreSQL")
    typer.echo(f"Stopped: {', '.join(stopped)}." if stopped else f"Nothing runs on {settings.data_dir}.")

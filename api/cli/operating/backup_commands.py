"""`accord backup` and `accord restore`."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from api.backup.restore_backup import restore_backup
from api.backup.take_backup import take_backup
from api.cli.options import Data, next_command
from api.embedded import database_connection_url
from api.revisions import head_revision
from api.settings import Settings


def backup(
    file: Annotated[Path, typer.Argument(help="The file to write. A file of this name is replaced, once all is done.")],
    data: Data = None,
) -> None:
    """Write a backup of the database to a file.

    The server goes on. The file has a dump of pg_dump, its checksum, and the revision of the database.
    """
    settings = Settings.load(data_dir=data)
    with database_connection_url(settings, is_direct=True) as dsn:
        taken = asyncio.run(take_backup(dsn, file, is_private=settings.database_url is None))
    typer.echo(f"{file}: {taken.dump_bytes:,} bytes of {settings.database_shown}, at revision {taken.revision}.")
    typer.echo(f"SHA-256 of the dump: {taken.sha256}")


def restore(
    file: Annotated[Path, typer.Argument(help="The file that `accord backup` wrote. Restore only files you trust.")],
    replace: Annotated[
        bool, typer.Option("--replace", help="Delete what the database has. Stop its servers before.")
    ] = False,
    data: Data = None,
) -> None:
    """Restore a backup into an empty database.

    It is restored whole, or the database stays as it is.
    """
    settings = Settings.load(data_dir=data)
    with database_connection_url(settings, is_direct=True) as dsn:
        restored = asyncio.run(restore_backup(dsn, file, is_private=settings.database_url is None, replaces=replace))
    typer.echo(
        f"{settings.database_shown} is as it was at {restored.taken_at:%Y-%m-%d %H:%M:%S} UTC, "
        f"at revision {restored.revision}."
    )
    if restored.revision != head_revision():
        typer.echo(f"This Accord is newer. Next: {next_command('accord migrate', data)}")
        return
    typer.echo(f"To compare its stage entries with a rebuild: {next_command('accord check', data)}")

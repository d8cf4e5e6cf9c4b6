"""`accord import undo`."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import typer

from api.access.principal import LOCAL_OPERATOR
from api.cli.progress_bar import progress_bar
from api.cli.session import open_database
from api.funnel.evaluate import discard_former_entries
from api.workflows.imports.undo_as_job import undo_as_job
from api.workflows.imports.undo_import import UndoneImport


def undo(import_id: str, data: Path | None) -> None:
    """Undo an import, and print what went, what returned, and what stays because it was edited since."""
    done = asyncio.run(_undo(import_id, data))
    typer.echo(f"Undone: the import {done.preset} of {done.imported_at:%Y-%m-%d %H:%M} UTC.")
    for line in undone_lines(done):
        typer.echo(line)


def undone_lines(done: UndoneImport) -> Iterator[str]:
    """Yield a line for every table that the import wrote."""
    for table in done.tables():
        parts = [
            f"{count:,} {what}"
            for count, what in (
                (done.gone[table], "removed"),
                (done.restored[table], "as before"),
                (done.kept[table], "kept: changed since, or others may refer to them"),
            )
            if count
        ]
        yield f"  {table}: {', '.join(parts)}"
    if done.removed_keys:
        yield f"  keys of records that were known before: {done.removed_keys:,} removed"


async def _undo(import_id: str, data: Path | None) -> UndoneImport:
    async with open_database(data) as database:
        with progress_bar() as progress:
            async with database.write() as session:
                done = await undo_as_job(session, LOCAL_OPERATOR, import_id, progress)
            async with database.write() as session:
                await discard_former_entries(session)
        return done

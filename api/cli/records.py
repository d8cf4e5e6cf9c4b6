"""`accord import` and `accord init`."""

import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from api.cli.options import Data, next_command

if TYPE_CHECKING:
    from api.accord.in_force import AccordInForce
    from api.importers.run_import import ImportReport

_PRESETS = "olist, maven, hubspot, salesforce, a preset file of your own (FILE.toml), or csv for any one file."
_USAGE = (
    "One file of any shape: accord import csv FILE --preset FILE.toml, or accord import csv FILE --suggest."
    " A folder: accord import PRESET DIR."
)
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252, for it is not UTF-8"}


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("init")(init)
    app.command("import")(import_records)


def init(
    accord: Annotated[
        str, typer.Option(metavar="NAME|FILE.toml", help="standard, olist, maven, or a file of your own.")
    ] = "standard",
    data: Data = None,
) -> None:
    """Make version 1 of the accord: in force from the beginning of time, provisional until both teams sign it."""
    import asyncio

    made = asyncio.run(_init(accord, data))
    typer.echo(f"Version {made.number} of the accord is in force: '{made.accord.title}' ({made.content_hash[:12]}).")
    typer.echo(f"It is provisional until both teams sign it. Read it with: {next_command('accord show', data)}")


async def _init(accord: str, data: Path | None) -> "AccordInForce":
    from api.accord.documents import read_accord
    from api.cli.session import opened
    from api.workflows.adopt_accord import adopt_accord

    document = read_accord(accord)
    async with opened(data, sets_up=True) as database, database.write() as session:
        return await adopt_accord(session, document)


def import_records(  # noqa: PLR0917 - one parameter for each option of the command
    preset: Annotated[str, typer.Argument(metavar="PRESET|csv", help=_PRESETS)],
    path: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="The folder, or for csv the file.")],
    own: Annotated[
        Path | None, typer.Option("--preset", metavar="FILE.toml", help="For csv: the preset that the file is read by.")
    ] = None,
    suggests: Annotated[
        bool, typer.Option("--suggest", help="For csv: write a starter preset from header and values, import nothing.")
    ] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE.toml", help="Where --suggest writes (else: here).")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done, and leave nothing.")] = False,
    replace_sample: Annotated[
        bool, typer.Option("--replace-sample", help="Remove the sample company in the same step.")
    ] = False,
    data: Data = None,
) -> None:
    """Import a company's files. All or nothing, but for rows that cannot be read: they go to a file with the reason.

    Running it again changes nothing; with newer files it writes what differs. Any one file:
    accord import csv FILE --suggest --out FILE.toml, then accord import csv FILE --preset FILE.toml.
    """
    import asyncio

    is_csv = preset == "csv"
    if suggests and is_csv:
        _suggest(path, out, data)
        return
    if is_csv is not (own is not None) or suggests or out is not None:
        raise typer.BadParameter(_USAGE)
    folder, file = (path.parent, path.name) if is_csv else (path, None)
    how = _How(str(own) if own is not None else preset, folder, file, dry_run, replace_sample)
    _tell(asyncio.run(_import(how, data)), data)


@dataclass(frozen=True, slots=True)
class _How:
    """What was asked for."""

    preset: str
    folder: Path
    file: str | None
    dry_run: bool
    replace_sample: bool


async def _import(how: _How, data: Path | None) -> "ImportReport":
    from api.cli.progress_bar import told_progress
    from api.cli.session import opened
    from api.importers.run_import import run_import
    from api.settings import Settings

    rejects = Settings.load(data_dir=data).data_dir
    async with opened(data, sets_up=True) as database:
        with told_progress() as progress:
            return await run_import(
                database,
                how.preset,
                how.folder,
                file=how.file,
                dry_run=how.dry_run,
                replace_sample=how.replace_sample,
                rejects_folder=rejects,
                progress=progress,
            )


def _suggest(path: Path, out: Path | None, data: Path | None) -> None:
    """Write a starter preset, and say how many questions it leaves."""
    from api.cli.progress_bar import told_progress
    from api.errors import AccordError, ErrorCode
    from api.importers.suggest import suggest
    from api.importers.suggest_text import preset_text

    with told_progress() as progress:
        made = suggest(path, progress)
    if out is None:
        typer.echo(preset_text(made), nl=False)
    else:
        try:
            with out.open("x", encoding="utf-8") as file:
                file.write(preset_text(made))
        except OSError as error:
            message = f"{out} cannot be written: {error.strerror}."
            raise AccordError(ErrorCode.BAD_INPUT, message, "Name another file with --out.") from error
    target = out or "FILE.toml"
    asked = f"{made.questions} to answer in it (look for QUESTION)" if made.questions else "nothing is left to answer"
    row = f"Each row is a {made.table}" if made.is_table_certain else "What a row is, no header tells"
    then = next_command(f"accord import csv {shlex.quote(str(path))} --preset {shlex.quote(str(target))}", data)
    typer.echo(f"{row}; {asked}. Then: {then}", err=True)
    if made.unread:
        typer.echo(f"Left out, and there it says why: {', '.join(made.unread)}.", err=True)


def _tell(report: "ImportReport", data: Path | None) -> None:
    """Say what was read, what became of it, and which accord judges it."""
    typer.echo(report.title)
    for file in report.files:
        how = f"{_ENCODINGS.get(file.encoding, file.encoding.upper())}, {_DELIMITERS[file.delimiter]}"
        silent = f", {file.unused:,} that say nothing this preset reads" if file.unused else ""
        typer.echo(f"  {file.name}: {file.rows:,} rows, {file.rejected:,} refused{silent} ({how})")
    width = max(len(_words(table)) for table in report.records)
    for table, tally in report.records.items():
        told = f"{tally.created:>9,} new {tally.changed:>9,} changed {tally.unchanged:>9,} unchanged"
        typer.echo(f"  {_words(table):<{width}} {told}")
    for file in report.files:
        if file.is_mostly_rejected:
            typer.secho(
                f"WARNING: most rows of {file.name} were refused ({file.rejected:,} of {file.rows:,}). Is it the file"
                " that the preset is meant for? The reasons are in the file of refused rows.",
                fg="red",
                bold=True,
            )
    if report.rejects is not None:
        typer.echo(f"Refused rows, each with its reason: {report.rejects}")
    typer.echo(_accord_line(report))
    rate = sum(file.rows for file in report.files) / max(report.seconds, 0.001)
    took = f"{report.seconds:.1f} s, {rate:,.0f} rows/s"
    if report.is_dry_run:
        typer.echo(f"A dry run: nothing was written ({took}).")
    elif report.is_unchanged:
        typer.echo(f"Everything was known already: unchanged ({took}).")
    else:
        typer.echo(f"Done ({took}). See it with: {next_command('accord funnel', data)}")


def _words(table: str) -> str:
    return table.replace("_", " ")


def _accord_line(report: "ImportReport") -> str:
    if report.is_adopted:
        verb = "would be" if report.is_dry_run else "is"
        return f"The accord '{report.accord}' {verb} version 1, provisional until both teams sign it."
    kept = f"The accord in force stays: '{report.accord}'."
    return kept if report.is_presets_accord else f"{kept} (This preset's own accord is another one.)"

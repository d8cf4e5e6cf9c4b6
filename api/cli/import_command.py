"""`accord import`."""

import asyncio
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from api.cli.options import Data, next_command
from api.cli.progress_bar import progress_bar
from api.cli.session import open_database
from api.errors import AccordError, ErrorCode
from api.importers.run_import import ImportReport, run_import
from api.importers.suggest import suggest
from api.importers.suggest_text import preset_text
from api.importers.unread_merges import UnreadMerges
from api.settings import Settings

_PRESETS = "olist, maven, hubspot, salesforce, a preset file of your own (FILE.toml), or csv for a single file."
_USAGE = (
    "A single CSV file: accord import csv FILE --preset FILE.toml, or accord import csv FILE --suggest."
    " A folder: accord import PRESET DIR."
)
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252, because it is not UTF-8"}


def import_records(  # noqa: PLR0917 - one parameter for each option of the command
    preset: Annotated[str, typer.Argument(metavar="PRESET|csv", help=_PRESETS)],
    path: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="The folder, or with csv the file.")],
    own: Annotated[
        Path | None, typer.Option("--preset", metavar="FILE.toml", help="With csv: the preset of the file.")
    ] = None,
    suggests: Annotated[
        bool,
        typer.Option(
            "--suggest", help="With csv: write a starter preset from the header and the values; import nothing."
        ),
    ] = False,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="The file that --suggest writes; default: standard output.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would change, and change nothing.")] = False,
    replace_sample: Annotated[
        bool, typer.Option("--replace-sample", help="Remove the sample company in the same transaction.")
    ] = False,
    data: Data = None,
) -> None:
    """Import files of a CRM or any CSV file.

    All rows are imported, or none; rows that cannot be read are written to a file with the reason. Importing the same
    files again changes nothing; newer files update what differs. Any CSV file:
    accord import csv FILE --suggest --out FILE.toml, then accord import csv FILE --preset FILE.toml.
    """
    is_csv = preset == "csv"
    if suggests and is_csv:
        _suggest(path, out, data)
        return
    if is_csv is not (own is not None) or suggests or out is not None:
        raise typer.BadParameter(_USAGE)
    folder, file = (path.parent, path.name) if is_csv else (path, None)
    source = _ImportSource(str(own) if own is not None else preset, folder, file)
    _print_report(asyncio.run(_import(source, data, dry_run=dry_run, replace_sample=replace_sample)), data)


@dataclass(frozen=True, slots=True)
class _ImportSource:
    """A preset, and the folder that it reads; `file` is the only file that it reads, if it reads just one."""

    preset: str
    folder: Path
    file: str | None


async def _import(source: _ImportSource, data: Path | None, *, dry_run: bool, replace_sample: bool) -> ImportReport:
    rejects_folder = Settings.load(data_dir=data).data_dir
    async with open_database(data, sets_up=True) as database:
        with progress_bar() as progress:
            return await run_import(
                database,
                source.preset,
                source.folder,
                file=source.file,
                dry_run=dry_run,
                replace_sample=replace_sample,
                rejects_folder=rejects_folder,
                progress=progress,
            )


def _suggest(path: Path, out: Path | None, data: Path | None) -> None:
    """Write a starter preset, and print what is left to decide in it."""
    with progress_bar() as progress:
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
    row = f"Each row is a {made.table}" if made.is_table_certain else "The header does not show what a row is"
    open_points = f"{made.questions} to answer in it (look for QUESTION)" if made.questions else "no question is open"
    then = next_command(f"accord import csv {shlex.quote(str(path))} --preset {shlex.quote(str(target))}", data)
    typer.echo(f"{row}; {open_points}. Then: {then}", err=True)
    if made.unread:
        typer.echo(f"Columns left out, for the reasons in the file: {', '.join(made.unread)}.", err=True)


def _print_report(report: ImportReport, data: Path | None) -> None:
    """Print the rows that were read, the records that changed, and the accord in force."""
    typer.echo(report.title)
    for file in report.files:
        form = f"{_ENCODINGS.get(file.encoding, file.encoding.upper())}, {_DELIMITERS[file.delimiter]}"
        unused = f", {file.unused:,} without any value that this preset reads" if file.unused else ""
        typer.echo(f"  {file.name}: {file.rows:,} rows, {file.rejected:,} refused{unused} ({form})")
    width = max(len(_words(table)) for table in report.records)
    for table, tally in report.records.items():
        counts = f"{tally.created:>9,} new {tally.changed:>9,} changed {tally.unchanged:>9,} unchanged"
        typer.echo(f"  {_words(table):<{width}} {counts}")
    for file in report.files:
        if file.is_mostly_rejected:
            typer.secho(
                f"WARNING: most rows of {file.name} were refused ({file.rejected:,} of {file.rows:,}). Check that it is"
                " the file that the preset is for. The reasons are in the file of refused rows.",
                fg="red",
                bold=True,
            )
    for unread in report.unread_merges:
        _print_unread_merges(unread)
    if report.rejects is not None:
        typer.echo(f"Refused rows, each with its reason: {report.rejects}")
    typer.echo(_accord_line(report))
    rate = sum(file.rows for file in report.files) / max(report.seconds, 0.001)
    timing = f"{report.seconds:.1f} s, {rate:,.0f} rows/s"
    if report.is_dry_run:
        typer.echo(f"A dry run: nothing was written ({timing}).")
    elif report.is_unchanged:
        typer.echo(f"Everything was known already: unchanged ({timing}).")
    else:
        typer.echo(f"Done ({timing}). See it with: {next_command('accord funnel', data)}")


def _print_unread_merges(unread: UnreadMerges) -> None:
    """Warn of merges that the preset does not read: the merged records count as several."""
    if unread.column is None:
        place = f"{unread.file} seems to say which records were merged, and this preset does not read the file"
    else:
        rows = f"{unread.rows:,} row{'s' if unread.rows > 1 else ''}"
        place = (
            f"the column '{unread.column}' of {unread.file} says in {rows} which records were merged, and this preset"
            " does not read it"
        )
    remedy = "Read it in a preset of your own: for contacts, as the field merged_into."
    typer.secho(f"WARNING: {place}. Merged records count as several. {remedy}", fg="red", bold=True)


def _words(table: str) -> str:
    return table.replace("_", " ")


def _accord_line(report: ImportReport) -> str:
    if report.is_adopted:
        verb = "would be" if report.is_dry_run else "is"
        return f"The accord '{report.accord}' {verb} version 1, provisional until both teams sign it."
    line = f"The accord in force stays: '{report.accord}'."
    return line if report.is_presets_accord else f"{line} (This preset has another accord.)"

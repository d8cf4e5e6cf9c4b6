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
from api.importers.explain.explainer import RowExplainer
from api.importers.explain.explanation_text import explanation_text
from api.importers.layout.file_layout import FileLayout
from api.importers.run_import import FileReport, ImportReport, run_import
from api.importers.suggest import suggest
from api.importers.suggest_text import preset_text
from api.settings import Settings

_PRESETS = (
    "olist, maven, hubspot, salesforce, hubspot-export, salesforce-report, google-ads, meta-ads, linkedin-ads, a preset"
    " file of your own (FILE.toml), or csv for a single file."
)
_USAGE = (
    "A single CSV file: accord import csv FILE --preset FILE.toml, or accord import csv FILE --suggest."
    " A folder: accord import PRESET DIR."
)
_SHOWN_LINES = 5
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252, because it is not UTF-8"}


def import_records(  # noqa: PLR0917 - one parameter for each option of the command
    preset: Annotated[str, typer.Argument(metavar="PRESET|csv", help=_PRESETS)],
    path: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="The folder, or a file.")],
    own: Annotated[
        Path | None, typer.Option("--preset", metavar="FILE.toml", help="With csv: the preset of the file.")
    ] = None,
    suggests: Annotated[
        bool,
        typer.Option(
            "--suggest", help="With csv: write a starter preset from the header and the values; import nothing."
        ),
    ] = False,
    sheet: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="With csv and a workbook: the sheet; default: the first that is visible."),
    ] = None,
    header_line: Annotated[
        int | None, typer.Option("--header-line", min=1, help="With --suggest: the line of the header.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="The file that --suggest writes; default: standard output.")
    ] = None,
    dates: Annotated[
        str | None,
        typer.Option(
            metavar="day-first|month-first",
            help="The order of day and month in dates such as 05/04/2026, for files that do not show it.",
        ),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Report what would change, and change nothing.")] = False,
    explain_row: Annotated[
        str | None,
        typer.Option(
            metavar="N|FILE:N",
            help="Show what the row in line N became, and why: cells, records, links, reasons. Changes nothing.",
        ),
    ] = None,
    replace_sample: Annotated[
        bool, typer.Option("--replace-sample", help="Remove the sample company in the same transaction.")
    ] = False,
    data: Data = None,
) -> None:
    """Import files of a CRM, or any CSV file or workbook (.xlsx).

    All rows are imported, or none; rows that cannot be read are written to a file with the reason. Importing the same
    files again changes nothing; newer files update what differs. Any CSV file:
    accord import csv FILE --suggest --out FILE.toml, then accord import csv FILE --preset FILE.toml.
    """
    is_csv = preset == "csv"
    if suggests and is_csv:
        _suggest(path, out, data, FileLayout(header_line=header_line, sheet=sheet))
        return
    if is_csv is not (own is not None) or suggests or out is not None or header_line or (sheet and not is_csv):
        raise typer.BadParameter(_USAGE)
    folder, file = (path.parent, path.name) if is_csv else (path, None)
    source = _ImportSource(str(own) if own is not None else preset, folder, file, sheet, dates)
    explainer = _explainer(explain_row)
    report = asyncio.run(
        _import(
            source, data, dry_run=dry_run or explainer is not None, replace_sample=replace_sample, explainer=explainer
        )
    )
    if explainer is None:
        _print_report(report, data)
    elif explainer.explanation is not None:
        typer.echo(explanation_text(explainer.explanation), nl=False)


def _explainer(row: str | None) -> RowExplainer | None:
    """What explains the row `N` or `FILE:N`; None without one."""
    if row is None:
        return None
    file, _, line = row.rpartition(":")
    if not line.isdecimal() or not line.isascii() or int(line) == 0:
        raise typer.BadParameter(f"'{row}' is not a line. Write --explain-row 12, or --explain-row FILE:12.")
    return RowExplainer(int(line), file or None)


@dataclass(frozen=True, slots=True)
class _ImportSource:
    """A preset, and the folder that it reads; `file` is the only file that it reads, if it reads just one."""

    preset: str
    folder: Path
    file: str | None
    sheet: str | None
    dates: str | None


async def _import(
    source: _ImportSource, data: Path | None, *, dry_run: bool, replace_sample: bool, explainer: RowExplainer | None
) -> ImportReport:
    rejects_folder = Settings.load(data_dir=data).data_dir
    async with open_database(data, sets_up=True) as database:
        with progress_bar() as progress:
            return await run_import(
                database,
                source.preset,
                source.folder,
                file=source.file,
                sheet=source.sheet,
                dates=source.dates,
                dry_run=dry_run,
                replace_sample=replace_sample,
                rejects_folder=rejects_folder,
                progress=progress,
                explainer=explainer,
            )


def _suggest(path: Path, out: Path | None, data: Path | None, layout: FileLayout) -> None:
    """Write a starter preset, and print what is left to decide in it."""
    with progress_bar() as progress:
        made = suggest(path, progress, layout)
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
    if made.shipped is not None:
        typer.echo(next_command(made.shipped.advice(shlex.quote(str(path))), data), err=True)  # ends in a command
    if made.unread:
        typer.echo(f"Columns left out, for the reasons in the file: {', '.join(made.unread)}.", err=True)


def _print_report(report: ImportReport, data: Path | None) -> None:
    """Print the rows that were read, the records that changed, and the accord in force."""
    typer.echo(report.title)
    for file in report.files:
        form = _form(file)
        unused = f", {file.unused:,} without any value that this preset reads" if file.unused else ""
        typer.echo(f"  {file.name}: {file.rows:,} rows, {file.rejected:,} refused{unused} ({form})")
        if skipped := _skipped(file):
            typer.echo(f"    not read as rows: {skipped}")
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
    if report.ignored:
        typer.echo(f"Not read, because this preset has no file with their columns: {', '.join(report.ignored)}")
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


def _form(file: FileReport) -> str:
    """How the file was read."""
    if file.sheet is not None:
        return f"sheet '{file.sheet}'"
    delimiter = _DELIMITERS.get(file.delimiter, f"separated by {file.delimiter}")
    return f"{_ENCODINGS.get(file.encoding, file.encoding.upper())}, {delimiter}"


def _skipped(file: FileReport) -> str:
    """The lines above and below the table."""
    above = [f"the lines above the header in line {file.header_line}"] if file.header_line > 1 else []
    kinds = (("total", file.totals), ("note", file.notes))
    below = [f"line {line} ({kind})" for kind, lines in kinds for line in lines[:_SHOWN_LINES]]
    more = sum(max(0, len(lines) - _SHOWN_LINES) for _, lines in kinds)
    return ", ".join((*above, *below, *([f"{more:,} more"] if more else [])))


def _words(table: str) -> str:
    return table.replace("_", " ")


def _accord_line(report: ImportReport) -> str:
    if report.is_adopted:
        verb = "would be" if report.is_dry_run else "is"
        return f"The accord '{report.accord}' {verb} version 1, provisional until both teams sign it."
    line = f"The accord in force stays: '{report.accord}'."
    return line if report.is_presets_accord else f"{line} (This preset has another accord.)"

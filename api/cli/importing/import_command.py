"""`accord import`."""

import asyncio
import shlex
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from api.cli.importing.import_accord import ImportedAccord, print_stated_accord, propose_stated_accord
from api.cli.importing.import_notes import IdentityOptions, ask_source, is_terminal
from api.cli.importing.import_report import print_report
from api.cli.importing.undo_command import undo
from api.cli.options import Data, expand_options, next_command
from api.cli.progress_bar import progress_bar
from api.cli.session import open_database
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.identity.sources import UnnamedSourceError
from api.importers.explain.explainer import RowExplainer
from api.importers.explain.explanation_text import explanation_text
from api.importers.layout.file_layout import FileLayout
from api.importers.reporting.import_report import ImportReport
from api.importers.run_import import run_import
from api.importers.suggestion.suggest import suggest
from api.importers.suggestion.suggest_text import preset_text
from api.settings import Settings

_PRESETS = (
    "olist, maven, hubspot, salesforce, hubspot-export, salesforce-report, google-ads, meta-ads,"
    " linkedin-ads, a preset file of your own (FILE.toml), or csv for a single file."
)
_USAGE = (
    "A single CSV file: accord import csv FILE --preset FILE.toml, or accord import csv FILE --suggest."
    " A folder: accord import PRESET DIR."
)
StatedAccord = Annotated[
    str | None,
    typer.Option(
        "--accord",
        metavar="NAME|FILE.toml",
        help="The accord to adopt instead of the preset's; proposed as the next version if another one is in force.",
    ),
]
_EXIT_REFUSED = 3  # nothing was imported, and an option would have it imported


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingOptions:
    """The options of `accord import` about the rows of files: what they do not show, and what to do with them."""

    sheet: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="With csv and a workbook: the sheet; default: the first that is visible."),
    ] = None
    header_line: Annotated[
        int | None, typer.Option("--header-line", min=1, help="With --suggest: the line of the header.")
    ] = None
    dates: Annotated[
        str | None,
        typer.Option(
            metavar="day-first|month-first",
            help="The order of day and month in dates such as 05/04/2026, for files that do not show it.",
        ),
    ] = None
    explain_row: Annotated[
        str | None,
        typer.Option(
            metavar="N|FILE:N",
            help="Show what the row in line N became, and why: cells, records, links, reasons. Changes nothing.",
        ),
    ] = None
    accept_loss: Annotated[
        bool, typer.Option("--accept-loss", help="Import a file even if less than half of its rows can be kept.")
    ] = False


@expand_options
def import_records(
    preset: Annotated[str, typer.Argument(metavar="PRESET|csv", help=_PRESETS)],
    path: Annotated[Path, typer.Argument(metavar="DIR|FILE", help="The folder, or a file.")],
    *,
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
    reading: ReadingOptions,
    identity: IdentityOptions,
    accord: StatedAccord = None,
) -> None:
    """Import files of a CRM, or any CSV file or workbook (.xlsx).

    All rows are imported, or none; rows that cannot be read are written to a file with the reason. If less than half of
    a file's rows can be kept, nothing is imported, and the exit code is 3. Importing the same files again changes
    nothing; newer files update what differs. Any CSV file:
    accord import csv FILE --suggest --out FILE.toml, then accord import csv FILE --preset FILE.toml.
    accord import undo ID undoes an import: the id is in GraphQL, in the list imports.
    """
    is_csv = preset == "csv"
    if preset == "undo":
        undo(str(path), data)
        return
    if suggests and is_csv:
        _suggest(path, out, data, FileLayout(header_line=reading.header_line, sheet=reading.sheet))
        return
    is_for_csv = out is not None or reading.header_line or (reading.sheet and not is_csv)
    if is_csv is not (own is not None) or suggests or is_for_csv:
        raise typer.BadParameter(_USAGE)
    folder, file = (path.parent, path.name) if is_csv else (path, None)
    explainer = _explainer(reading.explain_row)
    request = _ImportRequest(
        preset=str(own) if own is not None else preset,
        folder=folder,
        file=file,
        sheet=reading.sheet,
        dates=reading.dates,
        identity=identity,
        is_dry_run=dry_run or explainer is not None,
        accepts_loss=reading.accept_loss,
        replaces_sample=replace_sample,
        explainer=explainer,
        accord=accord,
    )
    report, proposed = asyncio.run(_import(request, data))
    if explainer is not None and explainer.explanation is not None:
        typer.echo(explanation_text(explainer.explanation), nl=False)
    elif explainer is None:
        print_report(report, data)
        if proposed is not None:
            print_stated_accord(proposed, report, data)
        if report.is_refused:
            raise typer.Exit(_EXIT_REFUSED)


def _explainer(row: str | None) -> RowExplainer | None:
    """What explains the row `N` or `FILE:N`; None without one."""
    if row is None:
        return None
    file, _, line = row.rpartition(":")
    if not line.isdecimal() or not line.isascii() or int(line) == 0:
        raise typer.BadParameter(f"'{row}' is not a line. Write --explain-row 12, or --explain-row FILE:12.")
    return RowExplainer(int(line), file or None)


@dataclass(frozen=True, slots=True)
class _ImportRequest:
    """A preset, the folder that it reads, and the options; `file` is the only file that it reads, if just one."""

    preset: str
    folder: Path
    file: str | None
    sheet: str | None
    dates: str | None
    identity: IdentityOptions
    is_dry_run: bool
    accepts_loss: bool
    replaces_sample: bool
    explainer: RowExplainer | None
    accord: str | None


async def _import(request: _ImportRequest, data: Path | None) -> tuple[ImportReport, ImportedAccord | None]:
    async with open_database(data, sets_up=True) as database:
        try:
            report = await _run(database, request, data)
        except UnnamedSourceError as error:
            named = replace(request, identity=replace(request.identity, source=ask_source(error)))
            report = await _run(database, named, data)
        if request.accord is None or request.explainer is not None:
            return report, None
        return report, await propose_stated_accord(database, request.accord, report)


async def _run(database: Database, request: _ImportRequest, data: Path | None) -> ImportReport:
    with progress_bar() as progress:
        return await run_import(
            database,
            request.preset,
            request.folder,
            file=request.file,
            sheet=request.sheet,
            dates=request.dates,
            source=request.identity.source,
            may_ask_source=is_terminal(),
            links=request.identity.links(),
            dry_run=request.is_dry_run,
            accept_changes=request.identity.accept_changes,
            accept_loss=request.accepts_loss,
            replace_sample=request.replaces_sample,
            rejects_folder=Settings.load(data_dir=data).data_dir,
            progress=progress,
            explainer=request.explainer,
            accord=request.accord,
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

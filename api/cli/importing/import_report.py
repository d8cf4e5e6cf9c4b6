"""The report of an import: rows, records, what was refused, and the accord in force."""

from collections.abc import Iterator
from pathlib import Path

import typer

from api.cli.importing.import_notes import (
    likely_same_lines,
    refusal_lines,
    reported_stage_lines,
    source_line,
    unread_merge_lines,
)
from api.cli.options import next_command
from api.importers.reporting.import_record import FileReport
from api.importers.reporting.import_report import ImportReport

_SHOWN_LINES = 5
_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_ENCODINGS = {"utf-8": "UTF-8", "utf-8-sig": "UTF-8", "cp1252": "Windows-1252, because it is not UTF-8"}


def print_report(report: ImportReport, data: Path | None) -> None:
    """Print the rows that were read, the records that changed, and the accord in force."""
    typer.echo(report.title)
    if (named := source_line(report)) is not None:
        typer.echo(named)
    for line in (*_file_lines(report), *_record_lines(report)):
        typer.echo(line)
    for file in report.mostly_rejected:
        typer.secho(
            f"WARNING: most rows of {file.name} were refused ({file.rejected:,} of {file.rows:,}). Check that it is"
            " the file that the preset is for. The reasons are in the file of refused rows.",
            fg="red",
            bold=True,
        )
    if report.ignored:
        typer.echo(f"Not read, because this preset has no file with their columns: {', '.join(report.ignored)}")
    for line in unread_merge_lines(report):
        typer.secho(line, fg="red", bold=True)
    if report.rejects is not None:
        what = "rows and left-out values" if report.left_out and report.rejected else "rows"
        what = "values" if report.left_out and not report.rejected else what
        typer.echo(f"Refused {what}, each with its reason: {report.rejects}")
    for line in (*reported_stage_lines(report), *likely_same_lines(report)):
        typer.echo(line)
    for line in refusal_lines(report):
        typer.secho(line, fg="red" if report.is_refused else None)
    if not report.is_refused:
        _print_end(report, data)


def _print_end(report: ImportReport, data: Path | None) -> None:
    """Print the accord, the time that the import took, and what to do next."""
    typer.echo(_accord_line(report))
    if report.evaluated is not None and report.evaluated.contacts < report.evaluated.of:
        typer.echo(f"Evaluated the {report.evaluated.contacts:,} people concerned, of {report.evaluated.of:,}.")
    rate = sum(file.rows for file in report.files) / max(report.seconds, 0.001)
    timing = f"{report.seconds:.1f} s, {rate:,.0f} rows/s"
    if report.is_dry_run:
        typer.echo(f"A dry run: nothing was written ({timing}).")
    elif report.is_unchanged:
        typer.echo(f"Everything was known already: unchanged ({timing}).")
    else:
        typer.echo(f"Done ({timing}). See it with: {next_command('accord funnel', data)}")


def _file_lines(report: ImportReport) -> Iterator[str]:
    for file in report.files:
        unused = f", {file.unused:,} without any value that this preset reads" if file.unused else ""
        values = "1 value" if file.left_out == 1 else f"{file.left_out:,} values"
        left_out = f", {values} left out" if file.left_out else ""
        yield f"  {file.name}: {file.rows:,} rows, {file.rejected:,} refused{left_out}{unused} ({_form(file)})"
        if skipped := _skipped(file):
            yield f"    not read as rows: {skipped}"


def _record_lines(report: ImportReport) -> Iterator[str]:
    width = max(len(_words(table)) for table in report.records)
    for table, tally in report.records.items():
        counts = f"{tally.created:>9,} new {tally.changed:>9,} changed {tally.unchanged:>9,} unchanged"
        yield f"  {_words(table):<{width}} {counts}"


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

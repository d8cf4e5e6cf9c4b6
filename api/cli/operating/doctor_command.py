"""`accord doctor`."""

import shutil
import textwrap
from typing import Annotated

import orjson
import typer

from api.cli.options import Data
from api.doctor import Report, Severity, examine
from api.settings import Settings

EXIT_ERRORS = 1
_MOST_COLUMNS = 120


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print the diagnoses as JSON.")] = False,
    data: Data = None,
) -> None:
    """Say what is wrong with a set-up, and what to do.

    It reads only, and exits with 1 if there is an error. Without a database it makes the other checks.
    """
    report = examine(lambda: Settings.load(data_dir=data))
    if as_json:
        typer.echo(_json(report))
    else:
        typer.echo(_text(report, min(shutil.get_terminal_size().columns, _MOST_COLUMNS)))
    if report.count(Severity.ERROR):
        raise typer.Exit(EXIT_ERRORS)


def _json(report: Report) -> str:
    content = {
        "errors": report.count(Severity.ERROR),
        "warnings": report.count(Severity.WARNING),
        "checks": [
            {
                "name": result.name,
                "severity": result.diagnosis.severity.value,
                "found": result.diagnosis.found,
                "remedy": result.diagnosis.remedy or None,
            }
            for result in report.results
        ],
        "notMade": list(report.not_made),
    }
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()


def _text(report: Report, columns: int) -> str:
    severity_width = max(len(severity.value) for severity in Severity)
    name_width = max(len(result.name) for result in report.results)
    indent = " " * (severity_width + name_width + 4)
    lines: list[str] = []
    for result in report.results:
        diagnosis = result.diagnosis
        head = f"{diagnosis.severity.value:<{severity_width}}  {result.name:<{name_width}}  "
        lines += _wrapped(diagnosis.found, head, indent, columns)
        if diagnosis.remedy:
            lines += _wrapped(diagnosis.remedy, f"{indent}To do: ", f"{indent}       ", columns)
    if report.not_made:
        lines += ["", *_wrapped(f"Not checked: {', '.join(report.not_made)}.", "", "", columns)]
    errors, warnings = report.count(Severity.ERROR), report.count(Severity.WARNING)
    lines += [
        "",
        f"{_number(errors, 'error')}, {_number(warnings, 'warning')}, {_number(len(report.results), 'check')}.",
    ]
    return "\n".join(lines)


def _wrapped(text: str, first: str, indent: str, columns: int) -> list[str]:
    width = max(columns, len(indent) + 40)
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _number(count: int, word: str) -> str:
    return f"{count or 'no'} {word}{'' if count == 1 else 's'}"

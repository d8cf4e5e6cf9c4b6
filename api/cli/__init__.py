"""The `accord` command: one module for each group of commands, registered here and nowhere else.

Modules import little at the top, and what is heavy inside a command's body, so that `accord --help` answers at once.
"""

import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import typer

from api.cli import (
    accord_commands,
    explain_command,
    import_command,
    kpi_commands,
    migrate_command,
    sample_command,
    sdl_command,
    serve_command,
)
from api.cli.error_reports import report_bug, report_expected
from api.errors import AccordError

EXIT_EXPECTED = 2
EXIT_BUG = 70

app = typer.Typer(
    name="accord",
    help="The record and the reckoning that sales and marketing share.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

# Every group of commands, in the order of `accord --help`.
for group in (
    serve_command,
    migrate_command,
    import_command,
    sample_command,
    accord_commands,
    kpi_commands,
    explain_command,
    sdl_command,
):
    group.register(app)


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show the whole trace of an unexpected error."),
) -> None:
    if debug:
        os.environ["ACCORD_DEBUG"] = "1"


def main() -> NoReturn:
    """Run the command line: expected errors become one message, unexpected ones an id and a line in a log."""
    # A polite end request unwinds like any exit: the private PostgreSQL is let go, files are closed.
    signal.signal(signal.SIGTERM, _leave)
    try:
        app(prog_name="accord")
    except AccordError as error:
        report_expected(error)
        sys.exit(EXIT_EXPECTED)
    except Exception as error:  # the edge: what nobody foresaw is logged and named
        if os.environ.get("ACCORD_DEBUG"):
            raise
        report_bug(error)
        sys.exit(EXIT_BUG)
    sys.exit(0)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)

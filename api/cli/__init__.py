"""The `accord` command. Every command is listed here; its module is imported only when it runs."""

import errno
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from importlib import metadata
from types import FrameType
from typing import ClassVar, NoReturn

import typer

from api.cli.access import KeyCommands, MemberCommands, TeamCommands
from api.cli.error_reports import report_bug, report_expected
from api.cli.lazy_command import LazyGroup
from api.cli.planning import PlanCommands
from api.errors import AccordError, ErrorCode

DISTRIBUTION = "accord-graphql"
EXIT_EXPECTED = 2
EXIT_BUG = 70
_DISK_PROBLEMS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


class Commands(LazyGroup):
    """All commands, in the order of `accord --help`. The summary is the first line of the function's docstring."""

    TARGETS: ClassVar[Mapping[str, tuple[str, str]]] = {
        "serve": ("Serve GraphQL and GraphiQL until interrupted.", "api.cli.serve_command:serve"),
        "worker": (
            "Run the background jobs until interrupted, if no other process does.",
            "api.cli.jobs.worker_command:worker",
        ),
        "stop": ("Stop the servers and the private PostgreSQL of a data folder.", "api.cli.stop_command:stop"),
        "migrate": ("Migrate the database to the revision of this Accord.", "api.cli.migrate_command:migrate"),
        "backup": ("Write a backup of the database to a file.", "api.cli.operating.backup_commands:backup"),
        "restore": ("Restore a backup into an empty database.", "api.cli.operating.backup_commands:restore"),
        "doctor": (
            "Say what is wrong with a set-up, and what to do.",
            "api.cli.operating.doctor_command:doctor",
        ),
        "init": ("Adopt the first version of the accord, or propose the next.", "api.cli.accord.adopt_command:init"),
        "import": (
            "Import files of a CRM, or any CSV file or workbook (.xlsx).",
            "api.cli.importing.import_command:import_records",
        ),
        "sample": ("Make a sample company in an empty database.", "api.cli.sample_command:sample"),
        "show": ("Print the accord in plain sentences.", "api.cli.accord.show_command:show"),
        "versions": ("List the versions of the accord.", "api.cli.accord.document_commands:versions"),
        "export": ("Print the document of a version of the accord.", "api.cli.accord.document_commands:export"),
        "diff": ("Say in sentences what differs between two versions.", "api.cli.accord.document_commands:diff"),
        "preview": (
            "Show what a version of the accord would have changed.",
            "api.cli.accord.preview_command:preview",
        ),
        "propose": ("Propose a version of the accord.", "api.cli.accord.version_commands:propose"),
        "edit": (
            "Replace the document of a version that has not been in force.",
            "api.cli.accord.version_commands:edit",
        ),
        "submit": ("Submit a version of the accord for review.", "api.cli.accord.version_commands:submit"),
        "comments": ("List the comments on a version of the accord.", "api.cli.accord.comment_commands:comments"),
        "comment": ("Comment on a version of the accord.", "api.cli.accord.comment_commands:comment"),
        "resolve": ("Resolve a comment on a version of the accord.", "api.cli.accord.comment_commands:resolve"),
        "request-changes": (
            "Request changes of a version in review.",
            "api.cli.accord.comment_commands:request_changes",
        ),
        "withdraw": ("Withdraw a version of the accord.", "api.cli.accord.version_commands:withdraw"),
        "activate": ("Activate a version that both teams signed.", "api.cli.accord.version_commands:activate"),
        "verify": (
            "Verify the hashes, chain, signatures and entries of all versions.",
            "api.cli.accord.verify_command:verify",
        ),
        "evaluate": (
            "Evaluate the stage entries of all contacts again.",
            "api.cli.accord.evaluation_commands:evaluate",
        ),
        "check": ("Verify that the stored stage entries equal a rebuild.", "api.cli.accord.evaluation_commands:check"),
        "kpi": ("Compute a KPI; without a key, list the KPIs.", "api.cli.kpi_commands:kpi"),
        "funnel": ("Show how far people got through the funnel.", "api.cli.kpi_commands:funnel"),
        "explain": ("Explain how a GraphQL document is executed.", "api.cli.explain_command:explain"),
        "sdl": ("Print the GraphQL schema as SDL.", "api.cli.sdl_command:sdl"),
        "clients": (
            "Print scalars or cache keys for a GraphQL client or generator.",
            "api.cli.clients_command:clients",
        ),
    }
    GROUPS: ClassVar[Mapping[str, tuple[str, type[LazyGroup]]]] = {
        "plan": ("Plan the revenue of a period, and explain that of a past one.", PlanCommands),
        "key": ("Create, list, revoke and rotate API keys.", KeyCommands),
        "team": ("Add and list teams.", TeamCommands),
        "member": ("Add and deactivate members, and set what they may do.", MemberCommands),
    }


app = typer.Typer(
    name="accord",
    cls=Commands,
    help="The record and the reckoning that sales and marketing share.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _print_version(is_asked: bool) -> None:
    if is_asked:
        typer.echo(f"accord {metadata.version(DISTRIBUTION)}")
        raise typer.Exit


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an unexpected error."),
    _version: bool = typer.Option(
        False, "--version", help="Print the version, and exit.", callback=_print_version, is_eager=True
    ),
) -> None:
    if debug:
        os.environ["ACCORD_DEBUG"] = "1"


def main() -> NoReturn:
    """Run the command line of this process."""
    # SIGTERM unwinds like any exit, so that the private PostgreSQL is released and files are closed.
    signal.signal(signal.SIGTERM, _exit_on_signal)
    run(sys.argv[1:])


def run(words: Sequence[str]) -> NoReturn:
    """Run a command, and exit. An expected error prints its message; a bug prints an id under which it is logged."""
    try:
        app(words, prog_name="accord")
    except AccordError as error:
        report_expected(error)
        sys.exit(EXIT_EXPECTED)
    except Exception as error:  # the outermost edge: a bug is logged
        if (expected := _expected(error)) is not None:
            report_expected(expected)
            sys.exit(EXIT_EXPECTED)
        if os.environ.get("ACCORD_DEBUG"):
            raise
        report_bug(error)
        sys.exit(EXIT_BUG)
    sys.exit(0)


def _expected(error: Exception) -> AccordError | None:
    """The error to show if the database or a disk is the cause; None if it is a bug."""
    if isinstance(error, OSError) and error.errno in _DISK_PROBLEMS:
        where = f"{error.filename}: " if error.filename else ""
        code = ErrorCode.DISK_FULL if error.errno == errno.ENOSPC else ErrorCode.BAD_FILE
        message = f"A file cannot be written: {where}{error.strerror}."
        return AccordError(code, message, "Make room on that disk, or write to another folder.")
    database = sys.modules.get("api.db")  # a command that has not loaded it has none of its errors
    expected: AccordError | None = None if database is None else database.expected_error(error)
    return expected


def _exit_on_signal(number: int, _frame: FrameType | None) -> NoReturn:
    sys.exit(128 + number)

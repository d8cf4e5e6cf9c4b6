"""Options that many commands share."""

import shlex
from pathlib import Path
from typing import Annotated, Any

import typer

DATA_OPTION: Any = typer.Option(
    "--data",
    metavar="DIR",
    help="The data folder of the private PostgreSQL; default: ACCORD_DATA_DIR, or else .accord.",
    show_default=False,
)

Data = Annotated[Path | None, DATA_OPTION]


def next_command(words: str, data: Path | None) -> str:
    """A command to suggest next, with the same data folder if one was given."""
    return words if data is None else f"{words} --data {shlex.quote(str(data))}"

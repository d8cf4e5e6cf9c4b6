"""Options that many commands share."""

import shlex
from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        help="The data folder of the private PostgreSQL (else ACCORD_DATA_DIR, else .accord).",
        show_default=False,
    ),
]


def next_command(words: str, data: Path | None) -> str:
    """A command to go on with, on the same data folder if one was named."""
    return words if data is None else f"{words} --data {shlex.quote(str(data))}"

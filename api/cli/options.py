"""Options that many commands share."""

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

"""What a preset or a command states about where the table of a file is."""

from dataclasses import dataclass
from pathlib import Path

WORKBOOK_SUFFIXES = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
# How the copy of a sheet writes the workbook's dates.
WORKBOOK_DATES = ("%Y-%m-%d", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")


@dataclass(frozen=True, slots=True)
class FileLayout:
    """What is stated about a file's layout; None where it is to be detected.

    `header_line` is the line of the header, from 1; `skip_last` the number of rows below the table (0: all rows are
    records); `until` the text with which the first row below the table begins; `sheet` the sheet of a workbook.
    """

    header_line: int | None = None
    skip_last: int | None = None
    until: str | None = None
    sheet: str | None = None


DETECTED = FileLayout()


def is_workbook(path: Path) -> bool:
    """Whether the file's name is that of a workbook."""
    return path.suffix.lower() in WORKBOOK_SUFFIXES

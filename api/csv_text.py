"""CSV that is safe to open in a spreadsheet.

A spreadsheet runs a cell that begins with = + - or @ as a formula, also where it came from a web form that a stranger
filled in. Such text gets a leading apostrophe, which spreadsheets show as text. Numbers stay as they are.
`original_text` takes the apostrophe away again. Source: OWASP, "CSV Injection".
"""

import csv
import re
from collections.abc import Iterable, Sequence
from typing import TextIO

# Full-width signs are formulas too. Apostrophes before the sign: text that already looks protected gets one more, so
# that taking one away always gives the original.
_FORMULA = re.compile("'*[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
_NEGATIVE_NUMBER = re.compile(r"-\d+(\.\d+)?([eE][+-]?\d+)?")
# Spreadsheets of some countries separate cells at these, so that a formula could begin behind one.
_OTHER_DELIMITERS = (";", "\t", "|")


def safe_cell(value: object) -> object:
    """Return a cell's value; text that a spreadsheet would run as a formula gets a leading apostrophe."""
    if isinstance(value, str) and _FORMULA.match(value) and not _NEGATIVE_NUMBER.fullmatch(value):
        return f"'{value}"
    return value


def original_text(cell: str) -> str:
    """Return the text of which `safe_cell` made the cell."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


class CsvWriter:
    """Writes rows as CSV (RFC 4180, comma, UTF-8 by the caller's file), every cell safe."""

    def __init__(self, file: TextIO, *, line_end: str = "\r\n") -> None:
        self._plain = csv.writer(file, lineterminator=line_end)
        self._quoted = csv.writer(file, lineterminator=line_end, quoting=csv.QUOTE_NONNUMERIC)

    def row(self, cells: Sequence[object]) -> None:
        """Write one row. None is an empty cell."""
        safe = [safe_cell(cell) for cell in cells]
        is_risky = any(isinstance(cell, str) and any(mark in cell for mark in _OTHER_DELIMITERS) for cell in safe)
        if is_risky:
            self._quoted.writerow(["" if cell is None else cell for cell in safe])
        else:
            self._plain.writerow(safe)

    def rows(self, rows: Iterable[Sequence[object]]) -> None:
        """Write several rows."""
        for row in rows:
            self.row(row)


def write_unprotected(file: TextIO, rows: Iterable[Sequence[str]]) -> None:
    """Write rows as CSV for Accord's own reading: the cells stay as they are, so no user may be given the file."""
    csv.writer(file, lineterminator="\n").writerows(rows)

"""Finds the header of a table below titles, and Excel's `sep=` line.

A header is certain if

- a preset states its line, or
- it is the first row that has every needed column, or
- no column is needed (a preset is to be suggested), and it is the first row with as many filled cells as any row below.
  Every row above it fills less than half as many (half, if it is narrower): it is a title. If there are titles,
  no cell of the header is a number.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from api.importers.layout.dialect import CsvDialect, SampleRow, dialects, sample_rows
from api.importers.layout.file_layout import FileLayout

_SEPARATOR_LINE = re.compile(r'\s*"?sep=(.)"?\s*', re.IGNORECASE | re.DOTALL)
_BEGINS_WITH_DIGIT = re.compile(r"[-+(]?[€$£]?\s*\d")
# A cell rarely holds an escaped quote, or quotes around everything: these are signs of another dialect.
_UNREAD_QUOTE = re.compile(r"""\\["']|^(["']).*\1$""", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Header:
    """A header: its line, its columns, and how its file separates cells. `doubt` is why the line is not certain.

    `first_line` is the first line that could be the header: 2 below Excel's `sep=` line.
    """

    line: int
    columns: tuple[str, ...]
    dialect: CsvDialect
    doubt: str = ""
    first_line: int = 1


def find_header(
    sample: Sequence[str], needed: Sequence[str], layout: FileLayout, dialect: CsvDialect | None = None
) -> Header:
    """Find the header in the first lines of a file, and the dialect if it is not given.

    The header lacks needed columns if no row has them all.
    """
    delimiter = separator(sample) if dialect is None else None
    first_line = max(layout.header_line or 1, 1 if delimiter is None else 2)
    if dialect is not None:
        choices: tuple[CsvDialect, ...] = (dialect,)
    else:
        choices = dialects() if delimiter is None else dialects(delimiter)
    lines = sample[first_line - 1 :]
    whole = "".join(lines)
    best: Header | None = None
    score: tuple[int, ...] = ()
    for choice in choices:
        rows, broken = sample_rows(choice, lines, first_line)
        if not rows or not choice.may_be(whole):
            continue
        header, rated = _rated(choice, rows, needed, broken, is_stated=layout.header_line is not None)
        if rated > score:
            best, score = header, rated
    return replace(best or Header(first_line, (), choices[0]), first_line=first_line)


def separator(sample: Sequence[str]) -> str | None:
    """Return the delimiter that Excel's line `sep=;` at the beginning of a file states; None without such a line."""
    found = _SEPARATOR_LINE.fullmatch(sample[0]) if sample else None
    return found[1] if found and found[1] not in "\"'\r\n" and not found[1].isalnum() else None


def _rated(
    dialect: CsvDialect, rows: list[SampleRow], needed: Sequence[str], broken: int, *, is_stated: bool
) -> tuple[Header, tuple[int, ...]]:
    """The header under a dialect, and how well the rows fit it: the higher, the better."""
    doubt = ""
    if is_stated:
        place = 0
    elif needed:
        place = _with_most_columns(rows, needed)
    else:
        place, doubt = _first_full(rows)
    columns = rows[place].cells
    below = rows[place + 1 :]
    misfits = broken + sum(len(row.cells) != len(columns) for row in below)
    unread = sum(bool(_UNREAD_QUOTE.search(cell)) for row in rows[place:] for cell in row.cells)
    # If no column is needed, a header of one cell is the least likely.
    found = len(set(needed) & set(columns)) if needed else int(len(columns) > 1)
    return Header(rows[place].line, columns, dialect, doubt), (found, -misfits, -unread, len(columns))


def _with_most_columns(rows: list[SampleRow], needed: Sequence[str]) -> int:
    """The first row with the most of the needed columns; if it has all, it is the header."""
    wanted = set(needed)
    return max(range(len(rows)), key=lambda place: (len(wanted & set(rows[place].cells)), -place))


def _first_full(rows: list[SampleRow]) -> tuple[int, str]:
    """The first row that is not a title, and why it may not be the header after all."""
    most = max(row.filled for row in rows)
    place = next(place for place, row in enumerate(rows) if not _is_title(row, rows, most))
    row = rows[place]
    if place == 0:
        widths = Counter(len(other.cells) for other in rows[1:])
        usual, count = widths.most_common(1)[0] if widths else (len(row.cells), 0)
        if usual > len(row.cells) and count * 2 > len(rows):
            return place, f"line {row.line} has {len(row.cells)} cells, and most lines below it have {usual}"
        return place, ""
    fullest = max((other.filled for other in rows[place + 1 :]), default=0)
    if row.filled < fullest:
        return place, f"line {row.line} has {row.filled} filled cells, and a line below it has {fullest}"
    number = next((cell for cell in row.cells if _BEGINS_WITH_DIGIT.match(cell)), None)
    if number is not None:
        return place, f"the lines above line {row.line} look like titles, but it holds '{number}', as if it were a row"
    return place, ""


def _is_title(row: SampleRow, rows: list[SampleRow], most: int) -> bool:
    """Whether a row fills less than half as many cells as the fullest row, or half of them in a narrower row."""
    is_narrower = len(row.cells) < max(len(other.cells) for other in rows)
    return row.filled * 2 < most or (is_narrower and row.filled * 2 == most)

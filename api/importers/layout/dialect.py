"""How the cells of a line are separated and quoted, and which rows a text has under that."""

import csv
import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """How the cells of a line are separated and quoted."""

    delimiter: str
    quote: str
    is_escaped: bool  # a quote inside quotes is escaped by a backslash; otherwise it is doubled

    def reader(self, lines: Iterator[str]) -> Iterator[list[str]]:
        """Return a reader of rows. It raises `csv.Error` for a line that is not CSV, and can go on after it."""
        if self.is_escaped:
            return csv.reader(
                lines, delimiter=self.delimiter, quotechar=self.quote, doublequote=False, escapechar="\\", strict=True
            )
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, strict=True)

    def may_be(self, text: str) -> bool:
        """Whether the text has the signs of this dialect, if it is a rare one; a single damaged line is not a sign."""
        is_seen = self.quote == '"' or re.search(rf"(^|{re.escape(self.delimiter)})'", text, re.MULTILINE) is not None
        return is_seen and (not self.is_escaped or f"\\{self.quote}" in text)


def dialects(delimiters: str = ",;\t|") -> tuple[CsvDialect, ...]:
    """Return the dialects with these delimiters, the usual ones first."""
    return tuple(
        CsvDialect(delimiter, quote, is_escaped)
        for is_escaped, quote, delimiter in itertools.product((False, True), "\"'", delimiters)
    )


@dataclass(frozen=True, slots=True)
class SampleRow:
    """A row of a sample that is not blank: the line on which it begins, and its cells without blanks around them."""

    line: int
    cells: tuple[str, ...]

    @property
    def filled(self) -> int:
        """The number of cells that are not empty."""
        return sum(map(bool, self.cells))


def sample_rows(dialect: CsvDialect, sample: Sequence[str], first_line: int) -> tuple[list[SampleRow], int]:
    """Return the rows of a sample that begins at a line of the file, and how many lines are not CSV."""
    lines = _CountedLines(sample)
    reader, broken = dialect.reader(lines), 0
    rows: list[SampleRow] = []
    while True:
        line = first_line + lines.count
        try:
            row = next(reader)
        except StopIteration:
            return rows, broken
        except csv.Error as error:
            # The sample may end within a cell of several lines.
            broken += "end of data" not in str(error)
            continue
        cells = tuple(cell.strip() for cell in row)
        if any(cells):
            rows.append(SampleRow(line, cells))


class _CountedLines:
    """An iterator of lines that knows how many were taken."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = iter(lines)
        self.count = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.count += 1
        return line

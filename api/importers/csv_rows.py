"""Reads the rows of a CSV file, streamed. A line that is not CSV is reported with its number, and reading goes on.

Titles above the header and totals and notes below the table are no rows; see `layout`.
"""

import csv
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from api.errors import AccordError, ErrorCode
from api.importers.layout.footer import DOUBT, TAIL_ROWS, ColumnSums, Footer, TailRow, find_footer, sum_columns
from api.importers.source_file import SourceFile
from api.importers.text_lines import MARK, TextLines


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that is not a row, and why."""

    text: str
    reason: str


_Row = tuple[int, "list[str] | UnreadableLine", bool]
"""The line on which a row begins, the row, and whether a blank line stands before it."""


def _ignore(_footer: Footer) -> None:
    pass


def read_csv(
    source: SourceFile, footer: Callable[[Footer], None] = _ignore
) -> Iterator[tuple[int, list[str] | UnreadableLine]]:
    """Yield every row with the number of its first line, without the header, blank lines, and what is no row.

    A row whose quotes do not match costs its first line only: the lines that it swallowed are read again as rows.
    `footer` is called at the end with what stands below the table.
    Errors: BAD_FILE if the file cannot be read, or has changed since it was detected.
    """
    try:
        with source.open() as text:
            source.require_unchanged(text)
            yield from _without_footer(source, _rows(source, TextLines(text), footer), footer)
            source.require_unchanged(text)
    except UnicodeDecodeError as error:
        raise source.changed() from error
    except OSError as error:
        message = f"{source.origin} cannot be read: {error.strerror}."
        raise AccordError(ErrorCode.BAD_FILE, message, "Put the file where it can be read.") from error


def _without_footer(
    source: SourceFile, rows: Iterator[_Row], footer: Callable[[Footer], None]
) -> Iterator[tuple[int, list[str] | UnreadableLine]]:
    """The rows without those below the table. Holds back as many rows as may be below it."""
    skipped = source.layout.skip_last
    size = TAIL_ROWS if skipped is None else skipped
    held: deque[_Row] = deque()
    for row in rows:
        held.append(row)
        if len(held) > size:
            line, cells, _ = held.popleft()
            yield line, cells
    below = Footer(notes=tuple(line for line, *_ in held)) if skipped is not None else _footer(source, held)
    no_rows = frozenset(below.lines)
    for line, cells, _ in held:
        if line in no_rows:
            continue
        if line in below.doubtful and isinstance(cells, list):
            yield line, UnreadableLine(source.dialect.delimiter.join(cells), DOUBT)
        else:
            yield line, cells
    footer(below)


def _footer(source: SourceFile, held: deque[_Row]) -> Footer:
    """What stands below the table, among the last rows that can be read."""
    tail: list[TailRow] = []
    for line, cells, is_after_blank in held:
        if isinstance(cells, list):
            tail.append(TailRow(line, cells, is_after_blank))
        else:
            tail.clear()
    return find_footer(tail, len(source.header), source.key, lambda line: _sums(source, line))


def _sums(source: SourceFile, end: int) -> ColumnSums:
    """Add up the columns of the rows above a line; reads the file again, which only a row like a total is worth."""
    with source.open() as text:
        rows = (cells for line, cells, _ in _rows(source, TextLines(text), _ignore) if line < end)
        return sum_columns((cells for cells in rows if isinstance(cells, list)), len(source.header))


def _rows(source: SourceFile, lines: TextLines, footer: Callable[[Footer], None]) -> Iterator[_Row]:
    lines.skip(source.header_line - 1)
    reader = source.dialect.reader(lines)
    header: list[str] | None = None
    is_after_blank, until = False, source.layout.until
    while True:
        first_line = lines.begin_row()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield first_line, _unreadable(lines, error), is_after_blank
            if lines.is_hopeless:
                raise AccordError(
                    ErrorCode.BAD_FILE,
                    f"{source.origin} is damaged around line {first_line}: so many quotes are opened there and never"
                    " closed that its rows cannot be separated.",
                    "Export it again.",
                ) from error
            is_after_blank = False
            continue
        # A spreadsheet writes the delimiters of a blank row.
        if not row or (not row[0].strip() and not any(map(str.strip, row))):
            is_after_blank = True
            continue
        if header is None:
            header = row
        elif until is not None and next(filter(None, map(str.strip, row))).startswith(until):
            footer(Footer(notes=(first_line,)))
            return
        elif row[0].startswith(MARK):
            reason = "the line begins with a byte order mark, as if files had been joined; remove the mark"
            yield first_line, UnreadableLine("".join(lines.taken), reason), is_after_blank
        elif row == header:
            yield first_line, UnreadableLine("".join(lines.taken), "the line repeats the header"), is_after_blank
        else:
            yield first_line, row, is_after_blank
        is_after_blank = False


def _unreadable(lines: TextLines, error: csv.Error) -> UnreadableLine:
    """The line that the parser refused, and why. Gives back the lines that the parser took with it."""
    first, why = lines.taken[0], str(error)
    if "field larger than field limit" in why:
        why = f"a cell is longer than {csv.field_size_limit():,} characters"
    if lines.give_back():
        is_open = "unexpected end of data" in why or "longer than" in why
        why = "it opens a quote that is never closed" if is_open else "its quotes do not match"
        return UnreadableLine(first, f"the line is not CSV: {why}; the lines after it were read as rows of their own")
    if "unexpected end of data" in why:
        why = "it opens a quote that is never closed"
    return UnreadableLine(first, f"the line is not CSV: {why}")

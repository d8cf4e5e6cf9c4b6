"""Reads the rows of a CSV file, streamed. A line that is not CSV is reported with its number, and reading goes on."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from api.errors import AccordError, ErrorCode
from api.importers.source_file import SourceFile
from api.importers.text_lines import MARK, TextLines


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """A line that is not a row, and why."""

    text: str
    reason: str


def read_csv(source: SourceFile) -> Iterator[tuple[int, list[str] | UnreadableLine]]:
    """Yield every row with the number of its first line, without the header and empty lines.

    A row whose quotes do not match costs its first line only: the lines that it swallowed are read again as rows.
    Errors: BAD_FILE if the file cannot be read, or has changed since it was detected.
    """
    try:
        with source.open() as text:
            source.require_unchanged(text)
            yield from _rows(source, TextLines(text))
            source.require_unchanged(text)
    except UnicodeDecodeError as error:
        raise source.changed() from error
    except OSError as error:
        message = f"{source.path} cannot be read: {error.strerror}."
        raise AccordError(ErrorCode.BAD_FILE, message, "Put the file where it can be read.") from error


def _rows(source: SourceFile, lines: TextLines) -> Iterator[tuple[int, list[str] | UnreadableLine]]:
    reader = source.dialect.reader(lines)
    header: list[str] | None = None
    while True:
        first_line = lines.begin_row()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield first_line, _unreadable(lines, error)
            if lines.is_hopeless:
                raise AccordError(
                    ErrorCode.BAD_FILE,
                    f"{source.path} is damaged around line {first_line}: so many quotes are opened there and never"
                    " closed that its rows cannot be separated.",
                    "Export it again.",
                ) from error
            continue
        if not row:
            continue
        if header is None:
            header = row
        elif row[0].startswith(MARK):
            reason = "the line begins with a byte order mark, as if files had been joined; remove the mark"
            yield first_line, UnreadableLine("".join(lines.taken), reason)
        elif row == header:
            yield first_line, UnreadableLine("".join(lines.taken), "the line repeats the header")
        else:
            yield first_line, row


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

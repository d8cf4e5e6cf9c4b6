"""The rows of a CSV file, streamed: what cannot be one is told with its line, and reading goes on."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass

from api.errors import AccordError, ErrorCode
from api.importers.source_file import Source
from api.importers.text_lines import MARK, Lines


@dataclass(frozen=True, slots=True)
class NoRow:
    """A line that is no row: what it says, and why it is none."""

    text: str
    reason: str


def read_csv(source: Source) -> Iterator[tuple[int, list[str] | NoRow]]:
    """Every row with the line that it begins on; header and empty lines are passed over.

    A row whose quotes do not fit costs its first line: the lines that it would have swallowed are read anew.
    Errors: BAD_FILE where the file cannot be read, or is no longer the one that was found.
    """
    try:
        with source.open() as text:
            source.require_unchanged(text)
            yield from _rows(source, Lines(text))
            source.require_unchanged(text)
    except UnicodeDecodeError as error:
        raise source.changed() from error
    except OSError as error:
        message = f"{source.path} cannot be read: {error.strerror}."
        raise AccordError(ErrorCode.BAD_FILE, message, "Put the file where it can be read.") from error


def _rows(source: Source, lines: Lines) -> Iterator[tuple[int, list[str] | NoRow]]:
    reader = source.dialect.reader(lines)
    header: list[str] | None = None
    while True:
        begins = lines.begin_row()
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield begins, _broken(lines, error)
            if lines.is_hopeless:
                raise AccordError(
                    ErrorCode.BAD_FILE,
                    f"{source.path} is damaged around line {begins}: so many quotes are opened there and never closed"
                    " that its rows cannot be told apart.",
                    "Export it again.",
                ) from error
            continue
        if not row:
            continue
        if header is None:
            header = row
        elif row[0].startswith(MARK):
            reason = "it begins with a byte order mark, as if files had been put together; remove the mark"
            yield begins, NoRow("".join(lines.taken), reason)
        elif row == header:
            yield begins, NoRow("".join(lines.taken), "it is the header once more")
        else:
            yield begins, row


def _broken(lines: Lines, error: csv.Error) -> NoRow:
    first, why = lines.taken[0], str(error)
    if "field larger than field limit" in why:
        why = f"a cell of it is longer than {csv.field_size_limit():,} characters"
    if lines.give_back():
        what = "unexpected end of data" in why or "longer than" in why
        why = "a quote opens on it that is never closed" if what else "its quotes do not fit"
        return NoRow(first, f"the line is no CSV: {why}; the lines after it were read by themselves")
    if "unexpected end of data" in why:
        why = "a quote opens on it that is never closed"
    return NoRow(first, f"the line is no CSV: {why}")

"""Detects how to read a file: encoding, delimiter, quoting, header. Refuses a file for which this is not certain.

- Encoding: a byte order mark decides. Without one, text that is valid UTF-8 throughout is UTF-8, and text with a zero
  in every other byte is UTF-16. Text that is neither, and contains no UTF-8 sequence at all, is Windows-1252 (which
  includes the printable characters of Latin-1). A mixture of the two is damaged text, and refused.
- Delimiter and quoting: those under which the header has the most of the needed columns, and under which the most rows
  have as many cells as the header.
"""

import codecs
import csv
import itertools
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from api.errors import AccordError, ErrorCode
from api.importers.text_lines import MARK, first_lines

_CHUNK = 1 << 20
_SAMPLE_ROWS = 50
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
# A cell rarely holds an escaped quote, or quotes around everything: these are signs of another dialect.
_UNREAD_QUOTE = re.compile(r"""\\["']|^(["']).*\1$""", re.DOTALL)
_NO_WINDOWS_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


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


_DIALECTS = tuple(
    CsvDialect(delimiter, quote, is_escaped)
    for is_escaped, quote, delimiter in itertools.product((False, True), "\"'", ",;\t|")
)


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that can be read: its path, how to read it, and its header. `stamp` changes when the file does."""

    path: Path
    encoding: str
    dialect: CsvDialect
    header: tuple[str, ...]
    lines: int
    stamp: tuple[int, ...]

    @property
    def name(self) -> str:
        """The file's name."""
        return self.path.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that have a name."""
        return tuple(filter(None, self.header))

    def open(self) -> TextIO:
        """Open the file as text. Line ends are not translated, because quoted cells may hold some."""
        return self.path.open(encoding=self.encoding, newline="")

    def require_unchanged(self, text: TextIO) -> None:
        """Raise BAD_FILE if the opened file was replaced or written to since it was detected."""
        if _stamp(text) != self.stamp:
            raise self.changed()

    def changed(self) -> AccordError:
        """Return the error for a file that changes while it is read."""
        message = f"{self.path} changed while it was read. Nothing was imported."
        return _bad(message, "Import again when no program writes to it any more.")


def detect_file(folder: Path, name: str, columns: Sequence[str]) -> SourceFile:
    """Detect how to read a file that must have these columns; reads all of it once, in bounded memory.

    Errors: BAD_FILE if it is missing, unreadable, of an uncertain encoding, or lacks a column.
    """
    path = folder / name
    try:
        if not folder.is_dir():
            what = "is not a folder" if folder.exists() else "does not exist"
            raise _bad(f"{folder} {what}.", f"Name the folder that holds {name}.")
        if not path.exists():
            there = ", ".join(sorted(path.name for path in folder.iterdir())[:20]) or "nothing"
            raise _bad(
                f"There is no {name} in {folder}; there is {there}.", "Put it there, or name the folder that holds it."
            )
        if not path.is_file():
            raise _bad(f"{path} is not a file.", "Put the CSV file in its place.")
        encoding, lines = _encoding_of(path)
        with path.open(encoding=encoding, newline="") as text:
            stamp, sample = _stamp(text), first_lines(text, _SAMPLE_ROWS)
    except csv.Error as error:
        message = f"{path} is not a CSV file: its first line is not a header; {error}."
        raise _bad(message, "Check that it is the right file, and export it as CSV.") from error
    except OSError as error:
        raise _bad(
            f"{error.filename or path} cannot be read: {error.strerror}.", "Give yourself the right to read it."
        ) from error
    sample[:1] = [line.lstrip(MARK) for line in sample[:1]]
    dialect, header = _dialect_of(sample, columns)
    _require(path, header, columns)
    return SourceFile(path=path, encoding=encoding, dialect=dialect, header=header, lines=lines, stamp=stamp)


def _stamp(text: TextIO) -> tuple[int, ...]:
    """Device, inode, size and modification time: together they change whenever the file does."""
    found = os.fstat(text.fileno())
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns)


def _encoding_of(path: Path) -> tuple[str, int]:
    """Decide the encoding over the whole file, in bounded memory; count its lines on the way."""
    with path.open("rb") as file:
        start = file.read(4096)
        marked = next((name for mark, name in _MARKS if start.startswith(mark)), None) or _unmarked_utf16(start)
        file.seek(0)
        if marked is not None:
            return marked, _count_lines(path, file, marked)
        if b"\0" in start.partition(b"\n")[0] or start.count(0) * 100 > len(start):
            raise _bad(f"{path} is not text: it holds zero bytes.", "Export it as CSV.")
        try:
            return "utf-8", _count_lines(path, file, "utf-8")
        except AccordError:
            file.seek(0)
            return "cp1252", _count_windows_lines(path, file)


def _unmarked_utf16(start: bytes) -> str | None:
    """Detect UTF-16 without a mark by its zeros: text in Latin letters has one in every other byte."""
    half = len(start) // 2
    for name, zeros, others in (("utf-16-le", start[1::2], start[::2]), ("utf-16-be", start[::2], start[1::2])):
        if half >= 4 and zeros.count(0) > half * 0.7 and others.count(0) == 0:
            return name
    return None


def _count_lines(path: Path, file: BinaryIO, encoding: str) -> int:
    decoder = codecs.getincrementaldecoder(encoding)()
    lines, returns, last = 0, 0, "\n"
    try:
        while chunk := file.read(_CHUNK):
            text = decoder.decode(chunk)
            lines, last = lines + text.count("\n"), text[-1:] or last
            returns += 0 if lines else text.count("\r")
        decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        remedy = "Export it again, as UTF-8."
        raise _bad(f"{path} begins as {encoding} text, but line {lines + 1} or a later one is not.", remedy) from error
    return (lines or returns) + (last not in "\r\n")


def _count_windows_lines(path: Path, file: BinaryIO) -> int:
    """Count the lines of Windows-1252 text; raise BAD_FILE if it may be damaged UTF-8 or another encoding."""
    remedy = "Save it as UTF-8 and import again: which characters are meant is not certain."
    number, is_whole = 0, True
    for line in iter(lambda: file.readline(_CHUNK), b""):
        number, is_whole = number + is_whole, line.endswith(b"\n")
        if line.isascii():
            continue
        if _UTF8_SEQUENCE.search(line):
            raise _bad(f"{path} mixes UTF-8 with other text (line {number}).", remedy)
        if _NO_WINDOWS_1252.search(line) or b"\0" in line:
            raise _bad(f"{path} is in an encoding that Accord does not know (line {number}).", remedy)
    return number


def _dialect_of(sample: list[str], columns: Sequence[str]) -> tuple[CsvDialect, tuple[str, ...]]:
    """Choose the dialect that finds the most of the needed columns, then the one under which the rows fit best."""
    best, score = _DIALECTS[0], (-1, 0, 0, 0)
    found: tuple[str, ...] = ()
    whole = "".join(sample)
    for dialect in _DIALECTS:
        rows, broken = _sample_rows(dialect, sample)
        if not rows or not dialect.may_be(whole):
            continue
        header = tuple(cell.strip() for cell in rows[0])
        misfits = broken + sum(len(row) != len(header) for row in rows)
        unread = sum(bool(_UNREAD_QUOTE.search(cell)) for row in rows for cell in row)
        # If no column is needed (a preset is to be suggested), a header of one cell is the least likely.
        found_some = len(set(columns) & set(header)) if columns else int(len(header) > 1)
        rated = (found_some, -misfits, -unread, len(header))
        if rated > score:
            best, found, score = dialect, header, rated
    return best, found


def _sample_rows(dialect: CsvDialect, sample: list[str]) -> tuple[list[list[str]], int]:
    """The rows of the sample, and how many lines are not CSV."""
    reader, broken = dialect.reader(iter(sample)), 0
    rows: list[list[str]] = []
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return rows, broken
        except csv.Error as error:
            # The sample may end within a cell of several lines.
            broken += "end of data" not in str(error)
            continue
        if row:
            rows.append(row)


def _require(path: Path, header: tuple[str, ...], columns: Sequence[str]) -> None:
    """Raise BAD_FILE for a header that lacks a needed column or has one twice."""
    remedy = "Check that it is the right file, and export it with these columns, once each."
    if not any(header):
        raise _bad(f"{path} is empty: it has no header.", remedy)
    there = ", ".join(filter(None, header))
    twice = [name for name, count in Counter(header).items() if name in columns and count > 1]
    if twice:
        raise _bad(f"{path} has the column {', '.join(twice)} more than once; its columns are: {there}.", remedy)
    missing = [column for column in columns if column not in header]
    if missing:
        raise _bad(f"{path} has no column {', '.join(missing)}; its columns are: {there}.", remedy)


def _bad(message: str, remedy: str) -> AccordError:
    return AccordError(ErrorCode.BAD_FILE, message, remedy)

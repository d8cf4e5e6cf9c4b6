"""Detects how to read a file: encoding, delimiter, quoting, header. Refuses a file for which this is not certain.

- Encoding: a byte order mark decides. Without one, text that is valid UTF-8 throughout is UTF-8, and text with a zero
  in every other byte is UTF-16. Text that is neither, and contains no UTF-8 sequence at all, is Windows-1252 (which
  includes the printable characters of Latin-1). A mixture of the two is damaged text, and refused.
- Delimiter and quoting: those under which the header has the most of the needed columns, and under which the most rows
  have as many cells as the header. Excel's line `sep=;` decides the delimiter.
- Header: titles may stand above it; see `layout/header.py`.
"""

import codecs
import csv
import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO

from api.errors import AccordError, ErrorCode
from api.importers.layout.dialect import CsvDialect
from api.importers.layout.file_layout import DETECTED, FileLayout, is_workbook
from api.importers.layout.header import Header, find_header
from api.importers.layout.workbook import SHEET_DIALECT, SheetCopies
from api.importers.text_lines import MARK, first_lines

_CHUNK = 1 << 20
_SAMPLE_LINES = 50
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_NO_WINDOWS_1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that can be read: its path, how to read it, and its header. `stamp` changes when the file does.

    `origin` is the file that the user named: a workbook, where `path` is the copy of its `sheet` as CSV; else `path`.
    `key` are the places of the columns that identify a row; empty if they are not known.
    """

    path: Path
    encoding: str
    dialect: CsvDialect
    header: tuple[str, ...]
    lines: int
    stamp: tuple[int, ...]
    origin: Path
    sheet: str | None = None
    header_line: int = 1
    key: tuple[int, ...] = ()
    layout: FileLayout = DETECTED

    @property
    def name(self) -> str:
        """The file's name."""
        return self.origin.name

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
        message = f"{self.origin} changed while it was read. Nothing was imported."
        return _bad(message, "Import again when no program writes to it any more.")


def detect_file(
    folder: Path,
    name: str,
    columns: Sequence[str],
    *,
    key: Sequence[str] = (),
    layout: FileLayout = DETECTED,
    copies: SheetCopies | None = None,
) -> SourceFile:
    """Detect how to read a file that must have these columns; reads all of it once, in bounded memory.

    `key` are the columns that identify a row, `layout` is what is stated about the file. A workbook's sheet is copied
    into `copies`, and the copy is read.
    Errors: BAD_FILE if it is missing, unreadable, of an uncertain encoding or header, or lacks a column.
    """
    path = origin = folder / name
    sheet = None
    try:
        _require_file(folder, name)
        if is_workbook(origin):
            if copies is None:
                raise TypeError("a workbook needs a place for the copy of its sheet")
            path, sheet = copies.copy(origin, layout.sheet)
        elif layout.sheet is not None:
            raise _bad(f"{origin} is not a workbook: it has no sheet '{layout.sheet}'.", "Name no sheet for it.")
        encoding, lines = _encoding_of(path)
        with path.open(encoding=encoding, newline="") as text:
            stamp, sample = _stamp(text), first_lines(text, (layout.header_line or 1) + _SAMPLE_LINES)
    except csv.Error as error:
        message = f"{origin} is not a CSV file: its first line is not a header; {error}."
        raise _bad(message, "Check that it is the right file, and export it as CSV.") from error
    except OSError as error:
        raise _bad(
            f"{error.filename or origin} cannot be read: {error.strerror}.", "Give yourself the right to read it."
        ) from error
    sample[:1] = [line.lstrip(MARK) for line in sample[:1]]
    header = find_header(sample, columns, layout, None if sheet is None else SHEET_DIALECT)
    _require(f"{origin}" if sheet is None else f"The sheet '{sheet}' of {origin}", header, columns, layout)
    places = tuple(header.columns.index(column) for column in key if column in header.columns)
    return SourceFile(
        path=path,
        encoding=encoding,
        dialect=header.dialect,
        header=header.columns,
        lines=lines,
        stamp=stamp,
        origin=origin,
        sheet=sheet,
        header_line=header.line,
        key=places,
        layout=layout,
    )


def _require_file(folder: Path, name: str) -> None:
    path = folder / name
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
        if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            raise _bad(f"{path} is a workbook or an archive, not text.", "Give a workbook its suffix, such as .xlsx.")
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


def _require(shown: str, header: Header, columns: Sequence[str], layout: FileLayout) -> None:
    """Raise BAD_FILE for a header that is missing or not certain, lacks a needed column, or has one twice."""
    remedy = "Check that it is the right file, and export it with these columns, once each."
    if layout.header_line is not None and header.columns and header.line != max(layout.header_line, header.first_line):
        message = f"{shown} has no header in line {layout.header_line}: the line is blank."
        raise _bad(message, f"The next line with text is line {header.line}; state the line of the header.")
    if not any(header.columns):
        raise _bad(f"{shown} is empty: it has no header.", remedy)
    if header.doubt:
        raise _bad(
            f"{shown} has a header that is not certain: {header.doubt}.",
            "Remove the lines above the header, or state its line: header_line in the preset, --header-line with"
            " --suggest.",
        )
    there = ", ".join(filter(None, header.columns))
    where = f" (line {header.line})" if header.line > 1 else ""
    twice = [name for name, count in Counter(header.columns).items() if name in columns and count > 1]
    if twice:
        raise _bad(
            f"{shown} has the column {', '.join(twice)} more than once; its columns{where} are: {there}.", remedy
        )
    missing = [column for column in columns if column not in header.columns]
    if missing:
        raise _bad(f"{shown} has no column {', '.join(missing)}; its columns{where} are: {there}.", remedy)


def _bad(message: str, remedy: str) -> AccordError:
    return AccordError(ErrorCode.BAD_FILE, message, remedy)

"""Reads the lines of a text in bounded memory, counts them, and can give back the lines of a broken row."""

import csv
from collections import deque
from collections.abc import Iterator
from typing import TextIO

LONGEST_LINE = 1 << 20  # characters, of a line and of a row of several lines
MARK = "\ufeff"
_SHOWN = 600
_MOST_READ_AGAIN = 1 << 28  # characters; a file that needs more has no rows, only quotes


class _CutLine(str):
    """The beginning of a line that is too long; its rest was skipped."""

    __slots__ = ()


class TextLines:
    """An iterator of lines for a CSV parser. `taken` are the lines of the current row, `number` is the last one's."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._given_back: deque[str] = deque()
        self._read_again = 0
        self._length = 0
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._given_back.popleft() if self._given_back else self._line()
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        self._length += len(line)
        if type(line) is _CutLine or self._length > LONGEST_LINE:
            raise csv.Error(f"it is longer than {LONGEST_LINE:,} characters")
        return line

    def _line(self) -> str:
        line = self._text.readline(LONGEST_LINE + 1)
        if len(line) <= LONGEST_LINE:
            return line
        rest = line
        while rest and rest[-1] not in "\r\n":
            rest = self._text.readline(LONGEST_LINE)
        return _CutLine(line[:_SHOWN])

    def skip(self, count: int) -> None:
        """Skip lines; those that are too long count as one like the others."""
        for _ in range(count):
            self.begin_row()
            try:
                next(self)
            except csv.Error:
                continue
            except StopIteration:
                return

    def begin_row(self) -> int:
        """Forget the lines of the row before; return the number of the next line."""
        self.taken.clear()
        self._length = 0
        return self.number + 1

    def give_back(self) -> bool:
        """Give back all lines of the current row but the first, to be read again; return whether there are any."""
        again = self.taken[1:]
        self._given_back.extendleft(reversed(again))
        self.number -= len(again)
        self._read_again += sum(map(len, again))
        return bool(again)

    @property
    def is_hopeless(self) -> bool:
        """Whether so much was read again that the file has to be given up: every line may swallow all others."""
        return self._read_again > _MOST_READ_AGAIN


def first_lines(text: TextIO, count: int) -> list[str]:
    """Return the first lines of a text, a blank one for each that is too long; `csv.Error` if no line precedes it."""
    found: list[str] = []
    lines = TextLines(text)
    while len(found) < count:
        lines.begin_row()
        try:
            found.append(next(lines))
        except StopIteration:
            break
        except csv.Error:
            if not any(map(str.strip, found)):
                raise
            found.append("\n")
    return found
